/**
 * Attributes read back through helpers, from a folder that looks like sysfs. A pipe that nobody writes to stands for a
 * driver that does not answer: opening it does not return.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Uuid } from '../../../events/names.ts';
import { systemClock } from '../../../reconciler/clock-system.ts';
import type { Host } from '../../../reconciler/host.ts';
import { AttributeReader } from '../../../reconciler/sysfs/attribute-reader.ts';
import { createSysfsHost } from '../../../reconciler/sysfs/host-sysfs.ts';
import type { Task } from '../../../reconciler/sysfs/order.ts';
import type { Ran, WriterPool } from '../../../reconciler/sysfs/writer-pool.ts';
import { until } from '../host-world.ts';
import { SysfsTree } from './host-sysfs-tree.ts';

const SOON = { timeout: 20_000 };
const PLACE = { parent: '0000:00:04.0', type: 'mtty-1' };
const NAMES = ['level', 'vendor/label'];
const BOTH = [
  { name: 'level', value: '5\n' },
  { name: 'vendor/label', value: 'x' },
];

let tree: SysfsTree;
let host: Host;
let made = 0;

beforeAll(() => {
  tree = new SysfsTree();
  tree.parent(PLACE.parent, { 'mtty-1': 24 });
  const { root, dev, marksDir } = tree;
  const limits = { readDeadlineMs: 1_000 };
  host = createSysfsHost({ clock: systemClock, root, dev, marksDir, udevadm: null, limits });
});

afterAll(async () => {
  await host.close();
  tree.remove();
});

function uuidOf(n: number): Uuid {
  return `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
}

/** A device with two attributes that can be read. */
function device(): { readonly uuid: Uuid; readonly folder: string } {
  made += 1;
  const uuid = uuidOf(made);
  const folder = tree.device(uuid, PLACE);
  mkdirSync(join(folder, 'vendor'));
  writeFileSync(join(folder, 'level'), '5\n');
  writeFileSync(join(folder, 'vendor/label'), 'x');
  return { uuid, folder };
}

async function read(uuid: Uuid, attributes: readonly string[], place = PLACE) {
  const seen = await host.observe(uuid, { place, use: false, attributes });
  return seen.kind === 'present' ? seen.attributes : seen.kind;
}

/** The first helper may take longer to start than a read may last. */
async function isUp(): Promise<void> {
  const { uuid } = device();
  await until('a helper reads', async () => (await read(uuid, NAMES)).length === NAMES.length);
}

test('all that can be read is, and only what was asked for', SOON, async () => {
  await isUp();
  const { uuid, folder } = device();
  mkdirSync(join(folder, 'folder'));
  symlinkSync('..', join(folder, 'up'));
  symlinkSync('level', join(folder, 'other'));
  expect(await read(uuid, ['no_such', 'folder', 'up/level', 'other', ...NAMES])).toEqual(BOTH);
  expect(await read(uuid, ['level'])).toEqual(BOTH.slice(0, 1));
  expect(await read(uuid, [])).toEqual([]);
});

test('an attribute of more than a page is read up to that', SOON, async () => {
  await isUp();
  const { uuid, folder } = device();
  writeFileSync(join(folder, 'level'), 'x'.repeat(5000));
  expect(await read(uuid, ['level'])).toEqual([{ name: 'level', value: 'x'.repeat(4096) }]);
});

test(
  'while one hangs nothing is told of its device, and the others are read; afterwards it is, too',
  SOON,
  async () => {
    await isUp();
    const [stuck, other] = [device(), device()];
    const pipe = join(stuck.folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    expect(await read(stuck.uuid, ['level', 'pipe'])).toEqual([]);
    expect(await read(stuck.uuid, ['level'])).toEqual([]);
    expect(await read(other.uuid, NAMES)).toEqual(BOTH);
    await (await open(pipe, 'r+')).close();
    await until('it has returned', async () => (await read(stuck.uuid, ['level'])).length === 1);
  },
);

/** A pool whose reads hang until they are told to return. */
class HangingPool implements WriterPool {
  readonly #hanging = new Set<Uuid | null>();
  asked = 0;

  async run(_task: Task, uuid: Uuid | null): Promise<Ran> {
    this.asked += 1;
    this.#hanging.add(uuid);
    return { kind: 'stuck', afterMs: 1 };
  }

  writing(uuid: Uuid): number | undefined {
    return this.#hanging.has(uuid) ? 1 : undefined;
  }

  release(uuid: Uuid): void {
    this.#hanging.delete(uuid);
  }

  async close(): Promise<void> {}
}

test('with many that hang no more are begun, until one returns', async () => {
  const pool = new HangingPool();
  const common = {
    clock: systemClock,
    marksDir: '/nowhere',
    proc: '/proc',
    deadlineMs: 1,
    spinMs: 1,
    idleMs: 1,
  };
  const reader = new AttributeReader('/sys', common, () => pool);
  const uuids = Array.from({ length: 6 }, () => device().uuid);
  for (const uuid of uuids) expect(await reader.read(uuid, PLACE, NAMES)).toEqual([]);
  expect(pool.asked).toBe(4);
  const [first = ''] = uuids;
  pool.release(first);
  for (const uuid of uuids) await reader.read(uuid, PLACE, NAMES);
  expect(pool.asked).toBe(5);
});
