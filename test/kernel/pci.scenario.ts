/**
 * Parents on the PCI bus, which come and go by other ways than a driver's own: bound and unbound, taken out of the
 * machine and found again. A new binding starts with no devices, the knobs at rest, and counters at 0.
 */
import assert from 'node:assert/strict';
import { existsSync, realpathSync } from 'node:fs';
import {
  available,
  calls,
  create,
  created,
  devicePath,
  ERRNO,
  ended,
  FOREVER_MS,
  hold,
  LIMITED,
  onBus,
  P0,
  parentPath,
  pciParent,
  read,
  remove,
  resetParents,
  setKnob,
  typeOf,
  typePath,
  underParent,
  until,
  uuid,
  write,
} from './mdev.ts';
import type { Scenario } from './scenario.ts';

const PCI = pciParent(0);
const OTHER_PCI = pciParent(1);
const DRIVER = '/sys/bus/pci/drivers/mdevfleet';
const ID = uuid(1);
const OTHER = uuid(2);

function isParent(parent: string): boolean {
  return existsSync(`/sys/class/mdev_bus/${parent}`);
}

/** Takes the device out of the machine, as far as sysfs goes. */
function hotRemove(parent: string): Promise<number> {
  return write(parentPath(parent, 'remove'), '1');
}

function rescan(): Promise<number> {
  return write('/sys/bus/pci/rescan', '1');
}

function unbind(parent: string): Promise<number> {
  return write(`${DRIVER}/unbind`, parent);
}

function bind(parent: string): Promise<number> {
  return write(`${DRIVER}/bind`, parent);
}

export const scenario: Scenario = {
  module: import.meta.url,
  setUp: async () => {
    await resetParents();
    for (const parent of [PCI, OTHER_PCI]) {
      if (!existsSync(parentPath(parent))) assert.equal(await rescan(), 0);
      if (isParent(parent)) assert.equal(await unbind(parent), 0);
      assert.equal(await bind(parent), 0);
    }
  },
  cases: {
    'a PCI device is a parent like any other': async () => {
      assert.deepEqual([available(PCI, 'a'), available(PCI, 'b')], [8, 4]);
      await created(PCI, 'a', ID);
      assert.equal(typeOf(PCI, ID), 'mdevfleet-a');
      assert.equal(realpathSync(`/sys/bus/mdev/devices/${ID}`), realpathSync(devicePath(PCI, ID)));
      assert.equal(await write(devicePath(PCI, ID, 'vendor/label'), 'on PCI'), 0);
      assert.equal(read(devicePath(PCI, ID, 'vendor/label')), 'on PCI');
      assert.deepEqual([available(PCI, 'a'), available(OTHER_PCI, 'a')], [7, 8]);
      for (const parent of [OTHER_PCI, P0]) assert.equal(await create(parent, 'a', ID), ERRNO.EEXIST);
      assert.equal(await remove(PCI, ID), 0);
      assert.deepEqual([onBus(ID), underParent(PCI, ID), calls(PCI).removes], [false, false, 1]);
    },
    'unbinding a parent destroys its devices, and binding it brings back its types alone': async () => {
      await created(PCI, 'a', ID);
      await created(OTHER_PCI, 'a', OTHER);
      assert.equal(await unbind(PCI), 0);
      assert.deepEqual([isParent(PCI), onBus(ID), existsSync(typePath(PCI, 'a'))], [false, false, false]);
      assert.ok(existsSync(parentPath(PCI)), 'the PCI device itself is still there');
      assert.equal(await create(PCI, 'a', ID), ERRNO.ENOENT);
      assert.equal(await bind(PCI), 0);
      assert.deepEqual([isParent(PCI), onBus(ID), available(PCI, 'a')], [true, false, 8]);
      assert.equal(typeOf(OTHER_PCI, OTHER), 'mdevfleet-a', 'the other parent has nothing to do with it');
      await created(PCI, 'a', ID);
    },
    'a parent taken out of the machine takes its devices along; a rescan finds it, without them':
      async () => {
        await created(PCI, 'a', ID);
        assert.equal(await hotRemove(PCI), 0);
        assert.deepEqual([existsSync(parentPath(PCI)), isParent(PCI), onBus(ID)], [false, false, false]);
        assert.equal(await create(PCI, 'a', ID), ERRNO.ENOENT);
        await created(OTHER_PCI, 'a', ID);
        assert.equal(await rescan(), 0);
        assert.deepEqual([isParent(PCI), available(PCI, 'a')], [true, 8]);
        assert.equal(await create(PCI, 'a', ID), ERRNO.EEXIST);
      },
    'unbinding a parent with a device in use blocks, and creates and removes there are ENODEV': async () => {
      await created(PCI, 'a', ID);
      await created(PCI, 'a', OTHER);
      const vm = await hold(PCI, ID);
      const answers: number[] = [];
      const unbound = unbind(PCI).then((errno) => answers.push(errno));
      await until('the unbinding to reach the device', () => calls(PCI).removes === 1);
      assert.deepEqual([answers, isParent(PCI), onBus(ID), underParent(PCI, ID)], [[], false, false, true]);
      assert.equal(await create(PCI, 'a', uuid(3)), ERRNO.ENODEV);
      assert.equal(await remove(PCI, OTHER), ERRNO.ENODEV);
      assert.equal(await create(PCI, 'a', ID), ERRNO.EEXIST, 'its UUID is still taken');
      await vm.release();
      await unbound;
      assert.deepEqual([answers, underParent(PCI, ID), underParent(PCI, OTHER)], [[0], false, false]);
    },
    'a parent that is unbound while a removal takes its time is gone when the removal is': async () => {
      await created(PCI, 'a', ID);
      setKnob(PCI, 'remove_delay_ms', FOREVER_MS);
      const removed = remove(PCI, ID);
      await until('the removal to reach the driver', () => calls(PCI).removes === 1);
      const unbound = unbind(PCI);
      setKnob(PCI, 'remove_delay_ms', 0);
      assert.deepEqual(await Promise.all([removed, unbound]), [0, 0]);
      assert.deepEqual([isParent(PCI), underParent(PCI, ID)], [false, false]);
    },
    'unloading the driver destroys the devices of all its parents, in silence': async () => {
      await created(PCI, 'a', ID);
      await created(P0, 'a', OTHER);
      assert.equal(await ended('/usr/sbin/rmmod', 'mdevfleet_test'), 0);
      assert.deepEqual([isParent(PCI), isParent(P0), onBus(ID), onBus(OTHER)], [false, false, false, false]);
      assert.equal(await ended('/guest/bin/insmod', '/guest/modules/mdevfleet_test.ko'), 0);
      assert.deepEqual([available(PCI, 'a'), available(P0, 'a'), available(LIMITED, 'c')], [8, 8, 2]);
    },
  },
};
