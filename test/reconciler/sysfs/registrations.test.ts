/**
 * A parent that went away and is back, as it shows in sysfs: its link is another one.
 */
import { renameSync, rmSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../../reconciler/clock-system.ts';
import type { Host } from '../../../reconciler/host.ts';
import { createSysfsHost } from '../../../reconciler/sysfs/host-sysfs.ts';
import { SysfsTree } from './host-sysfs-tree.ts';

const [HERE, THERE] = ['0000:00:04.0', '0000:00:05.0'] as const;
const UUID = '00000000-0000-4000-8000-000000000001';
const PLACE = { parent: HERE, type: 'mtty-1' };
const LOOK = { place: PLACE, use: false };
const ABSENT = { kind: 'absent', room: { kind: 'available', instances: 24 } };

let tree: SysfsTree;
let host: Host;
let times = 0;

/** The old link is kept, since its number may be used again here, other than in sysfs. */
function unregister(parent: string): void {
  times += 1;
  const link = join(tree.root, 'class/mdev_bus', parent);
  renameSync(link, join(tree.folder, `unregistered-${times}`));
}

function removeDevice(): void {
  unlinkSync(tree.bus(UUID));
  rmSync(join(tree.root, 'devices/pci0000:00', HERE, UUID), { recursive: true });
}

beforeAll(() => {
  tree = new SysfsTree();
  for (const parent of [HERE, THERE]) tree.parent(parent, { 'mtty-1': 24 });
  const { root, dev, marksDir } = tree;
  host = createSysfsHost({ clock: systemClock, root, dev, marksDir, udevadm: null });
});

afterAll(async () => {
  await host.close();
  tree.remove();
});

beforeEach(async () => {
  await host.observe(UUID, { place: null, use: false });
  tree.device(UUID, PLACE);
  expect((await host.observe(UUID, LOOK)).kind).toBe('present');
});

test('a device that is gone from a parent that stayed is just gone', async () => {
  removeDevice();
  const seen = await host.observe(UUID, LOOK);
  expect(seen).toMatchObject(ABSENT);
  expect(seen).not.toHaveProperty('parentReturned');
});

test('a device that went with its parent is told so, for as long as it is not back', async () => {
  unregister(HERE);
  expect((await host.observe(UUID, LOOK)).kind).toBe('present');
  removeDevice();
  expect(await host.observe(UUID, LOOK)).toEqual({ kind: 'absent', room: { kind: 'parent-absent' } });
  tree.list(HERE);
  for (let looks = 0; looks < 2; looks += 1) {
    expect(await host.observe(UUID, LOOK)).toMatchObject({ ...ABSENT, parentReturned: true });
  }
  tree.device(UUID, PLACE);
  expect((await host.observe(UUID, LOOK)).kind).toBe('present');
  removeDevice();
  expect(await host.observe(UUID, LOOK)).not.toHaveProperty('parentReturned');
});

test('a parent on which the device was never seen has not taken it along', async () => {
  removeDevice();
  unregister(THERE);
  tree.list(THERE);
  const seen = await host.observe(UUID, { place: { ...PLACE, parent: THERE }, use: false });
  expect(seen).toMatchObject(ABSENT);
  expect(seen).not.toHaveProperty('parentReturned');
});
