/**
 * What is, what was, and why: the verbs that read and change nothing.
 */
import { Argument, Option } from 'commander';
import { deviceState } from '../../events/row.ts';
import { FORMS } from './form.ts';
import { FLEET, from, host, json, type VerbSpec } from './verb-spec.ts';

/** Which devices: for all verbs that list them. */
const which = (): readonly Option[] => [
  host('only of this host'),
  new Option('--state <state>', 'only in this state').choices(deviceState.options),
  new Option('--type <type>', 'only of this type'),
  new Option('--set <name>', 'only of this set'),
  new Option('--reason <reason>', 'only for this reason'),
];

const output = (...forms: readonly string[]): Option =>
  new Option('-o, --output <form>', 'how to show it').choices(forms);

export const LOOK: readonly VerbSpec[] = [
  {
    name: 'get',
    about:
      'Show devices, conflicts, hosts, parents, types or pools of the fleet, from what hosts reported and what is declared.',
    example:
      'mdevfleet get devices --data ./data --state waiting --reason NoCapacity\n  mdevfleet get parents --data ./data --host host-a -o wide',
    settings: FLEET,
    args: [
      new Argument('<what>', 'what to show').choices([
        'devices',
        'conflicts',
        'hosts',
        'parents',
        'types',
        'pools',
      ]),
    ],
    flags: [
      ...which(),
      new Option('-o, --output <form>', 'mdevctl: as `mdevctl list --dumpjson`, of one host').choices([
        ...FORMS,
        'mdevctl',
      ]),
      json(),
    ],
    load: async () => (await import('./get.ts')).get,
  },
  {
    name: 'describe',
    about:
      'Show everything about one device, on all hosts: what is declared, what hosts report and what that means, who holds it, its parent, and what happened last.',
    example: 'mdevfleet describe --data ./data 5d3c7e0a-2f51-4b1e-9a44-0c8a6f1e2b01',
    settings: FLEET,
    args: [new Argument('<uuid>', 'the device')],
    flags: [output('table', 'json', 'yaml'), json()],
    load: async () => (await import('./describe.ts')).describe,
  },
  {
    name: 'watch',
    about:
      'Show devices as `get devices` does, and then every row that changes, until SIGINT or SIGTERM. A device of which no row is asked for any more is shown once more. As JSON: an object a line, with what changed: shown, left, or gone.',
    example:
      'mdevfleet watch --data ./data --state failed\n  mdevfleet watch devices --data ./data --changes-only -o json',
    settings: FLEET,
    args: [new Argument('[what]', 'what to watch').choices(['devices'])],
    flags: [
      ...which(),
      new Option('--changes-only', 'not how devices are, only what changes'),
      output('table', 'wide', 'json'),
      json(),
    ],
    load: async () => (await import('./watch.ts')).watch,
  },
  {
    name: 'status',
    about:
      'Show the fleet on one screen: devices by state and reason, hosts to look at, the registry, the streams. Ends with 0 if all is as declared, 14 if something cannot be, 15 if something is not yet.',
    example: 'mdevfleet status --data ./data',
    settings: FLEET,
    flags: [output('table', 'json', 'yaml'), json()],
    load: async () => (await import('./status.ts')).status,
  },
  {
    name: 'explain',
    about:
      'Tell what a reason or an errno means, what ends it, and what to do about it; without a word, all.',
    example: 'mdevfleet explain NoCapacity\n  mdevfleet explain EAGAIN\n  mdevfleet explain errno 517',
    settings: [],
    args: [new Argument('[word...]', 'a reason in any case, or an errno by name or number')],
    flags: [json()],
    load: async () => (await import('./explain.ts')).explain,
  },
  {
    name: 'history',
    about: 'Show everything about one device, on all hosts, in order: who, when, why.',
    example: 'mdevfleet history --data ./data 5d3c7e0a-2f51-4b1e-9a44-0c8a6f1e2b01',
    settings: ['host', ...FLEET],
    args: [new Argument('<uuid>', 'the device')],
    flags: [from(), json()],
    load: async () => (await import('./history.ts')).history,
  },
  {
    name: 'log',
    about: 'Show what hosts recorded: every fact, or those that are asked for.',
    example:
      'mdevfleet log --data ./data --kind conflict --since 2026-01-31T14:00:00Z\n' +
      '  mdevfleet log --data /var/lib/mdevfleet --host host-a --from journal --follow',
    settings: ['host', ...FLEET],
    flags: [
      new Option('--uuid <uuid>', 'only about this device'),
      new Option('--kind <kind>', 'only of this kind, such as conflict'),
      new Option('--since <time>', 'only from this time on, RFC 3339'),
      new Option('--until <time>', 'only up to this time, RFC 3339'),
      new Option('--follow', 'go on with what is recorded from now on, until stopped'),
      from(),
      json(),
    ],
    load: async () => (await import('./log.ts')).log,
  },
  {
    name: 'replay',
    about: 'Show hosts as they were at a moment, or what changed between two and who asked for it.',
    example:
      'mdevfleet replay --data ./data --at 2026-01-31T14:05:00Z\n' +
      '  mdevfleet replay --data ./data --at 1/4711 --manifest > then.yaml\n' +
      '  mdevfleet replay --data ./data --diff 2026-01-31T14:00:00Z now\n' +
      '  mdevfleet replay --data /var/lib/mdevfleet --host host-a --from journal --check',
    settings: ['host', ...FLEET, 'sysfs', 'simulate'],
    args: [new Argument('[moment...]', 'with --diff: the two moments, the earlier first')],
    flags: [
      new Option(
        '--at <moment>',
        "a time of RFC 3339, a record's number of one host, a declaration's <epoch>/<sequence>, or now (default: now)",
      ),
      new Option('--diff', 'what changed between two moments'),
      new Option('--check', "a journal against its projections and this machine's devices; only looks"),
      new Option('--manifest', 'what was declared then, for `apply`'),
      new Option('--no-snapshots', 'fold journals from their first record'),
      from(),
      json(),
    ],
    load: async () => (await import('./replay.ts')).replay,
  },
];
