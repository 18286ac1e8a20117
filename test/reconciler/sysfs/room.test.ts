/**
 * The room at a place, and what stands on a parent that has none, from a folder that looks like sysfs.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Uuid } from '../../../events/names.ts';
import { systemClock } from '../../../reconciler/clock-system.ts';
import { type Host, STANDING_MAX } from '../../../reconciler/host.ts';
import { createSysfsHost } from '../../../reconciler/sysfs/host-sysfs.ts';
import { SysfsTree } from './host-sysfs-tree.ts';

const PARENT = '0000:00:04.0';
const PLACE = { parent: PARENT, type: 'mtty-1' };
const BIG = { parent: PARENT, type: 'mtty-2' };
const FILE = `class/mdev_bus/${PARENT}/mdev_supported_types/mtty-1/available_instances`;

let tree: SysfsTree;
let host: Host;

function uuidOf(n: number): Uuid {
  return `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
}

beforeAll(() => {
  tree = new SysfsTree();
  tree.parent(PARENT, { 'mtty-1': 24, 'mtty-2': 12, odd: 'many' });
  const { root, dev, marksDir } = tree;
  host = createSysfsHost({ clock: systemClock, root, dev, marksDir, udevadm: null });
});

afterAll(async () => {
  await host.close();
  tree.remove();
});

/** What a device that is not there is told with. */
async function room(place = PLACE, taken = false) {
  const seen = await host.observe(uuidOf(1), { place, use: false, taken });
  return seen.kind === 'absent' ? seen.room : seen;
}

function setInstances(text: string): void {
  writeFileSync(join(tree.root, FILE), text);
}

test('is read afresh each time', async () => {
  expect(await room()).toEqual({ kind: 'available', instances: 24, taken: null });
  setInstances('23\n');
  expect(await room()).toEqual({ kind: 'available', instances: 23, taken: null });
  expect(await room({ ...PLACE, type: 'mtty-9' })).toEqual({ kind: 'type-absent' });
  expect(await room({ ...PLACE, parent: '0000:00:09.0' })).toEqual({ kind: 'parent-absent' });
});

test('that is not a number cannot be read', async () => {
  const message = expect.stringContaining('holds no number: "many');
  expect(await room({ ...PLACE, type: 'odd' })).toMatchObject({ kind: 'unreadable', message });
});

test('comes with what stands on the parent when there is none, or when that is asked: all counted, the first named', async () => {
  setInstances('0\n');
  expect(await room()).toEqual({ kind: 'available', instances: 0, taken: { count: 0, first: [] } });
  const uuids = Array.from({ length: STANDING_MAX + 2 }, (_, at) => uuidOf(at + 2));
  const [small = '', big = '', leaving = ''] = uuids;
  for (const uuid of uuids.slice(3)) tree.device(uuid, PLACE);
  tree.device(small, PLACE);
  tree.device(big, BIG);
  tree.device(leaving, PLACE, 'removing');
  const types = new Map<Uuid, string | null>([
    [big, 'mtty-2'],
    [leaving, null],
  ]);
  const first = uuids.slice(0, STANDING_MAX).map((uuid) => {
    const type = types.get(uuid);
    return { uuid, type: type === undefined ? 'mtty-1' : type };
  });
  const taken = { count: uuids.length, first };
  expect(await room()).toEqual({ kind: 'available', instances: 0, taken });
  setInstances('3\n');
  expect(await room(PLACE, true)).toEqual({ kind: 'available', instances: 3, taken });
});
