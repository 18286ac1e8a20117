/**
 * What the kernel answers to writes, and the races that it has: the facts that the agent is built on, each produced on
 * the test driver. Should one stop to hold on a newer kernel, it is seen here first.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { closeSync, constants, existsSync, openSync, readFileSync, writeSync } from 'node:fs';
import {
  available,
  calls,
  create,
  created,
  devicePath,
  ERRNO,
  errnoOf,
  groupPath,
  hold,
  onBus,
  read,
  remove,
  resetParents,
  setCapacity,
  setKnob,
  setRegistered,
  typeOf,
  typePath,
  underParent,
  until,
  uuid,
  write,
} from './mdev.ts';
import type { Scenario } from './scenario.ts';

const [P0, P1, P2, P3, LIMITED] = [
  'mdevfleet-0',
  'mdevfleet-1',
  'mdevfleet-2',
  'mdevfleet-3',
  'mdevfleet-limited-0',
] as const;
const ID = uuid(1);
const OTHER = uuid(2);
/** A delay that lasts until the test ends it by setting it to 0. */
const UNTIL_RELEASED_MS = 60_000;

/** An open that fails, as a number. */
function openErrno(path: string, flags: number): number {
  try {
    closeSync(openSync(path, flags));
    return 0;
  } catch (error) {
    return errnoOf(error);
  }
}

/** Begins a create that stays under way, on the bus and not finished, until the function it returns is called. */
async function beginCreate(knob: 'probe_delay_ms' | 'late_delay_ms'): Promise<() => Promise<number>> {
  setKnob(P0, knob, UNTIL_RELEASED_MS);
  const answer = create(P0, 'a', ID);
  await until('the device on the bus', () => onBus(ID));
  return () => {
    setKnob(P0, knob, 0);
    return answer;
  };
}

