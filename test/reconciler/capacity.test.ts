/**
 * A parent without room: what is told of it, that it is looked at afresh, and who hears of room that is given back.
 */
import { describe, expect, test } from 'vitest';
import { noInstance } from '../../reconciler/capacity.ts';
import { E } from '../../reconciler/errno-numbers.ts';
import { errnoAnswer, PLACE, UUID, uuidOf, World, type WorldOptions } from './pass-world.ts';
import { Loop } from './reconciler-world.ts';

const MINUTE_MS = 60_000;
const BIG = { parent: 'gpu0', type: 'big' };

describe('the sentence about what takes the room', () => {
  const standing = (n: number, type: string | null) => ({ uuid: uuidOf(n), type });
  const cases = [
    {
      taken: { count: 2, first: [standing(1, 'small'), standing(2, 'big')] },
      says: `: taken by 2 devices, ${uuidOf(1)}, ${uuidOf(2)} (big)`,
    },
    {
      taken: { count: 1, first: [standing(1, null)] },
      says: `: taken by 1 device, ${uuidOf(1)} (coming or going)`,
    },
    {
      taken: { count: 9, first: [standing(1, 'small'), standing(2, 'small')] },
      says: `: taken by 9 devices, ${uuidOf(1)}, ${uuidOf(2)}, and 7 more`,
    },
    {
      taken: { count: 0, first: [] },
      says: ': no device stands on it, so the driver itself has none to give',
    },
    { taken: null, says: '' },
  ];

  test.each(cases)('says$says', ({ taken, says }) => {
    expect(noInstance(PLACE, taken)).toBe(`no instance of small is available on gpu0${says}`);
  });
});

/** A world whose parent gpu0 is full: a small device of somebody else, and one big one. */
async function full(options: WorldOptions = {}): Promise<World> {
  const types = [{ name: 'small' }, { name: 'big', units: 4 }];
  const world = new World({ kernel: { parents: [{ name: 'gpu0', units: 5, types }] }, ...options });
  await world.clock.until(world.kernel.create(uuidOf(8), PLACE));
  await world.clock.until(world.kernel.create(uuidOf(9), BIG));
  await world.declare();
  return world;
}

const TAKEN = `taken by 2 devices, ${uuidOf(8)}, ${uuidOf(9)} (big)`;

describe('a create without room', () => {
  test('is not made, and what takes the room is told', async () => {
    const world = await full();
    expect(await world.pass()).toMatchObject({ kind: 'waiting', reason: 'NoCapacity' });
    expect(world.writes).not.toContain('create');
    expect(world.last('waiting')?.message).toContain(TAKEN);
  });

  test.each([E.NOSPC, E.USERS])(
    'is told the same when only the write says so, with errno %i',
    async (errno) => {
      const world = await full();
      await world.clock.until(world.kernel.remove(uuidOf(8)));
      world.before.set('create', () => world.kernel.create(uuidOf(8), PLACE));
      world.answers.set('create', () => errnoAnswer(errno));
      expect(await world.pass()).toMatchObject({ kind: 'waiting', reason: 'NoCapacity' });
      expect(world.last('waiting')).toMatchObject({ reason: 'NoCapacity', errno });
      expect(world.last('waiting')?.message).toContain(TAKEN);
    },
  );

  test('is told also when the hint still promises an instance', async () => {
    const world = await full();
    await world.clock.until(world.kernel.remove(uuidOf(8)));
    world.answers.set('create', () => errnoAnswer(E.USERS));
    await world.pass();
    expect(world.last('waiting')?.message).toContain(`taken by 1 device, ${uuidOf(9)} (big)`);
  });

  test('is recorded once, whoever takes the room later', async () => {
    const world = await full();
    await world.pass();
    const kinds = world.kinds();
    await world.clock.until(world.kernel.remove(uuidOf(8)));
    await world.clock.until(world.kernel.create(uuidOf(7), PLACE));
    for (let count = 1; count < 4; count += 1) await world.pass(UUID, count);
    expect(world.kinds()).toEqual(kinds);
  });

  test('is made as soon as a look finds room: each one is new', async () => {
    const world = await full();
    await world.pass();
    await world.clock.until(world.kernel.remove(uuidOf(8)));
    expect(await world.pass()).toMatchObject({ kind: 'settled' });
  });
});

/** The loop on a full parent, whose waits end by themselves only after a long time. */
async function waiting(): Promise<Loop> {
  const waitDelayMsMax = { timer: 1e9, device: 1e9, registry: 1e9, parent: 1e9, hook: 1e9, command: 1e9 };
  const world = await full({
    limits: { waitDelayMsMax, retryDelayMsMin: 1e9, retryDelayMsMax: 1e9, resyncMs: 2e9 },
  });
  const loop = new Loop(world);
  await loop.start();
  await world.clock.advance(MINUTE_MS);
  expect(world.state()).toBe('waiting NoCapacity');
  return loop;
}

describe('room that is given back', () => {
  test('by a device of somebody else is noticed at once', async () => {
    const { world } = await waiting();
    await world.clock.until(world.kernel.remove(uuidOf(8)));
    await world.clock.advance(MINUTE_MS);
    expect(world.state()).toBe('ready');
  });

  test('by one of ours is noticed at once', async () => {
    const loop = await waiting();
    const { world } = loop;
    await world.declare(uuidOf(9), BIG);
    loop.reconciler.trigger(uuidOf(9), 'declaration');
    await world.clock.advance(MINUTE_MS);
    expect(world.state(uuidOf(9))).toBe('ready');
    await world.withdraw(uuidOf(9));
    loop.deaf = true;
    loop.reconciler.trigger(uuidOf(9), 'declaration');
    await world.clock.advance(MINUTE_MS);
    expect(world.state()).toBe('ready');
  });

  test('is not taken for given back when another create fails', async () => {
    const loop = await waiting();
    const { world } = loop;
    await world.clock.until(world.kernel.remove(uuidOf(9)));
    await world.clock.advance(MINUTE_MS);
    const rivals = [uuidOf(2), uuidOf(3)];
    world.kernel.addFault({ on: 'probe', parent: 'gpu0', errno: E.NOSPC });
    for (const uuid of rivals) await loop.declare(uuid);
    await world.clock.advance(10 * MINUTE_MS);
    expect(rivals.map((uuid) => world.state(uuid))).toEqual(['waiting NoCapacity', 'waiting NoCapacity']);
    for (const uuid of rivals) expect(loop.passes(uuid)).toBeLessThan(4);
  });
});
