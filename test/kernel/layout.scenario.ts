/**
 * Where the kernel shows parents, types and devices, with what rights, and what it says when one comes or goes: facts
 * that the agent's reading and watching of sysfs is built on.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  closeSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  realpathSync,
  statSync,
  watch,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import {
  create,
  created,
  devicePath,
  ERRNO,
  ended,
  FOREVER_MS,
  groupPath,
  LIMITED,
  onBus,
  openErrno,
  P0,
  P1,
  P3,
  parentPath,
  read,
  remove,
  resetParents,
  setKnob,
  setRegistered,
  typeOf,
  typePath,
  until,
  uuid,
  write,
  writeErrno,
} from './mdev.ts';
import type { Scenario } from './scenario.ts';

const BUS = '/sys/bus/mdev';
const ID = uuid(1);
const OTHER = uuid(2);

function mode(path: string): string {
  return (statSync(path).mode & 0o777).toString(8);
}

/** Runs it as a user without any rights: the whole process is that user meanwhile. */
function asNobody<T>(act: () => T): T {
  process.seteuid?.(65534);
  try {
    return act();
  } finally {
    process.seteuid?.(0);
  }
}

/** A uevent as `udevadm monitor --property` prints it. */
type Uevent = Readonly<Record<string, string>>;

/** What the kernel announces while `act` runs, up to a mark that is set after it. */
async function announced(act: () => Promise<void>): Promise<readonly Uevent[]> {
  const monitor = spawn('/usr/bin/udevadm', ['monitor', '--kernel', '--property']);
  let text = '';
  monitor.stdout.setEncoding('utf8').on('data', (more: string) => {
    text += more;
  });
  const blocks = (): readonly Uevent[] => text.split('\n\n').slice(0, -1).map(properties);
  const mark = (action: string): boolean => {
    assert.equal(writeErrno(parentPath(P3, 'uevent'), action), 0);
    return blocks().some(({ DEVPATH, ACTION }) => basename(DEVPATH ?? '') === P3 && ACTION === action);
  };
  await until('the monitor to listen', () => mark('online'));
  await act();
  await until('all to be announced', () => mark('offline'));
  monitor.kill();
  return blocks().filter(({ DEVPATH }) => DEVPATH !== undefined && basename(DEVPATH) !== P3);
}

function properties(block: string): Uevent {
  const pairs = block.split('\n').map((line) => line.split('='));
  return Object.fromEntries(pairs.filter(([, value]) => value !== undefined));
}

/** Each event in brief: what happened to what. */
function brief(events: readonly Uevent[]): readonly string[] {
  return events.map(({ ACTION, SUBSYSTEM }) => `${ACTION} ${SUBSYSTEM}`);
}

