/**
 * Passes whose claim is refused, or whose registry or journal gives no answer.
 */
import { describe, expect, test } from 'vitest';
import { RegistryUnavailable } from '../../store/registry/registry.ts';
import { HOST, PLACE, READY, ready, UUID, World } from './pass-world.ts';

describe('a UUID that another host holds', () => {
  test('is a conflict that names the holder, and nothing else changes', async () => {
    const world = new World();
    await world.holdElsewhere();
    await world.declare();
    expect(await world.pass()).toMatchObject({ kind: 'terminal' });
    expect(world.kinds()).toEqual(['declared', 'claiming', 'conflict']);
    expect(world.last('conflict')).toMatchObject({
      reason: 'UuidHeld',
      message: expect.stringContaining('host-2'),
      holder: { claim: { host: 'host-2', ...PLACE }, phase: 'held' },
    });
    expect(await world.hold()).toBe('host-2 gpu0 held');
    expect(world.kernel.devices()).toEqual([]);
    expect(world.writes).toEqual(['write']);
  });

  test('stays a conflict without asking again, until retry', async () => {
    const world = new World();
    await world.holdElsewhere();
    await world.declare();
    await world.pass();
    await world.freeElsewhere();
    const [records, writes] = [world.kinds(), world.writes.length];
    expect(await world.pass()).toMatchObject({ kind: 'terminal' });
    expect(world.kinds()).toEqual(records);
    expect(world.writes.length).toBe(writes);
    await world.retry();
    expect(await world.pass()).toMatchObject({ kind: 'settled' });
    expect(world.state()).toBe('ready');
  });

  test('is waited for when its holder is leaving, or is the one that is replaced', async () => {
    for (const how of [{ phase: 'releasing' as const }, {}]) {
      const world = new World();
      await world.holdElsewhere(UUID, how);
      await world.declare(UUID, { replaces: { host: 'host-2', ...PLACE } });
      expect(await world.pass(UUID, 9)).toMatchObject({
        kind: 'waiting',
        reason: 'HolderLeaving',
        wake: 'registry',
      });
      await world.freeElsewhere();
      expect(await world.pass()).toMatchObject({ kind: 'settled' });
      expect(world.kinds()).toEqual(['declared', 'claiming', 'waiting', 'reserved', 'active']);
    }
  });

  test('is waited for when its holder was told to give it up, and has not heard of it', async () => {
    const world = new World();
    await world.holdElsewhere();
    await world.declare();
    world.declaredElsewhere = 'withdrawn';
    expect(await world.pass(UUID, 9)).toMatchObject({ kind: 'waiting', reason: 'HolderLeaving' });
    await world.freeElsewhere();
    expect(await world.pass()).toMatchObject({ kind: 'settled' });
    expect(world.kinds()).toEqual(['declared', 'claiming', 'waiting', 'reserved', 'active']);
  });

  test('is no conflict while nobody can say whether its holder still wants it', async () => {
    const world = new World();
    await world.holdElsewhere();
    await world.declare();
    world.declaredElsewhere = 'unreachable';
    expect(await world.pass()).toMatchObject({ kind: 'waiting', reason: 'RegistryUnreachable' });
    world.declaredElsewhere = 'standing';
    expect(await world.pass()).toMatchObject({ kind: 'terminal' });
    expect(world.last('conflict')).toMatchObject({ reason: 'UuidHeld' });
  });

  test('is not made again here once it was taken away by force', async () => {
    const world = new World();
    await world.holdElsewhere(UUID, { claim: { host: HOST, ...PLACE }, phase: 'fenced' });
    await world.declare();
    expect(await world.pass()).toMatchObject({ kind: 'terminal' });
    expect(world.state()).toBe('failed Fenced');
    await world.withdraw();
    expect(await world.pass()).toMatchObject({ kind: 'settled' });
    expect(await world.hold()).toBe('host-1 gpu0 fenced');
    expect(world.kinds()).toEqual(['declared', 'claiming', 'fenced', 'failed', 'declared', 'gone']);
    await world.declare();
    expect(await world.pass()).toMatchObject({ kind: 'settled' });
    expect(await world.hold()).toBe('host-1 gpu0 held');
  });

  test('that was taken away again keeps this host out again', async () => {
    const world = new World();
    for (let time = 1; time <= 2; time += 1) {
      await world.holdElsewhere(UUID, { claim: { host: HOST, ...PLACE }, phase: 'fenced' });
      await world.declare();
      await world.pass();
      expect(world.state()).toBe('failed Fenced');
      await world.withdraw();
      await world.pass();
      expect(world.state()).toBe('');
    }
  });
});