export const scenario: Scenario = {
  module: import.meta.url,
  setUp: resetParents,
  cases: {
    'a parent offers its types': () => {
      assert.equal(read(typePath(P0, 'a', 'device_api')), 'vfio-pci');
      assert.equal(read(typePath(P0, 'b', 'name')), 'b');
      assert.deepEqual([available(P0, 'a'), available(P0, 'b'), available(LIMITED, 'c')], [8, 4, 2]);
    },
    'create makes a device with a type, a group and a node in /dev/vfio': async () => {
      await created(P0, 'a', ID);
      assert.ok(onBus(ID));
      assert.equal(typeOf(P0, ID), 'mdevfleet-a');
      assert.ok(existsSync(groupPath(P0, ID)));
    },
    'create takes a UUID in upper case, and the device is in lower case': async () => {
      const id = 'abcdef00-0000-4000-8000-00000000abcd';
      await created(P0, 'a', id.toUpperCase());
      assert.ok(onBus(id));
    },
    'create takes any 37th byte': async () => {
      await created(P0, 'a', `${ID}\n`);
      await created(P0, 'a', `${OTHER}x`);
    },
    'create answers EINVAL to what is no UUID': async () => {
      const wrong = [ID.slice(1), `${ID}xx`, `{${ID}}`, ` ${ID}`, ID.replace('0', 'g'), 'x'];
      for (const text of wrong) assert.equal(await create(P0, 'a', text), ERRNO.EINVAL, text);
    },
    'a UUID is taken on the whole host: EEXIST for the same type, another type and another parent':
      async () => {
        await created(P0, 'a', ID);
        const before = [calls(P0), calls(P1)];
        assert.equal(await create(P0, 'a', ID), ERRNO.EEXIST);
        assert.equal(await create(P0, 'b', ID), ERRNO.EEXIST);
        assert.equal(await create(P1, 'a', ID), ERRNO.EEXIST);
        assert.deepEqual([calls(P0), calls(P1)], before);
        assert.equal(typeOf(P0, ID), 'mdevfleet-a');
      },
    'EEXIST comes before the capacity is looked at': async () => {
      await created(LIMITED, 'c', ID);
      await created(LIMITED, 'c', OTHER);
      assert.equal(await create(LIMITED, 'c', ID), ERRNO.EEXIST);
    },
    'the driver’s exhausted pool is ENOSPC, and nothing is left behind': async () => {
      setCapacity(P0, 1);
      await created(P0, 'a', ID);
      assert.equal(await create(P0, 'a', OTHER), ERRNO.ENOSPC);
      assert.deepEqual([onBus(OTHER), underParent(P0, OTHER)], [false, false]);
      await created(P1, 'a', OTHER);
    },
    'the types of a parent share its capacity': async () => {
      await created(P0, 'a', ID);
      assert.deepEqual([available(P0, 'a'), available(P0, 'b')], [7, 3]);
      await created(P0, 'b', OTHER);
      assert.deepEqual([available(P0, 'a'), available(P0, 'b')], [5, 2]);
      assert.equal(await remove(P0, ID), 0);
      assert.deepEqual([available(P0, 'a'), available(P0, 'b')], [6, 3]);
    },
    'the core’s own limit is EUSERS, which Node has no name for': async () => {
      await created(LIMITED, 'c', ID);
      await created(LIMITED, 'c', OTHER);
      assert.equal(await create(LIMITED, 'c', uuid(3)), ERRNO.EUSERS);
      const file = openSync(typePath(LIMITED, 'c', 'create'), constants.O_WRONLY);
      try {
        assert.throws(
          () => writeSync(file, uuid(3)),
          (error: NodeJS.ErrnoException) => error.errno === -ERRNO.EUSERS && error.code !== 'EUSERS',
        );
      } finally {
        closeSync(file);
      }
    },
    'a probe’s errno reaches the writer, and nothing is left behind': async () => {
      for (const errno of [ERRNO.EIO, ERRNO.EPERM, ERRNO.EBUSY]) {
        setKnob(P0, 'probe_errno', errno);
        assert.equal(await create(P0, 'a', ID), errno);
        assert.deepEqual([onBus(ID), underParent(P0, ID), available(P0, 'a')], [false, false, 8]);
      }
    },
    'a deferred probe is EAGAIN': async () => {
      setKnob(P0, 'probe_errno', ERRNO.EPROBE_DEFER);
      assert.equal(await create(P0, 'a', ID), ERRNO.EAGAIN);
      assert.equal(underParent(P0, ID), false);
    },
    'a driver can fail every third time': async () => {
      await created(P0, 'a', uuid(10));
      const phase = calls(P0).probes % 3;
      setKnob(P0, 'fail_every', 3);
      setKnob(P0, 'probe_errno', ERRNO.EIO);
      const answers: number[] = [];
      for (const index of [11, 12, 13]) answers.push(await create(P0, 'a', uuid(index)));
      assert.deepEqual(
        answers,
        [1, 2, 3].map((nth) => ((phase + nth) % 3 === 0 ? ERRNO.EIO : 0)),
      );
    },
    'bus and parent show a device before its create has ended; mdev_type comes last': async () => {
      const finish = await beginCreate('late_delay_ms');
      assert.deepEqual([underParent(P0, ID), typeOf(P0, ID)], [true, null]);
      assert.equal(await finish(), 0);
      assert.equal(typeOf(P0, ID), 'mdevfleet-a');
    },
    'a UUID whose create is under way is taken': async () => {
      const finish = await beginCreate('probe_delay_ms');
      assert.equal(await create(P1, 'a', ID), ERRNO.EEXIST);
      assert.equal(await finish(), 0);
    },
    'remove during a create is EAGAIN and leaves a device that only unregistering its parent clears':
      async () => {
        const finish = await beginCreate('probe_delay_ms');
        assert.equal(await remove(P0, ID), ERRNO.EAGAIN);
        assert.equal(await finish(), 0);
        assert.equal(typeOf(P0, ID), 'mdevfleet-a');
        assert.equal(await remove(P0, ID), ERRNO.ENOENT);
        assert.equal(await setRegistered(P0, false), 0);
        assert.deepEqual([onBus(ID), underParent(P0, ID)], [false, false]);
        await created(P1, 'a', ID);
      },
    'of creates of one UUID on four parents one wins, and the others get EEXIST': async () => {
      for (let round = 0; round < 20; round++) {
        const answers = await Promise.all([P0, P1, P2, P3].map((parent) => create(parent, 'a', ID)));
        assert.deepEqual([...answers].sort(), [0, ERRNO.EEXIST, ERRNO.EEXIST, ERRNO.EEXIST]);
        const winner = [P0, P1, P2, P3][answers.indexOf(0)] ?? P0;
        assert.equal(await remove(winner, ID), 0);
      }
    },
    'creates on one parent run side by side': async () => {
      setKnob(P0, 'probe_delay_ms', UNTIL_RELEASED_MS);
      const { probes } = calls(P0);
      let ended = 0;
      const all = [1, 2, 3].map(async (index) => {
        await created(P0, 'a', uuid(index));
        ended += 1;
      });
      await until('three probes', () => calls(P0).probes === probes + 3);
      assert.equal(ended, 0);
      setKnob(P0, 'probe_delay_ms', 0);
      await Promise.all(all);
    },
    'a create goes on when its writer is killed': async () => {
      setKnob(P0, 'probe_delay_ms', UNTIL_RELEASED_MS);
      const writer = spawn('/guest/bin/sh', ['-c', `echo ${ID} >${typePath(P0, 'a', 'create')}`]);
      await until('the device on the bus', () => onBus(ID));
      writer.kill('SIGKILL');
      setKnob(P0, 'probe_delay_ms', 0);
      await until('the end of the create', () => typeOf(P0, ID) === 'mdevfleet-a');
    },
    'remove: any number but 0 removes, 0 does nothing, anything else is EINVAL': async () => {
      await created(P0, 'a', ID);
      const file = devicePath(P0, ID, 'remove');
      for (const text of ['x', '-1']) assert.equal(await write(file, text), ERRNO.EINVAL, text);
      assert.equal(await write(file, '0'), 0);
      assert.ok(onBus(ID));
      assert.equal(await write(file, '0x2'), 0);
      assert.deepEqual([onBus(ID), underParent(P0, ID)], [false, false]);
      assert.equal(await remove(P0, ID), ERRNO.ENOENT);
    },
    'remove through a file of a device that is gone is ENODEV, though its UUID is back': async () => {
      await created(P0, 'a', ID);
      const file = openSync(devicePath(P0, ID, 'remove'), constants.O_WRONLY);
      assert.equal(await remove(P0, ID), 0);
      await created(P0, 'a', ID);
      assert.throws(
        () => writeSync(file, '1'),
        (error) => errnoOf(error) === ERRNO.ENODEV,
      );
      closeSync(file);
      assert.ok(onBus(ID));
    },
    'while a removal takes its time the bus says gone, but directory, UUID and capacity are still taken':
      async () => {
        await created(P0, 'a', ID);
        setKnob(P0, 'remove_delay_ms', UNTIL_RELEASED_MS);
        const removed = remove(P0, ID);
        await until('the device off the bus', () => !onBus(ID));
        assert.ok(underParent(P0, ID));
        assert.equal(await create(P1, 'a', ID), ERRNO.EEXIST);
        assert.equal(available(P0, 'a'), 7);
        setKnob(P0, 'remove_delay_ms', 0);
        assert.equal(await removed, 0);
        assert.deepEqual([underParent(P0, ID), available(P0, 'a')], [false, 8]);
      },
    'a held device: its group is EBUSY, and its removal blocks until it is let go': async () => {
      await created(P0, 'a', ID);
      const vm = await hold(P0, ID);
      assert.equal(openErrno(groupPath(P0, ID), constants.O_RDWR), ERRNO.EBUSY);
      const { removes } = calls(P0);
      const answers: number[] = [];
      const removal = remove(P0, ID).then((errno) => answers.push(errno));
      await until('the removal to reach the driver', () => calls(P0).removes > removes);
      assert.deepEqual([answers, onBus(ID), underParent(P0, ID)], [[], false, true]);
      await vm.release();
      await removal;
      assert.deepEqual(answers, [0]);
      assert.equal(underParent(P0, ID), false);
    },
    'a removal is guarded by keeping the group open meanwhile': async () => {
      await created(P0, 'a', ID);
      const group = openSync(groupPath(P0, ID), constants.O_RDWR);
      assert.equal(openErrno(groupPath(P0, ID), constants.O_RDWR), ERRNO.EBUSY);
      await assert.rejects(hold(P0, ID), /errno 16/);
      assert.equal(await remove(P0, ID), 0);
      closeSync(group);
      assert.equal(underParent(P0, ID), false);
    },
    'unregistering a parent takes its types and its devices away': async () => {
      await created(P0, 'a', ID);
      assert.equal(await setRegistered(P0, false), 0);
      assert.deepEqual([onBus(ID), existsSync(typePath(P0, 'a'))], [false, false]);
      assert.equal(existsSync(`/sys/class/mdev_bus/${P0}`), false);
      assert.equal(await create(P0, 'a', ID), ERRNO.ENOENT);
    },
    'create on a parent that is being unregistered is ENODEV': async () => {
      await created(P0, 'a', ID);
      setKnob(P0, 'remove_delay_ms', UNTIL_RELEASED_MS);
      const file = openSync(typePath(P0, 'a', 'create'), constants.O_WRONLY);
      const gone = setRegistered(P0, false);
      await until('the unregistration to begin', () => !onBus(ID));
      assert.throws(
        () => writeSync(file, OTHER),
        (error) => errnoOf(error) === ERRNO.ENODEV,
      );
      closeSync(file);
      setKnob(P0, 'remove_delay_ms', 0);
      assert.equal(await gone, 0);
    },
    'attributes: some are read back, some only written, some refuse': async () => {
      await created(P0, 'a', ID);
      const attribute = (name: string) => devicePath(P0, ID, name);
      assert.equal(await write(attribute('vendor/level'), '42'), 0);
      assert.equal(read(attribute('vendor/level')), '42');
      assert.equal(await write(attribute('vendor/level'), '101'), ERRNO.EINVAL);
      assert.equal(await write(attribute('vendor/refuse'), '1'), ERRNO.EINVAL);
      assert.equal(await write(attribute('vendor/secret'), 'x'), 0);
      assert.throws(() => readFileSync(attribute('vendor/secret')), { code: 'EACCES' });
      for (const bit of ['3', '1']) assert.equal(await write(attribute('assign'), bit), 0);
      assert.equal(read(attribute('assigned')), '1\n3');
    },
    'unloading the driver destroys its devices': async () => {
      await created(P0, 'a', ID);
      const status = await ended('/usr/sbin/rmmod', 'mdevfleet_test');
      assert.deepEqual([status, onBus(ID)], [0, false]);
      assert.equal(await ended('/guest/bin/insmod', '/guest/modules/mdevfleet_test.ko'), 0);
      assert.equal(available(P0, 'a'), 8);
    },
  },
};

function ended(command: string, ...args: readonly string[]): Promise<number | null> {
  return new Promise((resolve) => spawn(command, args, { stdio: 'inherit' }).on('exit', resolve));
}
