/**
 * Two at once, and one that dies or comes too late: what the kernel makes of operations on one device, one parent or
 * one open file that overlap. Each overlap is brought about with a knob, never by timing.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync, readdirSync, readFileSync, readlinkSync, writeSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import {
  available,
  calls,
  create,
  created,
  devicePath,
  ERRNO,
  errnoIn,
  errnoOf,
  FOREVER_MS,
  groupPath,
  hold,
  onBus,
  openErrno,
  P0,
  P1,
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
  writeErrno,
} from './mdev.ts';
import type { Scenario } from './scenario.ts';

const ID = uuid(1);
const OTHER = uuid(2);
const THIRD = uuid(3);
const ROUNDS = 20;
const REMOVERS = 4;

/** A write through a file that is open already. */
async function writeTo(file: FileHandle, text: string): Promise<number> {
  try {
    await file.write(text);
    return 0;
  } catch (error) {
    return errnoOf(error);
  }
}

function removeFile(): Promise<FileHandle> {
  return open(devicePath(P0, ID, 'remove'), constants.O_WRONLY);
}

/** Begins a removal that has come as far as the driver, and stays there until the function it returns is called. */
async function beginRemoval(): Promise<() => Promise<number>> {
  const { removes } = calls(P0);
  setKnob(P0, 'remove_delay_ms', FOREVER_MS);
  const answer = remove(P0, ID);
  await until('the removal to reach the driver', () => calls(P0).removes > removes);
  return () => {
    setKnob(P0, 'remove_delay_ms', 0);
    return answer;
  };
}

/** How the scheduler sees a process: S asleep, D asleep and deaf to signals. */
function stateOf({ pid }: ChildProcess): string {
  return /\) (\w) /.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1] ?? '';
}

/** The names of the processes that have the file open. */
function holders(path: string): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => filesOf(pid).includes(path))
    .map((pid) => readFileSync(`/proc/${pid}/comm`, 'utf8').trim());
}

function filesOf(pid: string): readonly string[] {
  const files: string[] = [];
  // The folder itself, and any file in it, may be gone by now.
  errnoIn(() => {
    for (const fd of readdirSync(`/proc/${pid}/fd`)) {
      errnoIn(() => files.push(readlinkSync(`/proc/${pid}/fd/${fd}`)));
    }
  });
  return files;
}

