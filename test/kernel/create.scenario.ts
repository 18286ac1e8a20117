/**
 * What the kernel answers to a create, and the races that it has there: facts that the agent is built on, each produced
 * on the test driver. Should one stop to hold on a newer kernel, it is seen here first.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { closeSync, constants, existsSync, openSync, writeSync } from 'node:fs';
import {
  available,
  calls,
  create,
  created,
  ERRNO,
  FOREVER_MS,
  groupPath,
  LIMITED,
  onBus,
  P0,
  P1,
  P2,
  P3,
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
} from './mdev.ts';
import type { Scenario } from './scenario.ts';

const ID = uuid(1);
const OTHER = uuid(2);

/** Begins a create that stays under way, on the bus and not finished, until the function it returns is called. */
async function beginCreate(knob: 'probe_delay_ms' | 'late_delay_ms'): Promise<() => Promise<number>> {
  setKnob(P0, knob, FOREVER_MS);
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
      setKnob(P0, 'probe_delay_ms', FOREVER_MS);
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
      setKnob(P0, 'probe_delay_ms', FOREVER_MS);
      const writer = spawn('/guest/bin/sh', ['-c', `echo ${ID} >${typePath(P0, 'a', 'create')}`]);
      await until('the device on the bus', () => onBus(ID));
      writer.kill('SIGKILL');
      setKnob(P0, 'probe_delay_ms', 0);
      await until('the end of the create', () => typeOf(P0, ID) === 'mdevfleet-a');
    },
  },
};
