/**
 * Changes of names below a folder that looks like /sys, with a program of the test in the place of udevadm.
 */
import { unlinkSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Change } from '../../../reconciler/host.ts';
import { watch } from '../../../reconciler/sysfs/watch.ts';
import { ManualClock } from '../../manual-clock.ts';
import { FakeUdevadm, LISTENS } from './fake-udevadm.ts';
import { SysfsTree } from './host-sysfs-tree.ts';
import { deviceEvent, PARENT, parentEvent, UUID } from './uevent-text.ts';

const SOON = { timeout: 20_000 };
const POLL_MS = 1_000;
const SLOW_MS = 10_000;
const PLACE = { parent: PARENT, type: 'mtty-1' };
const DEVICE: Change = { kind: 'device', uuid: UUID };
const PARENT_CHANGE: Change = { kind: 'parent', parent: PARENT };
const UNKNOWN: Change = { kind: 'unknown' };

let tree: SysfsTree;
let udevadm: FakeUdevadm;
let clock: ManualClock;
let told: Change[];
let end: () => void;

function begin(program: string | null): void {
  end = watch({
    clock,
    limits: { pollMs: POLL_MS, pollBesideUeventsMs: SLOW_MS },
    root: tree.root,
    proc: '/nowhere',
    udevadm: program,
    warn: () => undefined,
    listener: (change) => told.push(change),
  });
}

async function beginHearing(): Promise<void> {
  begin(udevadm.program);
  await expect.poll(() => told, SOON).toEqual([UNKNOWN]);
  told.length = 0;
}

beforeEach(() => {
  tree = new SysfsTree();
  udevadm = new FakeUdevadm(LISTENS);
  clock = new ManualClock();
  told = [];
});

afterEach(() => {
  end();
  tree.remove();
  udevadm.remove();
});

describe.each([
  ['without udevadm', null],
  ['with one that is not there', '/no/such/udevadm'],
])('%s', (_what, program) => {
  test('devices and parents that come and go are found by each look, once', async () => {
    begin(program);
    tree.parent(PARENT, { 'mtty-1': 24 });
    tree.device(UUID, PLACE);
    await clock.advance(POLL_MS - 1);
    expect(told).toEqual([]);
    await clock.advance(1);
    expect(told).toEqual([DEVICE, PARENT_CHANGE]);
    await clock.advance(10 * POLL_MS);
    expect(told).toHaveLength(2);
    tree.unlist(PARENT);
    unlinkSync(tree.bus(UUID));
    await clock.advance(POLL_MS);
    expect(told.slice(2)).toEqual([DEVICE, PARENT_CHANGE]);
  });

  test('what could not be read may have changed in any way', async () => {
    begin(program);
    tree.hide();
    await clock.advance(POLL_MS);
    tree.show();
    tree.device(UUID, PLACE);
    await clock.advance(POLL_MS);
    expect(told).toEqual([DEVICE]);
    end();
    told.length = 0;
    tree.hide();
    begin(program);
    tree.show();
    await clock.advance(POLL_MS);
    expect(told).toEqual([UNKNOWN]);
  });
});

describe('with uevents', () => {
  test('what is heard is told at once, and by no look again', async () => {
    await beginHearing();
    tree.parent(PARENT, { 'mtty-1': 24 });
    tree.device(UUID, PLACE);
    udevadm.say(deviceEvent(UUID, 'add') + parentEvent(PARENT, 'registered'));
    await expect.poll(() => told, SOON).toEqual([DEVICE, PARENT_CHANGE]);
    await clock.advance(10 * SLOW_MS);
    expect(told).toHaveLength(2);
  });

  test('what was not heard is found by a look, which comes less often', async () => {
    await beginHearing();
    tree.device(UUID, PLACE);
    await clock.advance(SLOW_MS - 1);
    expect(told).toEqual([]);
    await clock.advance(1);
    expect(told).toEqual([DEVICE]);
  });

  test('what changed once more after it was heard is found by a look', async () => {
    await beginHearing();
    tree.device(UUID, PLACE);
    udevadm.say(deviceEvent(UUID, 'add'));
    await expect.poll(() => told, SOON).toEqual([DEVICE]);
    unlinkSync(tree.bus(UUID));
    await clock.advance(SLOW_MS);
    expect(told).toEqual([DEVICE, DEVICE]);
  });

  test('looks come often while it is down, and seldom when it is back', async () => {
    await beginHearing();
    expect(clock.pendingMs).toEqual([SLOW_MS]);
    process.kill(udevadm.pid, 'SIGKILL');
    await expect.poll(() => clock.pendingMs, SOON).toEqual([500, POLL_MS]);
    tree.device(UUID, PLACE);
    await clock.advance(500);
    await expect.poll(() => told, SOON).toEqual([UNKNOWN]);
    expect(clock.pendingMs).toEqual([500 + SLOW_MS]);
    // Everything is looked at anyway.
    await clock.advance(SLOW_MS);
    expect(told).toEqual([UNKNOWN]);
  });

  test('nothing is told or waited for after the end', async () => {
    await beginHearing();
    end();
    tree.device(UUID, PLACE);
    await clock.advance(10 * SLOW_MS);
    expect([told, clock.pendingMs]).toEqual([[], []]);
  });
});
