/**
 * Passes: from what is recorded and seen, through the steps, to what is recorded then.
 */
import { describe, expect, test } from 'vitest';
import { E } from '../../reconciler/errno-numbers.ts';
import { errnoAnswer, HOST, PLACE, READY, ready, UUID, unreadable, World } from './pass-world.ts';

describe('a declared device', () => {
  test('is reserved, made, and active, with its intent journaled before each act', async () => {
    const world = new World();
    await world.declare();
    const seen: string[] = [];
    world.before.set('write', () => seen.push(`write after ${world.kinds().join(' ')}`));
    world.before.set('create', () => seen.push(`create after ${world.kinds().join(' ')}`));
    expect(await world.pass()).toMatchObject({ kind: 'settled' });
    expect(seen).toEqual(['write after declared claiming', 'create after declared claiming reserved']);
    expect(world.kinds()).toEqual(READY);
    expect(world.last('active')).toMatchObject({ how: 'created' });
    expect(await world.hold()).toBe('host-1 gpu0 held');
    expect(world.kernel.device(UUID)).toMatchObject({ phase: 'complete', ...PLACE });
  });

  test('adds no record, and is not written to, however often it is looked at', async () => {
    const world = await ready();
    const [records, writes] = [world.kinds(), world.writes.length];
    for (let count = 0; count < 5; count += 1)
      expect(await world.pass()).toMatchObject({ kind: 'settled', steps: 0 });
    expect(world.kinds()).toEqual(records);
    expect(world.writes.length).toBe(writes);
  });

  test('is adopted when it stands there already', async () => {
    const world = new World();
    await world.clock.until(world.kernel.create(UUID, PLACE));
    await world.declare();
    await world.pass();
    expect(world.kinds()).toEqual(READY);
    expect(world.last('active')).toMatchObject({ how: 'adopted' });
    expect(world.writes).not.toContain('create');
  });

  test('is adopted when somebody else makes it at the last moment (EEXIST)', async () => {
    const world = new World();
    await world.declare();
    world.before.set('create', () => world.kernel.create(UUID, PLACE));
    expect(await world.pass()).toMatchObject({ kind: 'requeue' });
    expect(await world.pass()).toMatchObject({ kind: 'settled' });
    expect(world.kinds()).toEqual(READY);
    expect(world.last('active')).toMatchObject({ how: 'adopted' });
  });

  test('of which nobody knows who made it, after a crash, is taken as it is', async () => {
    const before = new World();
    await before.declare();
    await before.record(
      {
        kind: 'claiming',
        v: 1,
        uuid: UUID,
        generation: { epoch: 1, sequence: 1 },
        claim: { host: HOST, ...PLACE },
      },
      { kind: 'reserved', v: 1, uuid: UUID, generation: { epoch: 1, sequence: 1 }, revision: 1 },
    );
    await before.clock.until(before.kernel.create(UUID, PLACE));
    const world = new World({ after: before });
    expect(await world.pass()).toMatchObject({ kind: 'settled' });
    expect(world.last('active')).toMatchObject({ how: 'unknown' });
  });
});

describe('a create whose answer is lost', () => {
  test.each([
    [
      'its helper was killed, since the driver answered EINTR each time',
      4,
      { kind: 'waiting', reason: 'KernelError' },
    ],
    ['its helper has ended', 32, { kind: 'requeue' }],
  ])('may have made the device: %s', async (_, errno, end) => {
    const world = new World();
    await world.declare();
    world.before.set('create', () => {
      world.answers.set('create', () => errnoAnswer(errno));
      return world.kernel.create(UUID, PLACE);
    });
    expect(await world.pass()).toMatchObject(end);
    expect(await world.pass()).toMatchObject({ kind: 'settled' });
    expect(world.last('active')).toMatchObject({ how: 'unknown' });
  });
});

describe('a race with another operation', () => {
  test('on create (EAGAIN) is tried again, and nothing is recorded of it', async () => {
    const world = new World({ kernel: { faults: [{ on: 'probe', errno: E.AGAIN, first: 1 }] } });
    await world.declare();
    expect(await world.pass()).toMatchObject({ kind: 'requeue', why: expect.stringContaining('EAGAIN') });
    expect(world.kinds()).toEqual(['declared', 'claiming', 'reserved']);
    expect(await world.pass()).toMatchObject({ kind: 'settled' });
    expect(world.kinds()).toEqual(READY);
  });

  test('on remove (EAGAIN, ENODEV) leaves the UUID held, and is tried again', async () => {
    const world = await ready();
    await world.withdraw();
    for (const errno of [E.AGAIN, E.NODEV]) {
      world.answers.set('remove', () => errnoAnswer(errno));
      expect(await world.pass()).toMatchObject({ kind: 'requeue' });
      expect(await world.hold()).toBe('host-1 gpu0 releasing');
    }
    expect(await world.pass()).toMatchObject({ kind: 'settled' });
    expect(world.kernel.device(UUID)).toBeUndefined();
  });

  test('that goes on and on is shown as a reason to wait, once', async () => {
    const world = new World({ kernel: { faults: [{ on: 'probe', errno: E.AGAIN }] } });
    await world.declare();
    const { transientAttemptsMin } = world.limits;
    for (let count = 0; count < transientAttemptsMin; count += 1) await world.pass(UUID, count);
    expect(world.state()).toBe('waiting');
    for (let more = 0; more < 3; more += 1) await world.pass(UUID, transientAttemptsMin + more);
    expect(world.state()).toBe('waiting KernelBusy');
    expect(world.kinds()).toEqual(['declared', 'claiming', 'reserved', 'waiting']);
  });
});

