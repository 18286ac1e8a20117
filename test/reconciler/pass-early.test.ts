/**
 * Before the fleet was reached once, a journal may be an older copy that was put back: what is withdrawn in it may be
 * declared since. What it holds is repaired, and nothing is taken away.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { PLACE, ready, UUID, type World } from './pass-world.ts';

const ABOUT_TO = { kind: 'joining' } as const;
const UNREACHABLE = { kind: 'unreachable', message: 'this agent has not reached the registry yet' } as const;

let world: World;

beforeEach(async () => {
  world = await ready();
  world.hasReached = false;
  world.incarnation = null;
});

describe('before the fleet was reached once since the start', () => {
  test('a device that was withdrawn stays, which is recorded when it takes long', async () => {
    await world.withdraw();
    const [records, writes] = [world.kinds(), world.writes.length];
    world.admissions.push(ABOUT_TO);
    expect(await world.pass()).toMatchObject({ kind: 'waiting', reason: 'RegistryUnreachable' });
    expect(world.kinds()).toEqual(records);
    world.admissions.push(UNREACHABLE);
    expect(await world.pass()).toMatchObject({ kind: 'waiting', wake: 'registry' });
    expect(world.state()).toBe('releasing RegistryUnreachable');
    expect(world.writes.length).toBe(writes);

    world.hasReached = true;
    await world.pass();
    expect(world.kernel.devices()).toEqual([]);
  });

  test('a removal that was begun before is not gone on with', async () => {
    await world.withdraw();
    const generation = { epoch: 1, sequence: 1 };
    await world.record({ kind: 'releasing', v: 1, uuid: UUID, generation, cause: 'Withdrawn' });
    expect(await world.pass()).toMatchObject({ kind: 'waiting', reason: 'RegistryUnreachable' });
    expect(world.kernel.devices()).toHaveLength(1);
  });

  test('nothing is made on the word of a journal that was made again: the UUID may have been given back', async () => {
    world.isMadeAgain = true;
    await world.clock.until(world.kernel.remove(UUID));
    expect(await world.pass()).toMatchObject({ kind: 'waiting', reason: 'RegistryUnreachable' });
    expect(world.kernel.devices()).toEqual([]);
    world.hasReached = true;
    expect(await world.pass()).toMatchObject({ kind: 'settled' });
  });

  test('a device that is held and gone is made again', async () => {
    await world.clock.until(world.kernel.remove(UUID));
    expect(await world.pass()).toMatchObject({ kind: 'settled' });
    expect(world.kernel.devices()).toMatchObject([{ uuid: UUID, ...PLACE }]);
  });
});