export const scenario: Scenario = {
  module: import.meta.url,
  setUp: resetParents,
  cases: {
    'the class mdev_bus links to the directory of each parent': () => {
      for (const parent of [P0, LIMITED]) {
        assert.ok(lstatSync(`/sys/class/mdev_bus/${parent}`).isSymbolicLink());
        assert.equal(realpathSync(`/sys/class/mdev_bus/${parent}`), realpathSync(parentPath(parent)));
      }
    },
    'a type is named after driver and type, and may have no description': () => {
      assert.deepEqual(readdirSync(parentPath(P0, 'mdev_supported_types')).sort(), [
        'mdevfleet-a',
        'mdevfleet-b',
      ]);
      assert.equal(readFileSync(typePath(P0, 'a', 'device_api'), 'utf8'), 'vfio-pci\n');
      assert.equal(read(typePath(P0, 'b', 'description')), 'takes 2 of the pool');
      assert.equal(existsSync(typePath(LIMITED, 'c', 'description')), false);
    },
    'a type links to its devices, and a device to its type': async () => {
      await created(P0, 'a', ID);
      const link = typePath(P0, 'a', 'devices', ID);
      assert.equal(readlinkSync(link), `../../../${ID}`);
      assert.equal(realpathSync(link), realpathSync(devicePath(P0, ID)));
      assert.equal(readlinkSync(devicePath(P0, ID, 'mdev_type')), '../mdev_supported_types/mdevfleet-a');
      assert.deepEqual(readdirSync(typePath(P0, 'b', 'devices')), []);
    },
    'the bus links to a device, whose parent is the directory above': async () => {
      await created(P1, 'a', ID);
      assert.equal(basename(dirname(realpathSync(`${BUS}/devices/${ID}`))), P1);
    },
    'a device’s directory has driver, group and vfio device, none of which is a vendor attribute':
      async () => {
        await created(P0, 'a', ID);
        const own = [
          'driver',
          'iommu_group',
          'mdev_type',
          'power',
          'remove',
          'subsystem',
          'uevent',
          'vfio-dev',
        ];
        const vendors = ['assign', 'assigned', 'vendor'];
        assert.deepEqual(readdirSync(devicePath(P0, ID)).sort(), [...own, ...vendors].sort());
        const target = (name: string): string => realpathSync(devicePath(P0, ID, name));
        assert.equal(target('driver'), `${BUS}/drivers/mdevfleet_pool`);
        assert.equal(target('subsystem'), BUS);
        assert.match(target('iommu_group'), /\/iommu_groups\/\d+$/);
        assert.match(readdirSync(devicePath(P0, ID, 'vfio-dev')).join(' '), /^vfio\d+$/);
      },
    'vendor attributes are there only while a driver is bound': async () => {
      await created(P0, 'a', ID);
      assert.equal(await write(`${BUS}/drivers/mdevfleet_pool/unbind`, ID), 0);
      assert.deepEqual([existsSync(devicePath(P0, ID, 'vendor')), typeOf(P0, ID)], [false, 'mdevfleet-a']);
      assert.equal(await remove(P0, ID), 0);
    },
    'create and remove can only be written, the rest of a type only be read': async () => {
      await created(P0, 'a', ID);
      assert.equal(mode(devicePath(P0, ID, 'remove')), '200');
      assert.equal(mode(typePath(P0, 'a', 'create')), '200');
      for (const name of ['available_instances', 'device_api', 'name', 'description']) {
        assert.equal(mode(typePath(P0, 'a', name)), '444', name);
      }
    },
    'root cannot read create and remove: EACCES': async () => {
      await created(P0, 'a', ID);
      assert.equal(openErrno(typePath(P0, 'a', 'create'), constants.O_RDONLY), ERRNO.EACCES);
      assert.equal(openErrno(devicePath(P0, ID, 'remove'), constants.O_RDONLY), ERRNO.EACCES);
    },
    'anybody but root opens create and remove in vain: EACCES': async () => {
      await created(P0, 'a', ID);
      for (const path of [typePath(P0, 'a', 'create'), devicePath(P0, ID, 'remove')]) {
        assert.equal(
          asNobody(() => openErrno(path, constants.O_WRONLY)),
          ERRNO.EACCES,
          path,
        );
      }
    },
    'on a sysfs mounted read-only, create and remove are EROFS': async () => {
      await created(P0, 'a', ID);
      mkdirSync('/tmp/sys', { recursive: true });
      assert.equal(await ended('/guest/bin/mount', '-t', 'sysfs', '-o', 'ro', 'sys', '/tmp/sys'), 0);
      const readOnly = (path: string): string => join('/tmp', realpathSync(path));
      assert.equal(writeErrno(readOnly(typePath(P0, 'a', 'create')), OTHER), ERRNO.EROFS);
      assert.equal(writeErrno(readOnly(devicePath(P0, ID, 'remove')), '1'), ERRNO.EROFS);
      assert.equal(await ended('/guest/bin/umount', '/tmp/sys'), 0);
      assert.ok(onBus(ID));
    },
    'a group’s node is for root alone, that of all containers for everybody': async () => {
      await created(P0, 'a', ID);
      assert.equal(mode(groupPath(P0, ID)), '600');
      assert.equal(mode('/dev/vfio/vfio'), '666');
    },
    'a group’s number is given to the next device that is made': async () => {
      await created(P0, 'a', ID);
      const group = groupPath(P0, ID);
      assert.equal(await remove(P0, ID), 0);
      await created(P1, 'b', OTHER);
      assert.equal(groupPath(P1, OTHER), group);
    },
    'a file that is open when its device goes reads as ENODEV, and opens as ENOENT': async () => {
      await created(P0, 'a', ID);
      const path = devicePath(P0, ID, 'vendor/level');
      const file = openSync(path, constants.O_RDONLY);
      assert.equal(await remove(P0, ID), 0);
      const wanted = { errno: -ERRNO.ENODEV };
      assert.throws(() => readSync(file, Buffer.alloc(8)), wanted);
      closeSync(file);
      assert.equal(openErrno(path, constants.O_RDONLY), ERRNO.ENOENT);
    },
    'fs.watch says nothing of devices and parents that come and go': async () => {
      const seen: string[] = [];
      const folders = [`${BUS}/devices`, parentPath(P0), '/sys/class/mdev_bus', typePath(P0, 'a', 'devices')];
      const watchers = folders.map((folder) => watch(folder, (...event) => seen.push(event.join(' '))));
      const control = watch('/tmp', (_, name) => seen.push(String(name)));
      await created(P0, 'a', ID);
      assert.equal(await remove(P0, ID), 0);
      assert.equal(await setRegistered(P1, false), 0);
      mkdirSync('/tmp/control');
      await until('a watcher to say what it can see', () => seen.includes('control'));
      for (const watcher of [...watchers, control]) watcher.close();
      assert.deepEqual(
        seen.filter((name) => name !== 'control'),
        [],
      );
    },
    'uevents: a create adds the device, its vfio parts, and binds; a removal does the reverse': async () => {
      const events = await announced(async () => {
        await created(P0, 'a', ID);
        assert.equal(await remove(P0, ID), 0);
      });
      const there = events.findIndex(({ ACTION }) => ACTION === 'bind') + 1;
      const [made, unmade] = [brief(events.slice(0, there)), brief(events.slice(there))];
      assert.deepEqual(made, ['add mdev', 'add vfio', 'add vfio-dev', 'bind mdev']);
      assert.deepEqual(unmade, ['remove vfio-dev', 'remove vfio', 'unbind mdev', 'remove mdev']);
    },
    'uevents: the path of an event names the device and its parent': async () => {
      const events = await announced(() => created(P0, 'a', ID));
      const [path = ''] = events.map(({ DEVPATH }) => DEVPATH);
      assert.deepEqual([basename(path), basename(dirname(path))], [ID, P0]);
    },
    'uevents: a create that fails adds the device and removes it again': async () => {
      setKnob(P0, 'probe_errno', ERRNO.EIO);
      const events = await announced(async () => assert.equal(await create(P0, 'a', ID), ERRNO.EIO));
      assert.deepEqual(brief(events), ['add mdev', 'remove mdev']);
    },
    'uevents: a device is announced before its create has ended': async () => {
      setKnob(P0, 'probe_delay_ms', FOREVER_MS);
      let answer: Promise<number> = Promise.resolve(-1);
      const events = await announced(async () => {
        answer = create(P0, 'a', ID);
        await until('the device on the bus', () => onBus(ID));
      });
      assert.deepEqual([brief(events), typeOf(P0, ID)], [['add mdev'], null]);
      setKnob(P0, 'probe_delay_ms', 0);
      assert.equal(await answer, 0);
    },
    'uevents: a parent that registers or unregisters says so': async () => {
      const events = await announced(async () => {
        assert.equal(await setRegistered(P0, false), 0);
        assert.equal(await setRegistered(P0, true), 0);
      });
      assert.deepEqual(
        events.map(({ ACTION, DEVPATH, MDEV_STATE }) => [ACTION, basename(DEVPATH ?? ''), MDEV_STATE]),
        [
          ['change', P0, 'unregistered'],
          ['change', P0, 'registered'],
        ],
      );
    },
  },
};
