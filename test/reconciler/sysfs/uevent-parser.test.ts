import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Heard, UeventParser } from '../../../reconciler/sysfs/uevent-parser.ts';
import { deviceEvent, HEADER, PARENT, parentEvent, UUID } from './uevent-text.ts';

const DEVICE = { kind: 'device', uuid: UUID };
const VFIO = `KERNEL[11.28] add      /devices/virtual/vfio/0 (vfio)
ACTION=add
DEVPATH=/devices/virtual/vfio/0
SUBSYSTEM=vfio
DEVNAME=/dev/vfio/0
SEQNUM=689

`;

function heardIn(text: string): readonly Heard[] {
  return new UeventParser().feed(text);
}

describe('what is heard', () => {
  test('that events will be, once the header is written', () => {
    expect(heardIn(HEADER)).toEqual([{ kind: 'listening' }]);
    expect(heardIn('monitor will print the received events for:\n')).toEqual([]);
  });

  test.each(['add', 'bind', 'change', 'unbind', 'remove'])(
    'a device, by %s in the subsystem mdev',
    (action) => {
      expect(heardIn(deviceEvent(UUID, action))).toEqual([DEVICE]);
    },
  );

  test.each(['registered', 'unregistered'])('a parent that is %s, in whatever subsystem', (state) => {
    const parent = { kind: 'parent', parent: PARENT };
    expect(heardIn(parentEvent(PARENT, state))).toEqual([parent]);
    expect(heardIn(parentEvent(PARENT, state).replace('SUBSYSTEM=pci', 'SUBSYSTEM=css'))).toEqual([parent]);
  });

  test('events in their order, and nothing of others', () => {
    const text = HEADER + deviceEvent(UUID, 'add') + VFIO + parentEvent(PARENT, 'unregistered');
    expect(heardIn(text)).toEqual([{ kind: 'listening' }, DEVICE, { kind: 'parent', parent: PARENT }]);
  });
});

describe('what is passed over', () => {
  test.each([
    ['a device whose name is no UUID', deviceEvent('vfio0', 'add')],
    ['a part of a device', deviceEvent(`${UUID}/vfio-dev/vfio0`, 'add').replace('=mdev', '=vfio-dev')],
    [
      'a change of a parent that says nothing of its registration',
      parentEvent(PARENT, 'x').replace(/MDEV_.*\n/, ''),
    ],
    ['a parent without a name', parentEvent('..', 'registered')],
    ['an event without a path', 'SUBSYSTEM=mdev\n\n'],
    ['an event that has not ended', deviceEvent(UUID, 'add').slice(0, -1)],
    ['lines that are no events', '\n\n\nnonsense\n=\nDEVPATH\n\n'],
  ])('%s', (_what, text) => {
    expect(heardIn(text)).toEqual([]);
  });

  test('what a driver adds under a name of the kernel', () => {
    const text = deviceEvent(UUID, 'add').replace('SEQNUM', 'DEVPATH=/devices/other\nSUBSYSTEM=pci\nSEQNUM');
    expect(heardIn(text)).toEqual([DEVICE]);
  });

  test('a line without an end, of which no more is kept than a line can have', () => {
    const parser = new UeventParser();
    for (let piece = 0; piece < 1000; piece += 1) expect(parser.feed('A'.repeat(65_536))).toEqual([]);
    expect(parser.feed(`\n\n${deviceEvent(UUID, 'add')}`)).toEqual([DEVICE]);
  });

  test('a line that is too long, and not the rest of its event', () => {
    const text = deviceEvent(UUID, 'add');
    expect(heardIn(`DEVPATH=${'/x'.repeat(4096)}\n${text}`)).toEqual([DEVICE]);
  });
});

const block = fc.oneof(
  fc.uuid().map((uuid) => deviceEvent(uuid, 'add')),
  fc.stringMatching(/^[a-z0-9:.]{1,12}$/).map((parent) => parentEvent(parent, 'registered')),
  fc.string({ unit: 'binary' }),
  fc.constantFrom(HEADER, VFIO, '\n', '\n\n', 'DEVPATH=/a/b\n', `DEVPATH=${'x'.repeat(5000)}\n`),
);

test('the same is heard in whatever pieces the text arrives', () => {
  const cuts = fc.array(fc.nat({ max: 12_000 }), { maxLength: 40 });
  const texts = fc.array(block, { maxLength: 12 }).map((blocks) => blocks.join(''));
  fc.assert(
    fc.property(texts, cuts, (text, at) => {
      const parser = new UeventParser();
      const ends = [...at.filter((cut) => cut < text.length).sort((a, b) => a - b), text.length];
      const pieces = ends.map((end, index) => text.slice(ends[index - 1] ?? 0, end));
      expect(pieces.flatMap((piece) => parser.feed(piece))).toEqual(heardIn(text));
    }),
  );
});

test('junk before it hides no event, once there was a blank line', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (junk) => {
      expect(heardIn(`${junk}\n\n${deviceEvent(UUID, 'remove')}`).at(-1)).toEqual(DEVICE);
    }),
  );
});
