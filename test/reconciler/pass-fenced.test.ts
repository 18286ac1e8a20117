/**
 * Passes over a device whose UUID was taken from this host by force.
 */
import { describe, expect, test } from 'vitest';
import { HOST, PLACE, READY, ready, UUID, type World } from './pass-world.ts';

describe('a device that was taken away by force', () => {
  const message = 'not held by this host any more, by force or by a loss: held by host host-2';

  async function fenced(world: World): Promise<void> {
    await world.holdElsewhere();
    const generation = { epoch: 1, sequence: 1 };
    await world.record({ kind: 'fenced', v: 1, uuid: UUID, generation, message, revision: 2 });
  }

  test('is left as it is, and its row says who has it', async () => {
    const world = await ready();
    await fenced(world);
    const writes = [...world.writes];
    expect(await world.pass()).toMatchObject({ kind: 'terminal' });
    expect(world.rows()).toMatchObject([
      { state: 'failed', reason: 'Fenced', message: `${message}; delete this declaration to clean up` },
    ]);
    expect(world.writes).toEqual(writes);
    await world.clock.until(world.kernel.remove(UUID));
    expect(await world.pass()).toMatchObject({ kind: 'terminal' });
    expect(world.kernel.devices()).toEqual([]);
    await world.retry();
    expect(await world.pass()).toMatchObject({ kind: 'terminal' });
    expect(world.state()).toBe('failed Fenced');
    expect(world.writes).toEqual(writes);
  });

  test('is removed by a withdrawal, which leaves the registry alone', async () => {
    const world = await ready();
    await fenced(world);
    await world.pass();
    const writes = world.writes.length;
    await world.withdraw();
    expect(await world.pass()).toMatchObject({ kind: 'settled' });
    expect(world.kernel.devices()).toEqual([]);
    expect(world.writes.slice(writes)).toEqual(['remove']);
    expect(world.rows()).toEqual([]);
    expect(await world.hold()).toBe('host-2 gpu0 held');
  });

  test('on its way out is recorded as that when it cannot be given back, and may be declared again', async () => {
    const world = await ready();
    await world.withdraw();
    await world.holdElsewhere(UUID, { claim: { host: HOST, ...PLACE }, phase: 'fenced' });
    expect(await world.pass()).toMatchObject({ kind: 'settled' });
    expect(world.kinds()).toEqual([...READY, 'declared', 'releasing', 'fenced', 'gone']);
    expect(await world.hold()).toBe('host-1 gpu0 fenced');
    await world.declare();
    expect(await world.pass()).toMatchObject({ kind: 'settled' });
    expect(world.state()).toBe('ready');
  });

  test('while its removal waits is still removed, and forgotten', async () => {
    const world = await ready();
    world.kernel.hold(UUID);
    await world.withdraw();
    await world.record({
      kind: 'releasing',
      v: 1,
      uuid: UUID,
      generation: { epoch: 1, sequence: 2 },
      cause: 'Withdrawn',
    });
    await fenced(world);
    await world.pass();
    expect(world.state()).toBe('releasing InUse');
    world.kernel.release(UUID);
    expect(await world.pass()).toMatchObject({ kind: 'settled' });
    expect(world.kernel.devices()).toEqual([]);
    expect(await world.hold()).toBe('host-2 gpu0 held');
  });
});
