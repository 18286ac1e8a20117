/**
 * What the kernel answers to a removal, to a device in use and to a parent that goes: facts that the agent is built on,
 * each produced on the test driver. Should one stop to hold on a newer kernel, it is seen here first.
 */
import assert from 'node:assert/strict';
import { closeSync, constants, existsSync, openSync, readFileSync, writeSync } from 'node:fs';
import {
  attributeCalls,
  available,
  calls,
  create,
  created,
  devicePath,
  ERRNO,
  errnoOf,
  FOREVER_MS,
  groupPath,
  hold,
  onBus,
  openErrno,
  P0,
  P1,
  read,
  remove,
  resetParents,
  setKnob,
  setRegistered,
  typePath,
  underParent,
  until,
  uuid,
  write,
} from './mdev.ts';
import type { Scenario } from './scenario.ts';

const ID = uuid(1);
const OTHER = uuid(2);

export const scenario: Scenario = {
  module: import.meta.url,
  setUp: resetParents,
  cases: {
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
        setKnob(P0, 'remove_delay_ms', FOREVER_MS);
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
      setKnob(P0, 'remove_delay_ms', FOREVER_MS);
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
    'attributes: a driver can fail every write or read of one, and take its time about it': async () => {
      await created(P0, 'a', ID);
      const level = devicePath(P0, ID, 'vendor/level');
      setKnob(P0, 'attribute_errno', ERRNO.EIO);
      setKnob(P0, 'attribute_read_errno', ERRNO.ENODEV);
      assert.deepEqual([await write(level, '42'), openErrno(level, constants.O_WRONLY)], [ERRNO.EIO, 0]);
      assert.throws(
        () => read(level),
        (error) => errnoOf(error) === ERRNO.ENODEV,
      );
      setKnob(P0, 'attribute_errno', 0);
      setKnob(P0, 'attribute_read_errno', 0);
      setKnob(P0, 'attribute_delay_ms', FOREVER_MS);
      const before = attributeCalls(P0);
      const writing = write(level, '43');
      await until('the write to reach the driver', () => attributeCalls(P0).writes === before.writes + 1);
      assert.equal(read(level), '0');
      setKnob(P0, 'attribute_delay_ms', 0);
      assert.equal(await writing, 0);
      assert.equal(read(level), '43');
    },
  },
};
