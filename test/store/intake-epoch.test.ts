/**
 * The first look at a stream, and streams that are not what they were: a new epoch begins, and nothing is ever
 * withdrawn because an event is missing.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { StreamUnavailable } from '../../events/stream.ts';
import { type Declared, UUID, uuidOf, World } from './intake-world.ts';

/** A journal that has seen three declarations: two devices that are wanted, and one that was. */
async function informed(): Promise<World> {
  const world = new World();
  await world.sync();
  await world.present();
  await world.present({ uuid: uuidOf(2) });
  await world.present({ uuid: uuidOf(3) });
  await world.absent({ uuid: uuidOf(3) });
  await world.sync();
  return world;
}

/** What is desired, and refused, of the UUIDs of these tests. */
function folded(world: World): unknown {
  return [1, 2, 3].map((n) => {
    const { desired, refused, terminal } = world.device(uuidOf(n));
    return { desired, refused, terminal };
  });
}

async function publish(world: World, what: string, declared: Declared): Promise<void> {
  if (what === 'present') await world.present(declared);
  else if (what === 'absent') await world.absent(declared);
  else await world.raw('rubbish', declared.uuid);
}

function wanted(world: World): readonly string[] {
  return [1, 2, 3].map((n) => world.device(uuidOf(n)).desired?.kind ?? 'nothing');
}

const INFORMED = ['present', 'present', 'absent'];

describe('a journal that begins', () => {
  test('takes what was declared before, and begins its first epoch at the last message that it received', async () => {
    const world = await informed();
    await world.present({ host: 'host-2' });
    world.restartEmpty();
    await world.sync();
    expect(wanted(world)).toEqual(INFORMED);
    expect(world.epochs()).toEqual(['First 1']);
    expect(world.cursor()).toBe(4);
  });

  test.each([0, 1, 3])(
    'misses nothing where a replica has %i messages that knows the last words',
    async (has) => {
      const world = await informed();
      world.restartEmpty();
      world.replica.consumerHas = has;
      await world.sync();
      expect(wanted(world)).toEqual(INFORMED);
    },
  );

  test('reads the last word on each of its subjects and their history, never the stream from its beginning', async () => {
    const world = await informed();
    world.restartEmpty();
    world.replica.asked.length = 0;
    await world.sync();
    const wide = world.replica.asked.filter((one) => one.includes('*'));
    expect(wide).toEqual(['mdev.desired.host-1.* after 3']);
  });

  test('folds a long history as one does that saw everything come', async () => {
    const declared = fc.record({
      uuid: fc.integer({ min: 1, max: 3 }).map(uuidOf),
      what: fc.constantFrom('present', 'absent', 'rubbish'),
      parent: fc.constantFrom('gpu0', 'gpu1'),
      id: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(declared, { maxLength: 30, size: 'max' }), async (events) => {
        const world = new World();
        await world.sync();
        for (const { what, ...declared } of events) {
          await publish(world, what, declared);
          await world.sync();
        }
        const live = folded(world);
        world.restartEmpty();
        await world.sync();
        expect(folded(world)).toEqual(live);
      }),
    );
  });

  test('takes a long history of one device, in batches', async () => {
    const world = new World();
    for (let n = 0; n < 600; n += 1) await world.present({ type: `type-${n}` });
    await world.sync();
    expect(world.outcomes()).toHaveLength(600);
    expect(world.device().desired).toMatchObject({ claim: { type: 'type-599' } });
  });

  test('takes no history with holes from a replica that is behind, but asks again', async () => {
    const world = await informed();
    await world.present({ parent: 'gpu1' });
    world.restartEmpty();
    world.replica.has = 3;
    await expect(world.sync()).rejects.toThrow(StreamUnavailable);
    expect(world.cursor()).toBeUndefined();
    world.replica.has = Number.POSITIVE_INFINITY;
    await world.sync();
    expect(world.facts('declared').filter(({ uuid }) => uuid === UUID)).toHaveLength(2);
    expect(wanted(world)).toEqual(INFORMED);
  });

  test('on a stream without a message begins at its beginning', async () => {
    const world = new World();
    await world.sync();
    expect(world.epochs()).toEqual(['First 1']);
    expect(world.cursor()).toBe(0);
    await world.present();
    await world.sync();
    expect(world.outcomes()).toEqual(['claimed']);
  });

  test('that was killed before its first epoch began, takes nothing twice', async () => {
    const world = await informed();
    world.restartEmpty();
    void world.desired.sync().catch(() => undefined);
    for (let turn = 0; turn < 3; turn += 1) await world.clock.advance(0);
    world.restart();
    await world.sync();
    expect(world.outcomes()).toHaveLength(4);
    expect(wanted(world)).toEqual(INFORMED);
  });
});