export const scenario: Scenario = {
  module: import.meta.url,
  setUp: resetParents,
  cases: {
    'a write of 0 bytes is taken and does nothing, to create and to remove': async () => {
      await created(P0, 'a', ID);
      const before = calls(P0);
      for (const path of [typePath(P0, 'a', 'create'), devicePath(P0, ID, 'remove')]) {
        const file = openSync(path, constants.O_WRONLY);
        assert.equal(writeSync(file, Buffer.alloc(0)), 0);
        closeSync(file);
      }
      assert.deepEqual([calls(P0), typeOf(P0, ID)], [before, 'mdevfleet-a']);
      assert.equal(await remove(P0, ID), 0);
    },
    'create on a type or a parent that is not there is ENOENT': async () => {
      assert.equal(await create(P0, 'none', ID), ERRNO.ENOENT);
      assert.equal(await create('mdevfleet-none', 'a', ID), ERRNO.ENOENT);
    },
    'create through a file of a parent that has gone is ENODEV, though the parent is back': async () => {
      const file = await open(typePath(P0, 'a', 'create'), constants.O_WRONLY);
      assert.equal(await setRegistered(P0, false), 0);
      assert.equal(await setRegistered(P0, true), 0);
      assert.equal(await writeTo(file, ID), ERRNO.ENODEV);
      await file.close();
      assert.equal(onBus(ID), false);
    },
    'create of a UUID whose removal is under way is EEXIST on every parent, with nothing on the bus':
      async () => {
        await created(P0, 'a', ID);
        const finish = await beginRemoval();
        assert.equal(onBus(ID), false);
        for (const parent of [P0, P1]) assert.equal(await create(parent, 'a', ID), ERRNO.EEXIST);
        assert.equal(await finish(), 0);
        await created(P1, 'a', ID);
      },
    'remove on a parent that is being unregistered is ENODEV': async () => {
      await created(P0, 'a', ID);
      await created(P0, 'a', OTHER);
      const { removes } = calls(P0);
      setKnob(P0, 'remove_delay_ms', FOREVER_MS);
      const gone = setRegistered(P0, false);
      await until('the unregistration to reach the first device', () => calls(P0).removes > removes);
      assert.equal(typeOf(P0, OTHER), 'mdevfleet-a');
      assert.equal(await remove(P0, OTHER), ERRNO.ENODEV);
      setKnob(P0, 'remove_delay_ms', 0);
      assert.equal(await gone, 0);
      assert.equal(underParent(P0, OTHER), false);
    },
    'remove while a removal is under way is ENODEV or ENOENT, and the device still stands': async () => {
      await created(P0, 'a', ID);
      const file = await removeFile();
      const finish = await beginRemoval();
      assert.equal(await writeTo(file, '1'), ERRNO.ENODEV);
      assert.equal(await remove(P0, ID), ERRNO.ENOENT);
      assert.ok(underParent(P0, ID));
      await file.close();
      assert.equal(await finish(), 0);
      assert.equal(underParent(P0, ID), false);
    },
    'of several removers some are told ok, one removal happens, and after ok the directory is gone':
      async () => {
        for (let round = 0; round < ROUNDS; round++) {
          await created(P0, 'a', ID);
          const { removes } = calls(P0);
          const files = await Promise.all(Array.from({ length: REMOVERS }, removeFile));
          const answers = await Promise.all(
            files.map(async (file) => {
              const errno = await writeTo(file, '1');
              if (errno === 0) assert.equal(underParent(P0, ID), false);
              return errno;
            }),
          );
          await Promise.all(files.map((file) => file.close()));
          assert.ok(answers.includes(0), String(answers));
          for (const errno of answers) assert.ok([0, ERRNO.ENODEV].includes(errno), String(answers));
          assert.equal(calls(P0).removes, removes + 1);
        }
      },
    'create returns ok although its parent is being unregistered, and the device is gone at once':
      async () => {
        setCapacity(P0, 1);
        setKnob(P0, 'late_delay_ms', FOREVER_MS);
        const answer = create(P0, 'a', ID);
        await until('the create to be under way', () => available(P0, 'a') === 0);
        const gone = setRegistered(P0, false);
        const probe = typePath(P0, 'a', 'create');
        // The pool is empty, so this one makes nothing: it only tells when the unregistration has begun.
        await until('the unregistration to begin', () => writeErrno(probe, OTHER) === ERRNO.ENODEV);
        setKnob(P0, 'late_delay_ms', 0);
        assert.deepEqual(await Promise.all([answer, gone]), [0, 0]);
        assert.deepEqual([onBus(ID), underParent(P0, ID)], [false, false]);
      },
    'writes through one open file wait for each other, also for different devices': async () => {
      const { probes } = calls(P0);
      setKnob(P0, 'probe_delay_ms', FOREVER_MS);
      const shared = await open(typePath(P0, 'a', 'create'), constants.O_WRONLY);
      const first = writeTo(shared, ID);
      await until('the first to reach the driver', () => calls(P0).probes === probes + 1);
      const second = writeTo(shared, OTHER);
      const third = create(P0, 'a', THIRD);
      await until('one more to reach the driver', () => calls(P0).probes === probes + 2);
      assert.deepEqual([onBus(ID), onBus(OTHER), onBus(THIRD)], [true, false, true]);
      setKnob(P0, 'probe_delay_ms', 0);
      assert.deepEqual(await Promise.all([first, second, third]), [0, 0, 0]);
      await shared.close();
      assert.ok(onBus(OTHER));
    },
    'a device in use: its remover sleeps, is deaf once it was killed, and the removal goes on': async () => {
      await created(P0, 'a', ID);
      const vm = await hold(P0, ID);
      const { removes } = calls(P0);
      const script = `echo 1 >${devicePath(P0, ID, 'remove')}`;
      const remover = spawn('/guest/bin/sh', ['-c', script]);
      const exit = once(remover, 'exit');
      await until('the removal to reach the driver', () => calls(P0).removes > removes);
      await until('the remover to sleep', () => stateOf(remover) === 'S');
      remover.kill('SIGKILL');
      await until('the remover to be deaf', () => stateOf(remover) === 'D');
      assert.deepEqual([remover.exitCode, remover.signalCode, underParent(P0, ID)], [null, null, true]);
      await vm.release();
      assert.deepEqual(await exit, [null, 'SIGKILL']);
      assert.equal(underParent(P0, ID), false);
    },
    'who uses a device has its group open, as /proc shows': async () => {
      await created(P0, 'a', ID);
      assert.deepEqual(holders(groupPath(P0, ID)), []);
      const vm = await hold(P0, ID);
      assert.deepEqual(holders(groupPath(P0, ID)), ['hold']);
      await vm.release();
      assert.equal(openErrno(groupPath(P0, ID), constants.O_RDWR), 0);
    },
    'capacity comes back when the last reference is gone, not when the removal begins': async () => {
      setCapacity(P0, 2);
      await created(P0, 'a', ID);
      const vm = await hold(P0, ID);
      assert.deepEqual([available(P0, 'a'), available(P0, 'b')], [1, 0]);
      const { removes } = calls(P0);
      const removed = remove(P0, ID);
      await until('the removal to reach the driver', () => calls(P0).removes > removes);
      assert.deepEqual([available(P0, 'a'), available(P0, 'b')], [1, 0]);
      assert.equal(await create(P0, 'b', OTHER), ERRNO.ENOSPC);
      await vm.release();
      assert.equal(await removed, 0);
      assert.deepEqual([available(P0, 'a'), available(P0, 'b')], [2, 1]);
    },
    'room that was read is no promise: of two creates for the last unit one is ENOSPC': async () => {
      setCapacity(P0, 1);
      assert.equal(available(P0, 'a'), 1);
      const answers = await Promise.all([create(P0, 'a', ID), create(P0, 'a', OTHER)]);
      assert.deepEqual([...answers].sort(), [0, ERRNO.ENOSPC]);
    },
  },
};
