/**
 * A paused host looks and records what it sees, and changes nothing until it is told to go on.
 */
import { describe, expect, test } from 'vitest';
import { READY, ready, UUID, World } from './pass-world.ts';

/** Calls that change something: the kernel, or the registry. */
function changes(world: World): readonly string[] {
  return world.writes.filter((call) => call !== 'read');
}

describe('while a host is paused', () => {
  test('what is declared waits, and says who paused it; resumed, it is made', async () => {
    const world = new World();
    await world.steer('pause');
    await world.declare();
    expect(await world.pass()).toMatchObject({ kind: 'waiting', reason: 'Paused', wake: 'command' });
    expect(changes(world)).toEqual([]);
    expect(world.last('waiting')?.message).toMatch(/paused by test at .*mdevfleet resume/);
    await world.steer('resume');
    expect(await world.pass()).toMatchObject({ kind: 'settled' });
    expect(world.state()).toBe('ready');
  });

  test('drift is recorded, and not healed before it goes on', async () => {
    const world = await ready();
    await world.steer('pause');
    await world.clock.until(world.kernel.remove(UUID));
    const before = changes(world).length;
    expect(await world.pass()).toMatchObject({ kind: 'waiting', reason: 'Paused' });
    expect(world.last('drift')).toMatchObject({ cause: 'Removed' });
    expect(changes(world).length).toBe(before);
    await world.steer('resume');
    await world.pass();
    expect(world.kernel.device(UUID)).toMatchObject({ phase: 'complete' });
  });

  test('what is withdrawn stays', async () => {
    const world = await ready();
    await world.steer('pause');
    await world.withdraw();
    expect(await world.pass()).toMatchObject({ kind: 'waiting', reason: 'Paused' });
    expect(world.kernel.device(UUID)).toMatchObject({ phase: 'complete' });
    expect(await world.hold()).toBe('host-1 gpu0 held');
  });

  test('what is settled stays settled, and adds no record', async () => {
    const world = await ready();
    await world.steer('pause');
    expect(await world.pass()).toMatchObject({ kind: 'settled', steps: 0 });
    expect(world.kinds()).toEqual(READY);
  });

  test('a later agent knows of it', async () => {
    const world = new World();
    await world.steer('pause');
    await world.declare();
    const next = new World({ after: world });
    expect(await next.pass()).toMatchObject({ kind: 'waiting', reason: 'Paused' });
    expect(changes(next)).toEqual([]);
  });
});
