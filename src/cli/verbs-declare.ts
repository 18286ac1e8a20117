/**
 * What should exist: the verbs that make a fleet, publish declarations, and exchange them with other programs.
 */
import { Argument, Option } from 'commander';
import { MAX_REMOVALS } from '../declare/removals.ts';
import { FLEET, files, host, json, publishing, source, type VerbSpec } from './verb-spec.ts';

const MANIFESTS = 'manifest, or folder of manifests';

/** Which difference is meant, to `plan` and to `apply`. */
const difference = (manifests: Option): readonly Option[] => [
  manifests,
  new Option('--prune', 'withdraw what the sets declared and do not name any more'),
  new Option('--take-over', 'take devices that other sets declared'),
];

export const DECLARE: readonly VerbSpec[] = [
  {
    name: 'init',
    about: 'Make the streams and the registry of a fleet. Doing it again changes nothing.',
    example: 'mdevfleet init --nats nats://10.0.0.1:4222 --replicas 3',
    settings: FLEET,
    flags: [new Option('--replicas <count>', 'servers of the cluster that keep a copy (default: 1)')],
    load: async () => (await import('./init.ts')).init,
  },
  {
    name: 'apply',
    about:
      'Publish what manifests declare, as far as it differs from what was declared before. On a terminal it shows the plan and asks.',
    example:
      'mdevfleet apply --data ./data -f examples/fleet.yaml\n' +
      '  mdevfleet apply --data ./data -f manifests/ --prune --max-removals 10% --yes --wait\n' +
      '  mdevfleet apply --data ./data --plan fleet.plan --wait',
    settings: FLEET,
    flags: [
      ...difference(files(MANIFESTS)),
      new Option(
        '--plan <file>',
        'publish this plan, and nothing else, without asking; instead of manifests',
      ),
      new Option('--replace', 'allow that devices are removed because they move elsewhere'),
      new Option(
        '--max-removals <count>',
        `most devices that may go, a number or a percentage of what the sets have declared (default: ${MAX_REMOVALS})`,
      ),
      ...publishing(),
      source(),
      json(),
    ],
    load: async () => (await import('./apply.ts')).apply,
  },
  {
    name: 'plan',
    alias: 'diff',
    about: 'Show what `apply` would do to each device, and why; 2 is the exit status if that is anything.',
    example:
      'mdevfleet plan --data ./data -f examples/fleet.yaml --prune\n' +
      '  mdevfleet plan --data ./data -f manifests/ --out fleet.plan',
    settings: FLEET,
    flags: [
      ...difference(files(MANIFESTS).makeOptionMandatory()),
      new Option('--out <file>', 'write the plan there, too, for `apply --plan`'),
      json(),
    ],
    load: async () => (await import('./plan.ts')).plan,
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
    name: 'import',
    about:
      "mdevctl: print the manifest that declares what it manages. journal: make a host's journal from an exported one.",
    example:
      'mdevfleet import mdevctl --host host-a --set gpu > host-a.yaml\n' +
      '  mdevctl list -d --dumpjson | mdevfleet import mdevctl - --host host-a\n' +
      '  mdevfleet import journal host-a.ndjson.gz --host host-a --data /var/lib/mdevfleet',
    settings: ['host', 'data'],
    args: [
      new Argument('<what>', 'what to import').choices(['mdevctl', 'journal']),
      new Argument(
        '[path]',
        'folder, file or dump of definitions; - is stdin (default: /etc/mdevctl.d); or an exported journal',
      ),
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
    about:
      'mdevctl: define for it what is declared on a host, so that it knows it and does not start it. journal: write it into a file.',
    example:
      'mdevfleet export mdevctl --data ./data --host host-a --dir /etc/mdevctl.d\n' +
      '  mdevfleet export journal host-a.ndjson.gz --data /var/lib/mdevfleet --host host-a',
    settings: ['host', ...FLEET],
    args: [
      new Argument('<what>', 'what to export').choices(['mdevctl', 'journal']),
      new Argument(
        '[path]',
        'journal: the file to write, packed if its name ends in .gz; mdevctl: the folder, as with --dir',
      ),
    ],
    flags: [
      new Option('--dir <folder>', 'write definitions there, each file as a whole (default: print them)'),
      new Option('--give-back', 'let mdevctl start them itself; the agent must not run any more'),
    ],
    load: async () => (await import('./exchange.ts')).exporting,
  },
];