describe('a registry that is rebuilding', () => {
  const REBUILDING = { kind: 'rebuilding', message: 'the registry is rebuilding' } as const;

  test('is not asked for anything new, and the device says so', async () => {
    const world = new World();
    await world.declare();
    world.admissions.push(REBUILDING);
    expect(await world.pass()).toMatchObject({
      kind: 'waiting',
      reason: 'RegistryRebuilding',
      wake: 'registry',
    });
    expect(world.state()).toBe('waiting RegistryRebuilding');
    expect(world.writes).toEqual([]);
    expect(await world.pass()).toMatchObject({ kind: 'settled' });
  });

  test('gets back what was taken while somebody noticed that it had lost something', async () => {
    const world = new World();
    await world.declare();
    const admitted = { kind: 'admitted', incarnation: 1 } as const;
    world.admissions.push(admitted, REBUILDING);
    expect(await world.pass()).toMatchObject({ kind: 'waiting', reason: 'RegistryRebuilding' });
    expect(world.writes).toEqual(['write', 'erase']);
    expect(await world.hold()).toBeUndefined();
    expect(world.kernel.devices()).toEqual([]);
    expect(await world.pass()).toMatchObject({ kind: 'settled' });
    expect(world.kinds()).toEqual(['declared', 'claiming', 'waiting', 'reserved', 'active']);
  });

  test('and may have given a UUID to another leaves its device as it is until that is known', async () => {
    const world = await ready();
    world.dispute = 'held by host host-2';
    await world.clock.until(world.kernel.remove(UUID));
    const writes = world.writes.length;
    expect(await world.pass()).toMatchObject({ kind: 'waiting', reason: 'RegistryRebuilding' });
    expect(world.last('waiting')?.message).toContain('held by host host-2; ');
    expect(world.writes.length).toBe(writes);
    world.dispute = null;
    expect(await world.pass()).toMatchObject({ kind: 'settled' });
    expect(world.state()).toBe('ready');
  });

  test('does not keep what is held from coming back, nor from being given back', async () => {
    const world = await ready();
    world.admissions.push(REBUILDING);
    await world.clock.until(world.kernel.remove(UUID));
    expect(await world.pass()).toMatchObject({ kind: 'settled' });
    expect(world.state()).toBe('ready');
    await world.withdraw();
    expect(await world.pass()).toMatchObject({ kind: 'settled' });
    expect(await world.hold()).toBeUndefined();
    expect(world.admissions).toEqual([REBUILDING]);
  });
});

describe('a registry that gives no answer', () => {
  test('is waited for with the claim journaled, and asked again', async () => {
    const world = new World();
    world.incarnation = null;
    await world.declare();
    expect(await world.pass()).toMatchObject({
      kind: 'waiting',
      reason: 'RegistryUnreachable',
      wake: 'registry',
    });
    world.incarnation = 1;
    world.answers.set('write', () => ({ kind: 'unknown', cause: new RegistryUnavailable('time-out') }));
    expect(await world.pass()).toMatchObject({ kind: 'waiting', reason: 'RegistryUnreachable' });
    expect(world.kernel.devices()).toEqual([]);
    expect(await world.pass()).toMatchObject({ kind: 'settled' });
    expect(world.kinds()).toEqual(['declared', 'waiting', 'claiming', 'waiting', 'reserved', 'active']);
  });

  test('does not keep a device from being removed, only its UUID from being given back', async () => {
    const world = await ready();
    await world.withdraw();
    world.incarnation = null;
    expect(await world.pass()).toMatchObject({ kind: 'waiting', reason: 'RegistryUnreachable' });
    expect(world.kernel.devices()).toEqual([]);
    expect(world.state()).toBe('releasing RegistryUnreachable');
    expect(await world.hold()).toBe('host-1 gpu0 held');
    world.incarnation = 1;
    expect(await world.pass()).toMatchObject({ kind: 'settled' });
    expect(await world.hold()).toBeUndefined();
  });

  test('does not keep what is held from coming back', async () => {
    const world = await ready();
    await world.clock.until(world.kernel.remove(UUID));
    world.incarnation = null;
    expect(await world.pass()).toMatchObject({ kind: 'settled' });
    expect(world.state()).toBe('ready');
  });
});

describe('what passes by itself is not recorded, however often it happens', () => {
  test('an agent that is about to reach the registry', async () => {
    const world = new World();
    await world.declare();
    world.admissions.push({ kind: 'joining' });
    expect(await world.pass(UUID, 99)).toMatchObject({ kind: 'waiting', reason: 'RegistryUnreachable' });
    expect(world.kinds()).toEqual(['declared', 'claiming']);
  });

  test('others that write the same key at the same time', async () => {
    const world = new World();
    await world.declare();
    world.answers.set('write', () => ({ kind: 'unknown', cause: new Error('another write was in flight') }));
    expect(await world.pass(UUID, 99)).toMatchObject({ kind: 'requeue', why: 'another write was in flight' });
    expect(world.kinds()).toEqual(['declared', 'claiming']);
    expect(await world.pass()).toMatchObject({ kind: 'settled' });
    await world.withdraw();
    world.answers.set('erase', () => ({ kind: 'unknown', cause: new Error('another write was in flight') }));
    expect(await world.pass(UUID, 99)).toMatchObject({ kind: 'requeue' });
    expect(world.kinds().at(-1)).toBe('releasing');
  });
});

describe('a journal that cannot be written', () => {
  test('stops new work, and loses nothing', async () => {
    const world = new World();
    await world.declare();
    world.disk.full = true;
    expect(await world.pass()).toMatchObject({ kind: 'requeue', why: expect.stringContaining('journal') });
    expect(world.writes).toEqual([]);
    world.disk.full = false;
    expect(await world.pass()).toMatchObject({ kind: 'settled' });
    expect(world.kinds()).toEqual(READY);
  });
});
