/**
 * Changes as they are noticed on a real kernel: by the true udevadm, in a machine without udevd; by polling where there
 * is none; and by the periodic pass where neither has noticed. Unless a case says otherwise nothing is polled, so what
 * comes about has come about by uevents.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Host } from '../../reconciler/host.ts';
import { GuestLoop, openHost, udevadms } from './guest-loop.ts';
import {
  create,
  created,
  ended,
  hold,
  onBus,
  P0,
  P1,
  parentPath,
  pciParent,
  remove,
  resetParents,
  setRegistered,
  typeOf,
  underParent,
  until,
  uuid,
  write,
} from './mdev.ts';
import type { Scenario } from './scenario.ts';

const TYPE = 'mdevfleet-a';
const PCI = pciParent(0);
const THREE = [uuid(1), uuid(2), uuid(3)] as const;
const OTHER = uuid(4);
/** The pass that makes it, and one for each of the two uevents of a create. */
const PASSES_MAX = 3;
/** More than the socket of somebody without privileges has room for. */
const FLOOD = 1_000;

let host: Host | undefined;

/** One for all cases, since its helpers take long to start. */
function hearing(): Host {
  host ??= openHost();
  return host;
}

let other: { readonly program: string; readonly host: Host } | undefined;

/** One whose udevadm is what the case puts into its place, and which polls. */
function limited(): NonNullable<typeof other> {
  if (other !== undefined) return other;
  const program = join(mkdtempSync(join(tmpdir(), 'udevadm-')), 'udevadm');
  const limits = { pollMs: 50, pollBesideUeventsMs: 500 };
  other = { program, host: openHost({ udevadm: program, limits }) };
  return other;
}

/** A loop that hears uevents. */
async function loopOn(on: Host, limits = {}): Promise<GuestLoop> {
  const loop = GuestLoop.start(on, limits);
  await loop.heard(1);
  return loop;
}

/** Three devices on one parent and one on another, all ready. */
async function threeAndOne(loop: GuestLoop, parent: string): Promise<void> {
  await loop.ready({ parent, type: TYPE }, ...THREE);
  await loop.ready({ parent: P1, type: TYPE }, OTHER);
}

async function goneWithParent(loop: GuestLoop): Promise<void> {
  for (const id of THREE) await loop.until('waiting ParentAbsent', id);
}

/** All three are back, and what they were gone for is on record once; the other one never knew. */
async function expectBack(loop: GuestLoop, parent: string): Promise<void> {
  for (const id of THREE) {
    await loop.returned(id, 'ParentGone');
    assert.equal(typeOf(parent, id), TYPE);
  }
  assert.deepEqual([loop.drifts(OTHER), typeOf(P1, OTHER)], [[], TYPE]);
}

/** Takes three devices away with their parent, and brings it back. */
async function away(parent: string, go: () => Promise<unknown>, come: () => Promise<unknown>): Promise<void> {
  const loop = await loopOn(hearing());
  await threeAndOne(loop, parent);
  await go();
  await goneWithParent(loop);
  await come();
  await expectBack(loop, parent);
  await loop.stop();
}

