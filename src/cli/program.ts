/**
 * The command line: its verbs, their flags and their help, in one table.
 *
 * A verb's code is loaded when the verb is run, so that the help needs no database and no
 * network. What a setting may be is not decided here but in options.ts.
 */
import { Argument, Command, Option } from 'commander';
import { deviceState } from '../../events/row.ts';
import type { Flags } from '../config.ts';
import { EXIT, EXIT_MEANINGS } from '../exit.ts';
import { flagOf, OPTIONS, type OptionName, variableOf } from '../options.ts';
import { FORMS } from './form.ts';
import type { Verb } from './verb.ts';

type Load = () => Promise<Verb>;

type VerbSpec = {
  readonly name: string;
  readonly about: string;
  readonly example: string;
  readonly settings: readonly OptionName[];
  readonly args?: readonly Argument[];
  readonly flags?: readonly Option[];
  readonly load: Load;
};

/** Runs the verb that was asked for. */
export type Run = (load: Load, args: readonly string[], flags: Flags) => Promise<void>;

/** Where the fleet is. */
const FLEET: readonly OptionName[] = [
  'nats',
  'creds',
  'nkey',
  'tlsCa',
  'tlsCert',
  'tlsKey',
  'prefix',
  'data',
];

const json = () => new Option('--json', 'print JSON');
const host = (about: string) => new Option('--host <id>', about);
const files = (about: string) =>
  new Option('-f, --file <path>', `${about}; - is stdin; may be repeated`).argParser(
    (value: string, before: readonly string[] | undefined) => [...(before ?? []), value],
  );
const source = () => new Option('--source <name>', 'who declares (default: mdevfleet/<user>@<machine>)');

const from = () =>
  new Option(
    '--from <what>',
    'where to read it: stream, journal (with --data), or an exported file, which may be repeated (default: stream)',
  ).argParser((value: string, before: readonly string[] | undefined) => [...(before ?? []), value]);

