/**
 * What operators tell hosts beside declarations: the verbs that publish commands.
 */
import { Argument, Option } from 'commander';
import { FLEET, host, json, publishing, source, type VerbSpec } from './verb-spec.ts';

const wait = () =>
  new Option('--wait <ms>', 'how long the host has to answer that it is there (default: 10000)');

export const STEER: readonly VerbSpec[] = [
  {
    name: 'adopt',
    about:
      'Declare devices that nobody declared as they stand, so that agents take them over untouched. On a terminal it shows the plan and asks.',
    example:
      'mdevfleet adopt --data ./data --host host-a --dry-run\n' +
      '  mdevfleet adopt --data ./data --set gpu 5d3c7e0a-2f51-4b1e-9a44-0c8a6f1e2b01\n' +
      '  mdevfleet adopt --data ./data --manifest > adopted.yaml',
    settings: FLEET,
    args: [new Argument('[uuid...]', 'devices (default: all that nobody declared)')],
    flags: [
      host('only of this host'),
      new Option('--parent <name>', 'only on this parent'),
      new Option('--type <type>', 'only of this type'),
      new Option('--set <name>', 'name of the set (default: adopted)'),
      new Option('--manifest', 'print the manifest for `apply`, and publish nothing'),
      ...publishing(),
      source(),
      json(),
    ],
    load: async () => (await import('./adopt.ts')).adopt,
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
    name: 'cordon',
    about:
      'Let no new device be made on parents of a host, or on all of them. What was made stays, and is looked after.',
    example: 'mdevfleet cordon --data ./data host-a 0000:41:00.0\n  mdevfleet cordon --data ./data host-a',
    settings: FLEET,
    args: [new Argument('<host>', 'the host'), new Argument('[parent...]', 'parents (default: all)')],
    flags: [source(), json()],
    load: async () => (await import('./cordon.ts')).cordon,
  },
  {
    name: 'uncordon',
    about: 'Let devices be made again on parents that were cordoned; without a parent, on all of the host.',
    example: 'mdevfleet uncordon --data ./data host-a 0000:41:00.0',
    settings: FLEET,
    args: [new Argument('<host>', 'the host'), new Argument('[parent...]', 'parents (default: all)')],
    flags: [source(), json()],
    load: async () => (await import('./cordon.ts')).uncordon,
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
    name: 'forget-host',
    about:
      'State that a host will not come back: release what it holds, and withdraw what is declared for it.',
    example: 'mdevfleet forget-host --data ./data --force --reason "burnt down" host-a',
    settings: FLEET,
    args: [new Argument('<host>', 'the host')],
    flags: [
      new Option('--force', 'state that the host uses no device any more'),
      new Option('--reason <text>', 'why, in a few words'),
      new Option('--keep', 'leave its declarations as they are'),
      wait(),
      source(),
      json(),
    ],
    load: async () => (await import('./forget.ts')).forgetHost,
  },
  {
    name: 'rebind',
    about: 'Let another machine or another journal speak for a host: whichever comes next.',
    example: 'mdevfleet rebind --data ./data --reason "new mainboard" host-a',
    settings: FLEET,
    args: [new Argument('<host>', 'the host')],
    flags: [
      new Option('--force', 'also when an agent speaks for it now'),
      new Option('--reason <text>', 'why, in a few words'),
      wait(),
      source(),
      json(),
    ],
    load: async () => (await import('./rebind.ts')).rebind,
  },
];