export const scenario: Scenario = {
  module: import.meta.url,
  setUp: async () => {
    await resetParents();
    for (const id of THREE) if (underParent(PCI, id)) assert.equal(await remove(PCI, id), 0);
  },
  cases: {
    'without udevd, uevents tell of devices and parents that come and go, and nothing else does':
      async () => {
        assert.equal(existsSync('/run/udev/control'), false);
        const loop = await loopOn(hearing());
        const [id] = THREE;
        for (const act of [() => create(P0, 'a', id), () => remove(P0, id)]) {
          loop.changes.length = 0;
          assert.equal(await act(), 0);
          await until('the device to be told', () => loop.changes.length >= 2);
          assert.deepEqual(new Set(loop.changes.map((one) => JSON.stringify(one))).size, 1);
          assert.deepEqual(loop.changes[0], { kind: 'device', uuid: id });
        }
        for (const registered of [false, true]) {
          loop.changes.length = 0;
          assert.equal(await setRegistered(P0, registered), 0);
          await until('the parent to be told', () => loop.changes.length > 0);
          assert.deepEqual(loop.changes, [{ kind: 'parent', parent: P0 }]);
        }
        await loop.stop();
        assert.deepEqual(udevadms(), []);
      },
    'what the agent writes is heard by it too, and comes to rest': async () => {
      const loop = await loopOn(hearing());
      await loop.ready({ parent: P0, type: TYPE }, ...THREE);
      await loop.quiet();
      for (const id of THREE) {
        const passes = loop.passes.filter((one) => one === id).length;
        assert.ok(passes <= PASSES_MAX, `${passes} passes for one declared device`);
      }
      await loop.stop();
    },
    'a device that is removed behind our back is made again, and no other has a pass for that': async () => {
      const loop = await loopOn(hearing());
      await threeAndOne(loop, P0);
      await loop.quiet();
      loop.passes.length = 0;
      assert.equal(await remove(P0, THREE[0]), 0);
      await loop.returned(THREE[0], 'Removed');
      await loop.quiet();
      assert.deepEqual([[...new Set(loop.passes)], loop.foundByResync], [[THREE[0]], []]);
      await loop.stop();
    },
    'killed, udevadm is started again, and what happened meanwhile is found': async () => {
      const loop = await loopOn(hearing());
      await loop.ready({ parent: P0, type: TYPE }, ...THREE);
      const [pid = 0, ...more] = udevadms();
      assert.deepEqual(more, []);
      process.kill(pid, 'SIGKILL');
      await until('udevadm to be gone', () => !udevadms().includes(pid));
      for (const id of THREE) assert.equal(await remove(P0, id), 0);
      await loop.heard(2);
      for (const id of THREE) await loop.returned(id, 'Removed');
      loop.changes.length = 0;
      await created(P1, 'a', OTHER);
      await until('the next device to be told', () => loop.changes.length > 0);
      await loop.stop();
      assert.deepEqual(udevadms(), []);
    },
    'when the kernel had to drop uevents, everything is looked at': async () => {
      const { program, host: overrun } = limited();
      // Without this privilege it gets the room for events that anybody gets.
      const script = '#!/bin/sh\nexec setpriv --bounding-set=-net_admin udevadm "$@"\n';
      writeFileSync(program, script, { mode: 0o755 });
      const loop = await loopOn(overrun);
      const [pid = 0] = udevadms();
      process.kill(pid, 'SIGSTOP');
      for (let count = 0; count < FLOOD; count += 1) writeFileSync('/sys/class/mem/null/uevent', 'change');
      await loop.heard(2);
      process.kill(pid, 'SIGCONT');
      await loop.stop();
    },
    'without udevadm, polling notices the same': async () => {
      const { program, host: polling } = limited();
      rmSync(program, { force: true });
      const loop = GuestLoop.start(polling);
      await threeAndOne(loop, P0);
      assert.equal(await setRegistered(P0, false), 0);
      await goneWithParent(loop);
      assert.equal(await setRegistered(P0, true), 0);
      await expectBack(loop, P0);
      assert.deepEqual(loop.foundByResync, []);
      await loop.stop();
    },
    'where nothing notices, the periodic pass does, and counts it': async () => {
      const blind = openHost({ udevadm: null });
      const loop = GuestLoop.start(blind, { resyncMs: 2_000 });
      await loop.ready({ parent: P0, type: TYPE }, OTHER);
      assert.equal(await remove(P0, OTHER), 0);
      await loop.returned(OTHER, 'Removed');
      await until('that to be counted', () => loop.foundByResync.length > 0);
      assert.deepEqual(loop.foundByResync, [OTHER]);
      await loop.stop();
      await blind.close();
    },
    'a parent that is unregistered takes its devices along, and brings them back': () =>
      away(
        P0,
        () => setRegistered(P0, false),
        () => setRegistered(P0, true),
      ),
    'also when it is back before anybody can look': async () => {
      const loop = await loopOn(hearing());
      await threeAndOne(loop, P0);
      for (const registered of ['0', '1']) writeFileSync(parentPath(P0, 'registered'), registered);
      await expectBack(loop, P0);
      await loop.stop();
    },
    'also while one of the devices is in use, which keeps the parent from going': async () => {
      const loop = await loopOn(hearing());
      await threeAndOne(loop, P0);
      const vm = await hold(P0, THREE[0]);
      const gone = setRegistered(P0, false);
      await until('the parent to go', () => !onBus(THREE[0]));
      await vm.release();
      assert.equal(await gone, 0);
      await goneWithParent(loop);
      assert.equal(await setRegistered(P0, true), 0);
      await expectBack(loop, P0);
      await loop.stop();
    },
    'a driver that is unloaded and loaded does so with all its parents': async () => {
      const loop = await loopOn(hearing());
      await loop.ready({ parent: P0, type: TYPE }, ...THREE);
      assert.equal(await ended('/usr/sbin/rmmod', 'mdevfleet_test'), 0);
      await goneWithParent(loop);
      assert.equal(await ended('/guest/bin/insmod', '/guest/modules/mdevfleet_test.ko'), 0);
      for (const id of THREE) await loop.returned(id, 'ParentGone');
      await loop.stop();
    },
    'a PCI parent that is taken out of the machine and found again does so, too': () =>
      away(
        PCI,
        () => write(parentPath(PCI, 'remove'), '1'),
        async () => {
          assert.equal(await write('/sys/bus/pci/rescan', '1'), 0);
          if (!existsSync(`/sys/class/mdev_bus/${PCI}`))
            await write('/sys/bus/pci/drivers/mdevfleet/bind', PCI);
        },
      ),
  },
};