const VERBS: readonly VerbSpec[] = [
  {
    name: 'init',
    about: 'Make the streams and the registry of a fleet. Doing it again changes nothing.',
    example: 'mdevfleet init --nats nats://10.0.0.1:4222 --replicas 3',
    settings: FLEET,
    flags: [new Option('--replicas <count>', 'servers of the cluster that keep a copy (default: 1)')],
    load: async () => (await import('./init.ts')).init,
  },
  {
    name: 'agent',
    about: 'Look after the devices of one host until it is stopped.',
    example: 'mdevfleet agent --host host-a --data /var/lib/mdevfleet --nats nats://10.0.0.1:4222',
    settings: ['host', ...FLEET, 'sysfs', 'simulate', 'labels', 'logLevel'],
    load: async () => (await import('./agent.ts')).agent,
  },
  {
    name: 'apply',
    about: 'Publish what manifests declare, as far as it differs from what was declared before.',
    example: 'mdevfleet apply --data ./data -f examples/fleet.yaml',
    settings: FLEET,
    flags: [
      files('manifest').makeOptionMandatory(),
      new Option('--replace', 'allow that devices are removed because they move elsewhere'),
      source(),
      json(),
    ],
    load: async () => (await import('./apply.ts')).apply,
  },
  {
    name: 'delete',
    about: 'Declare that devices should not exist any more.',
    example: 'mdevfleet delete --data ./data 5d3c7e0a-2f51-4b1e-9a44-0c8a6f1e2b01',
    settings: FLEET,
    args: [new Argument('[uuid...]', 'devices')],
    flags: [files('the devices of a manifest'), host('the host that is meant'), source(), json()],
    load: async () => (await import('./delete.ts')).deleteDevices,
  },
  {
    name: 'retry',
    about: 'Let a host try again what ended in a conflict or a failure.',
    example: 'mdevfleet retry --data ./data 5d3c7e0a-2f51-4b1e-9a44-0c8a6f1e2b01',
    settings: FLEET,
    args: [new Argument('<uuid...>', 'devices')],
    flags: [host('the host that is meant'), source(), json()],
    load: async () => (await import('./retry.ts')).retry,
  },
  {
    name: 'release',
    about: 'Take UUIDs from a host that is dead, so that others can have them.',
    example:
      'mdevfleet release --data ./data --force --reason "burnt down" 5d3c7e0a-2f51-4b1e-9a44-0c8a6f1e2b01',
    settings: FLEET,
    args: [new Argument('<uuid...>', 'devices')],
    flags: [
      new Option('--force', 'state that the host does not use them any more'),
      new Option('--reason <text>', 'why, in a few words'),
      host('refuse if another host holds them'),
      source(),
      json(),
    ],
    load: async () => (await import('./release.ts')).release,
  },
  {
    name: 'reopen',
    about: 'Let UUIDs be taken again after the registry had lost something.',
    example: 'mdevfleet reopen --nats nats://10.0.0.1:4222 --yes',
    settings: FLEET,
    flags: [new Option('--yes', 'also while hosts have not confirmed what they hold'), source(), json()],
    load: async () => (await import('./reopen.ts')).reopen,
  },
  {
    name: 'pause',
    about: 'Let hosts look and report, and change nothing, until they are told to resume.',
    example: 'mdevfleet pause --data ./data host-a',
    settings: FLEET,
    args: [new Argument('<host...>', 'hosts')],
    flags: [source(), json()],
    load: async () => (await import('./steer.ts')).pause,
  },
  {
    name: 'resume',
    about: 'Let hosts that were paused go on.',
    example: 'mdevfleet resume --data ./data host-a',
    settings: FLEET,
    args: [new Argument('<host...>', 'hosts')],
    flags: [source(), json()],
    load: async () => (await import('./steer.ts')).resume,
  },
  {
    name: 'get',
    about:
      'Show devices, conflicts, hosts, parents or types of the fleet, from what hosts reported and what is declared.',
    example:
      'mdevfleet get devices --data ./data --state waiting --reason NoCapacity\n  mdevfleet get parents --data ./data --host host-a -o wide',
    settings: FLEET,
    args: [
      new Argument('<what>', 'what to show').choices(['devices', 'conflicts', 'hosts', 'parents', 'types']),
    ],
    flags: [
      host('only of this host'),
      new Option('--state <state>', 'only in this state').choices(deviceState.options),
      new Option('--type <type>', 'only of this type'),
      new Option('--set <name>', 'only of this set'),
      new Option('--reason <reason>', 'only for this reason'),
      new Option('-o, --output <form>', 'mdevctl: as `mdevctl list --dumpjson`, of one host').choices([
        ...FORMS,
        'mdevctl',
      ]),
      json(),
    ],
    load: async () => (await import('./get.ts')).get,
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
  {
    name: 'verify',
    about: "Check a host's journal: every record, the chain, and what was folded from it.",
    example: 'mdevfleet verify --host host-a --data ./data',
    settings: ['host', 'data'],
    flags: [json()],
    load: async () => (await import('./verify.ts')).verify,
  },
  {
    name: 'rebuild',
    about: "Make a host's lost journal again from what the fleet has of it; its agent must not run.",
    example: 'mdevfleet rebuild --host host-a --data /var/lib/mdevfleet --nats nats://10.0.0.1:4222',
    settings: ['host', ...FLEET],
    flags: [json()],
    load: async () => (await import('./rebuild.ts')).rebuild,
  },
  {
    name: 'import',
    about: "Print the manifest that declares what another program manages: mdevctl's definitions.",
    example:
      'mdevfleet import mdevctl --host host-a --set gpu > host-a.yaml\n' +
      '  mdevctl list -d --dumpjson | mdevfleet import mdevctl - --host host-a',
    settings: ['host'],
    args: [
      new Argument('<what>', 'what to import').choices(['mdevctl']),
      new Argument('[path]', 'folder, file or dump of definitions; - is stdin (default: /etc/mdevctl.d)'),
    ],
    flags: [
      new Option('--set <name>', 'name of the set (default: mdevctl)'),
      new Option('--start <start>', 'only what is started so').choices(['auto']),
      json(),
    ],
    load: async () => (await import('./exchange.ts')).importing,
  },
  {
    name: 'export',
    about: 'Define for mdevctl what is declared on a host, so that mdevctl knows it and does not start it.',
    example: 'mdevfleet export mdevctl --data ./data --host host-a --dir /etc/mdevctl.d',
    settings: ['host', ...FLEET],
    args: [new Argument('<what>', 'what to export').choices(['mdevctl'])],
    flags: [
      new Option('--dir <folder>', 'write definitions there, each file as a whole (default: print them)'),
      new Option('--give-back', 'let mdevctl start them itself; the agent must not run any more'),
    ],
    load: async () => (await import('./exchange.ts')).exporting,
  },
  {
    name: 'kernel',
    about: 'Serve a simulated kernel that outlives the agents on it, until it is stopped.',
    example: 'mdevfleet kernel --socket ./host-a.sock',
    settings: [],
    flags: [
      new Option('--socket <path>', 'Unix socket to serve it on').makeOptionMandatory(),
      new Option('-f, --file <path>', 'its parents and faults in YAML or JSON (default: a small machine)'),
    ],
    load: async () => (await import('./kernel.ts')).kernel,
  },
  {
    name: 'demo',
    about: 'Show a fleet of three simulated hosts at work, from start to end, in a few seconds.',
    example: 'mdevfleet demo',
    settings: [],
    load: async () => (await import('./demo.ts')).demo,
  },
];

/** The program; parsing it ends in `run`, or throws commander's errors. */
export function buildProgram(version: string, run: Run): Command {
  const program = new Command('mdevfleet')
    .description('Reconciles the mediated devices of a fleet of Linux hosts with what is declared.')
    .version(version)
    .option('--config <file>', 'settings in YAML or JSON [MDEVFLEET_CONFIG]')
    .option('--verbose', 'tell the causes of an error, too')
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('  see `mdevfleet help`')
    .addHelpText('after', exitStatuses())
    .exitOverride();
  for (const spec of VERBS) addVerb(program, spec, run);
  return program;
}

function addVerb(program: Command, spec: VerbSpec, run: Run): void {
  const command = program.command(spec.name).description(spec.about);
  for (const argument of spec.args ?? []) command.addArgument(argument);
  for (const name of spec.settings) command.addOption(settingOption(name));
  for (const option of spec.flags ?? []) command.addOption(option);
  command
    .showHelpAfterError(`  see \`mdevfleet ${spec.name} --help\``)
    .addHelpText('after', `\nExample:\n  ${spec.example}`)
    .action(() => run(spec.load, command.args, command.optsWithGlobals()));
}

function settingOption(name: OptionName): Option {
  const { value, about } = OPTIONS[name];
  return new Option(`${flagOf(name)} ${value}`, `${about} [${variableOf(name)}]`);
}

function exitStatuses(): string {
  const lines = Object.entries(EXIT_MEANINGS).map(([outcome, meaning]) => {
    const status = String(EXIT[outcome as keyof typeof EXIT]).padStart(4);
    return `${status}  ${meaning}`;
  });
  return ['', 'Exit statuses:', ...lines].join('\n');
}