describe('a stream that is not what it was', () => {
  test('because it was made anew, empty: everything stays as declared', async () => {
    const world = await informed();
    world.streams.desired.recreate('2026-02-02T00:00:00Z');
    world.desired.reconnected();
    await world.sync();
    expect(world.epochs()).toEqual(['First 1', 'Recreated 2']);
    expect(wanted(world)).toEqual(INFORMED);
    expect(world.cursor()).toBe(0);
  });

  test('because it was made anew with other contents: its last words are taken', async () => {
    const world = await informed();
    world.streams.desired.recreate('2026-02-02T00:00:00Z');
    await world.absent({ uuid: uuidOf(2) });
    world.desired.reconnected();
    await world.sync();
    expect(wanted(world)).toEqual(['present', 'absent', 'absent']);
    expect(world.device(uuidOf(2)).desired?.generation).toEqual({ epoch: 2, sequence: 1 });
  });

  test('because it lost its end: nothing is withdrawn, and what comes then is read', async () => {
    const world = await informed();
    world.streams.desired.truncate(2);
    world.desired.reconnected();
    await world.sync();
    expect(world.epochs()).toEqual(['First 1', 'Rewound 2']);
    expect(wanted(world)).toEqual(INFORMED);
    await world.absent();
    await world.sync();
    expect(wanted(world)).toEqual(['absent', 'present', 'absent']);
    expect(world.device().desired?.generation).toEqual({ epoch: 2, sequence: 3 });
  });

  test('because it lost its end and grew beyond it again', async () => {
    const world = await informed();
    world.streams.desired.truncate(2);
    for (let n = 0; n < 4; n += 1) await world.present({ uuid: uuidOf(2), parent: `gpu${n}` });
    world.desired.reconnected();
    await world.sync();
    expect(world.epochs()).toEqual(['First 1', 'Changed 2']);
    expect(world.device(uuidOf(2)).desired).toMatchObject({
      claim: { parent: 'gpu3' },
      generation: { epoch: 2 },
    });
  });

  test('is noticed by a ring at or below the cursor, also without a new connection', async () => {
    const world = await informed();
    world.streams.desired.truncate(2);
    const sequence = await world.absent({ uuid: uuidOf(2) });
    await world.sync({ stream: 'desired', sequence });
    expect(world.epochs()).toEqual(['First 1', 'Rewound 2']);
    expect(wanted(world)).toEqual(['present', 'absent', 'absent']);
  });

  test('is noticed when it lost its end and grew beyond it again, though no ring was heard', async () => {
    const world = await informed();
    world.streams.desired.truncate(2);
    for (let n = 0; n < 4; n += 1) await world.present({ uuid: uuidOf(2), parent: `gpu${n}` });
    await world.sync();
    expect(world.epochs()).toEqual(['First 1', 'Changed 2']);
    expect(world.device(uuidOf(2)).desired).toMatchObject({ claim: { parent: 'gpu3' } });
  });

  test('does not resurrect what was withdrawn with the word that is last again', async () => {
    const world = await informed();
    world.streams.desired.truncate(3);
    world.desired.reconnected();
    await world.sync();
    expect(wanted(world)).toEqual(INFORMED);
    expect(world.outcomes()).toHaveLength(4);
  });

  test('is read whole, though what is last in it again was known', async () => {
    const world = await informed();
    await world.absent({ id: 'late' });
    await world.sync();
    world.streams.desired.truncate(3);
    await world.present();
    await world.present();
    await world.absent({ id: 'late' });
    world.desired.reconnected();
    await world.sync();
    expect(wanted(world)).toEqual(INFORMED);
  });

  test.each([
    ['that stood still and has not heard what was written since', 2, ['First 1']],
    ['that goes on saying so', 3, ['First 1', 'Rewound 2']],
  ])('is believed to be so of a server %s', async (_, looks, epochs) => {
    const world = await informed();
    world.replica.leaderHas = { last: 2, looks };
    world.desired.reconnected();
    await world.sync();
    expect(world.epochs()).toEqual(epochs);
    expect(wanted(world)).toEqual(INFORMED);
  });

  test('is not suspected where it is the same', async () => {
    const world = await informed();
    world.desired.reconnected();
    await world.sync({ stream: 'desired', sequence: 1 });
    expect(world.epochs()).toEqual(['First 1']);
  });
});

describe('a ring', () => {
  test('ahead of the replica that answers is waited for, a little', async () => {
    const world = await informed();
    const sequence = await world.absent();
    world.replica.has = sequence - 1;
    void world.clock.after(30, () => {
      world.replica.has = sequence;
    });
    await world.sync({ stream: 'desired', sequence });
    expect(wanted(world)).toEqual(['absent', 'present', 'absent']);
  });

  test('of a message that the leader has and no replica shows is not given up', async () => {
    const world = await informed();
    const sequence = await world.absent();
    world.replica.has = sequence - 1;
    await expect(world.sync({ stream: 'desired', sequence })).rejects.toThrow(StreamUnavailable);
    world.replica.has = sequence;
    await world.sync();
    expect(wanted(world)).toEqual(['absent', 'present', 'absent']);
    expect(world.epochs()).toEqual(['First 1']);
  });

  test.each([
    { what: 'of a message that is not there', sequence: 999 },
    { what: 'of a message for another host', sequence: 5 },
  ])('$what is not believed, and soon forgotten', async ({ sequence }) => {
    const world = await informed();
    await world.present({ host: 'host-2' });
    await world.sync({ stream: 'desired', sequence });
    world.replica.asked.length = 0;
    await world.sync();
    expect(world.replica.asked).toHaveLength(1);
    expect(world.epochs()).toEqual(['First 1']);
  });

  test('of a message that is gone makes it look whether the stream is the one it was', async () => {
    const world = await informed();
    world.streams.desired.recreate('2026-02-02T00:00:00Z');
    await world.sync({ stream: 'desired', sequence: 999 });
    expect(world.epochs()).toEqual(['First 1', 'Recreated 2']);
  });

  test('of another stream, or of nothing in particular, is only a reason to look', async () => {
    const world = await informed();
    await world.absent();
    await world.sync({ stream: 'command', sequence: 1 });
    expect(wanted(world)).toEqual(['absent', 'present', 'absent']);
  });
});