describe('a withdrawn device', () => {
  test('is removed, seen gone, and its UUID given back last', async () => {
    const world = await ready();
    await world.withdraw();
    world.writes.length = 0;
    expect(await world.pass()).toMatchObject({ kind: 'settled' });
    expect(world.kinds().slice(READY.length)).toEqual(['declared', 'releasing', 'gone']);
    expect(world.writes.slice(0, 3)).toEqual(['write', 'remove', 'erase']);
    expect(world.kernel.devices()).toEqual([]);
    expect(await world.hold()).toBeUndefined();
    expect(world.rows()).toEqual([]);
  });

  test('is waited for while it is in use, and is not written to', async () => {
    const world = await ready();
    world.kernel.hold(UUID);
    await world.withdraw();
    world.writes.length = 0;
    expect(await world.pass()).toMatchObject({ kind: 'waiting', reason: 'InUse' });
    expect(world.writes).toEqual([]);
    world.kernel.release(UUID);
    expect(await world.pass()).toMatchObject({ kind: 'settled' });
  });

  test('is recorded to be in use once, whoever it is used by', async () => {
    const world = await ready();
    await world.withdraw();
    for (const pid of [4711, 4712]) {
      const use = { kind: 'in-use', by: [{ pid, command: 'qemu-system-x86' }] } as const;
      const seen = { kind: 'present', place: PLACE, iommuGroup: 1, removable: true, use, attributes: [] };
      world.answers.set('observe', () => seen);
      expect(await world.pass()).toMatchObject({ kind: 'waiting', reason: 'InUse' });
    }
    expect(world.kinds().slice(READY.length)).toEqual(['declared', 'waiting']);
    expect(world.last('waiting')).toMatchObject({
      message: expect.stringContaining('in use by qemu-system-x86 (pid 4711)'),
    });
  });

  test('stays held while its removal has not finished', async () => {
    const world = await ready({ kernel: { removeMs: 5_000 } });
    const removing = world.kernel.remove(UUID);
    await world.withdraw();
    expect(await world.pass(UUID, 9)).toMatchObject({ kind: 'waiting', reason: 'RemovalInProgress' });
    expect(await world.hold()).toBe('host-1 gpu0 held');
    await world.clock.until(removing);
    expect(await world.pass()).toMatchObject({ kind: 'settled' });
  });

  test('is removed again when the kernel refuses what was written (EINVAL)', async () => {
    const world = await ready();
    await world.withdraw();
    world.answers.set('remove', () => errnoAnswer(E.INVAL));
    expect(await world.pass()).toMatchObject({ kind: 'waiting', reason: 'KernelError' });
    expect(world.state()).toBe('releasing KernelError');
    expect(await world.pass()).toMatchObject({ kind: 'settled' });
  });

  test('is not given back while sysfs cannot be read', async () => {
    const world = await ready();
    await world.withdraw();
    world.answers.set('observe', unreadable);
    expect(await world.pass()).toMatchObject({ kind: 'waiting', reason: 'HostUnreadable' });
    expect(world.writes).not.toContain('remove');
    expect(await world.hold()).toBe('host-1 gpu0 held');
  });
});

describe('waiting', () => {
  test('is recorded once, with its reason, and ends with one record', async () => {
    const world = new World();
    await world.declare(UUID, { parent: 'late' });
    for (let count = 0; count < 3; count += 1) {
      expect(await world.pass(UUID, count)).toMatchObject({
        kind: 'waiting',
        reason: 'ParentAbsent',
        wake: 'parent',
      });
    }
    expect(world.kinds()).toEqual(['declared', 'claiming', 'reserved', 'waiting']);
    await world.kernel.plug('late');
    expect(await world.pass()).toMatchObject({ kind: 'settled' });
    expect(world.kinds()).toEqual(['declared', 'claiming', 'reserved', 'waiting', 'active']);
  });

  test('that passes without a step is recorded as settled', async () => {
    const world = await ready();
    world.answers.set('observe', unreadable);
    await world.pass();
    expect(world.state()).toBe('waiting HostUnreadable');
    await world.pass();
    expect(world.kinds()).toEqual([...READY, 'waiting', 'settled']);
    expect(world.state()).toBe('ready');
  });

  test('for what usually passes at once is recorded only when it does not', async () => {
    const world = new World({ kernel: { probeMs: 60_000 } });
    void world.kernel.create(UUID, PLACE);
    await world.clock.advance(0);
    await world.declare();
    const { transientAttemptsMin } = world.limits;
    expect(await world.pass(UUID, transientAttemptsMin - 1)).toMatchObject({ reason: 'CreateInProgress' });
    expect(world.kinds()).toEqual(['declared']);
    await world.pass(UUID, transientAttemptsMin);
    expect(world.kinds()).toEqual(['declared', 'waiting']);
  });

  test.each([
    { errno: E.NOSPC, reason: 'NoCapacity' },
    { errno: E.ROFS, reason: 'NotPermitted' },
    { errno: E.IO, reason: 'KernelError' },
  ])('for errno $errno of a create has the reason $reason', async ({ errno, reason }) => {
    const world = new World();
    await world.declare();
    world.answers.set('create', () => errnoAnswer(errno));
    expect(await world.pass()).toMatchObject({ kind: 'waiting', reason });
    expect(world.last('waiting')).toMatchObject({ reason, errno });
  });
});
