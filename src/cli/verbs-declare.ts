/**
 * What should exist: the verbs that make a fleet, publish declarations, and exchange them with other programs.
 */
import { Argument, Option } from 'commander';
import { FLEET, files, host, json, source, type VerbSpec } from './verb-spec.ts';

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
];
