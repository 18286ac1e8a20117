/**
 * What comes in the middle of a pass: nothing is done, nor recorded, on what was decided before it.
 */
import { describe, expect, test } from 'vitest';
import { READY, ready, UUID, World } from './pass-world.ts';

const OTHER = { parent: 'gpu1', type: 'small' };

describe('a declaration that comes in the middle of a pass', () => {
  test('makes the claim void that was not journaled: the registry is not written', async () => {
    const world = new World();
    await world.declare();
    world.before.set('observe', () => world.withdraw());
    expect(await world.pass()).toMatchObject({ kind: 'settled' });
    expect(world.kinds()).toEqual(['declared', 'declared']);
    expect(world.writes).toEqual([]);
    expect(await world.hold()).toBeUndefined();
  });

  test('and withdraws it while the registry is asked, has the UUID given back', async () => {
    const world = new World();
    await world.declare();
    world.before.set('write', () => world.withdraw());
    expect(await world.pass()).toMatchObject({ kind: 'settled' });
    expect(await world.hold()).toBeUndefined();
    expect(world.kinds()).toEqual(['declared', 'claiming', 'declared', 'reserved', 'releasing', 'gone']);
    expect(world.writes).not.toContain('create');
  });

  test('and takes back a withdrawal, keeps the device and the hold as they were', async () => {
    const world = await ready();
    await world.withdraw();
    world.before.set('observe', () => world.declare());
    expect(await world.pass()).toMatchObject({ kind: 'settled' });
    expect(world.kinds()).toEqual([...READY, 'declared', 'declared']);
    expect(world.writes).not.toContain('remove');
    expect(await world.hold()).toBe('host-1 gpu0 held');
  });

  test('makes a write void that still waited for its turn below the parent', async () => {
    const world = new World();
    await world.declare();
    let free = () => {};
    const turn = world.acting.gate.through('gpu0', () => new Promise<void>((resolve) => (free = resolve)));
    const pass = world.pass();
    await world.clock.advance(100);
    expect(world.kinds().at(-1)).toBe('reserved');
    await world.withdraw();
    free();
    await turn;
    expect(await pass).toMatchObject({ kind: 'settled' });
    expect(world.writes).not.toContain('create');
  });

  test('makes a verdict void that was found for the one before it', async () => {
    const world = new World();
    await world.holdElsewhere();
    await world.declare();
    world.before.set('write', () => world.declare(UUID, OTHER));
    expect(await world.pass()).toMatchObject({ kind: 'requeue' });
    expect(world.kinds()).not.toContain('conflict');
  });

  test('or a retry, is not answered with the end that it is to lift', async () => {
    const world = new World();
    await world.holdElsewhere();
    await world.declare();
    await world.pass();
    await world.freeElsewhere();
    world.before.set('observe', () => world.retry());
    expect(await world.pass()).toMatchObject({ kind: 'requeue' });
    expect(await world.pass()).toMatchObject({ kind: 'settled' });
    expect(world.state()).toBe('ready');
  });

  test('or a retry while the registry answers, is not answered with what it said before', async () => {
    const world = new World();
    await world.holdElsewhere();
    await world.declare();
    await world.pass();
    await world.retry();
    world.before.set('write', () => world.before.set('observe', () => undefined));
    const { registry } = world.acting;
    const at = registry.at.bind(registry);
    world.acting.registry.at = async (...args) => {
      const answer = await at(...args);
      await world.freeElsewhere();
      await world.retry();
      world.acting.registry.at = at;
      return answer;
    };
    expect(await world.pass()).toMatchObject({ kind: 'requeue' });
    expect(await world.pass()).toMatchObject({ kind: 'settled' });
    expect(world.state()).toBe('ready');
  });
});
