/**
 * What is published becomes facts, each event once, with the cursor in the same commit.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { IntakeFailed } from '../../store/intake.ts';
import { factsIn, HOST, UUID, uuidOf, World } from './intake-world.ts';

async function listening(): Promise<World> {
  const world = new World();
  await world.sync();
  return world;
}

describe('what is published for this host', () => {
  test('is recorded in order, and who it is about is told once that is durable', async () => {
    const world = await listening();
    await world.present();
    await world.present({ uuid: uuidOf(2), type: 'big' });
    await world.absent();
    const told: boolean[] = [];
    const sync = world.sync();
    world.told.push = (...uuids) =>
      told.push(uuids.every((uuid) => world.device(uuid ?? '').desired !== null));
    await sync;
    expect(world.facts('declared').map(({ generation }) => generation.sequence)).toEqual([1, 2, 3]);
    expect(world.outcomes()).toEqual(['claimed', 'claimed', 'withdrawn']);
    expect(told).toEqual([true, true]);
  });

  test('moves the cursor in the commit that records it', async () => {
    const world = await listening();
    for (let n = 1; n <= 700; n += 1) await world.present({ uuid: uuidOf(n) });
    await world.sync();
    for (const { records, positions } of world.disk.batches) {
      const sequences = factsIn(records).flatMap((one) =>
        one.kind === 'declared' ? [one.generation.sequence] : [],
      );
      if (sequences.length > 0) expect(positions.desired?.sequence).toBe(sequences.at(-1));
    }
    expect(world.cursor()).toBe(700);
  });

  test('is committed as it is read, many at a time', async () => {
    const world = await listening();
    const before = world.disk.batches.length;
    for (let n = 1; n <= 700; n += 1) await world.present({ uuid: uuidOf(n) });
    await world.sync();
    expect(world.disk.batches.length - before).toBe(3);
  });

  test('is all that is read: other hosts are none of its business', async () => {
    const world = await listening();
    await world.present({ host: 'host-2' });
    await world.present();
    await world.sync();
    expect(world.facts('declared').map(({ claim }) => claim?.host)).toEqual([HOST]);
    expect(world.cursor()).toBe(2);
  });

  test('is found without a ring, when somebody looks', async () => {
    const world = await listening();
    await world.present();
    await world.sync(undefined);
    expect(world.outcomes()).toEqual(['claimed']);
  });

  test('while a look is under way is not missed', async () => {
    const world = await listening();
    await world.present();
    const first = world.desired.sync();
    await world.present({ uuid: uuidOf(2) });
    const second = world.desired.sync();
    await world.clock.until(Promise.all([first, second]));
    expect(world.outcomes()).toEqual(['claimed', 'claimed']);
  });
});

describe('an event that was recorded', () => {
  test('changes nothing when it comes again, however late, and the cursor goes past it', async () => {
    const world = await listening();
    await world.present({ id: 'first' });
    await world.absent();
    await world.sync();
    await world.present({ id: 'first' });
    await world.sync();
    expect(world.outcomes()).toEqual(['claimed', 'withdrawn']);
    expect(world.device().desired).toMatchObject({ kind: 'absent' });
    expect(world.cursor()).toBe(3);
  });

  test('changes nothing when it comes twice in one batch', async () => {
    const world = await listening();
    await world.present({ id: 'first' });
    await world.absent();
    await world.present({ id: 'first' });
    await world.sync();
    expect(world.outcomes()).toEqual(['claimed', 'withdrawn']);
  });

  test('is another one for another UUID', async () => {
    const world = await listening();
    await world.present({ id: 'same' });
    await world.present({ id: 'same', uuid: uuidOf(2) });
    await world.sync();
    expect(world.outcomes()).toEqual(['claimed', 'claimed']);
  });
});

describe('a second claim on this host', () => {
  async function withDevice(): Promise<World> {
    const world = await listening();
    await world.present();
    await world.sync();
    const about = { v: 1, uuid: UUID, generation: { epoch: 1, sequence: 1 } } as const;
    const claim = { host: HOST, parent: 'gpu0', type: 'small' };
    await world.record(
      { kind: 'claiming', ...about, claim },
      { kind: 'reserved', ...about, revision: 1 },
      { kind: 'active', ...about, how: 'created' },
    );
    return world;
  }

  test('is refused at its own generation while the first has a device', async () => {
    const world = await withDevice();
    await world.present({ parent: 'gpu1' });
    await world.sync();
    expect(world.outcomes()).toEqual(['claimed', 'refused']);
    expect(world.device()).toMatchObject({
      desired: { generation: { sequence: 1 }, claim: { parent: 'gpu0' } },
      refused: { generation: { sequence: 2 }, claim: { parent: 'gpu1' }, reason: 'ClaimDiffers' },
    });
  });

  test('takes the place of the one that it names', async () => {
    const world = await withDevice();
    await world.present({ parent: 'gpu1', replaces: { host: HOST, parent: 'gpu0', type: 'small' } });
    await world.sync();
    expect(world.outcomes()).toEqual(['claimed', 'replaced']);
  });

  test('is decided on what the events before it in the same batch left behind', async () => {
    const world = await withDevice();
    await world.absent();
    await world.present({ parent: 'gpu1' });
    await world.sync();
    expect(world.outcomes()).toEqual(['claimed', 'withdrawn', 'claimed']);
  });
});

describe('a journal that cannot be written', () => {
  test('loses nothing: the same is read again once there is room', async () => {
    const world = await listening();
    await world.present();
    await world.present({ uuid: uuidOf(2) });
    world.disk.full = true;
    await expect(world.sync()).rejects.toThrow(IntakeFailed);
    expect(world.told).toEqual([]);
    expect(world.cursor()).toBe(0);
    world.disk.full = false;
    await world.sync();
    expect(world.outcomes()).toEqual(['claimed', 'claimed']);
    expect(world.told).toEqual([UUID, uuidOf(2)]);
  });
});

/** What may happen in any order; `again` publishes an earlier event once more. */
const act = fc.oneof(
  fc.record({ do: fc.constant('present' as const), n: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ do: fc.constant('absent' as const), n: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ do: fc.constant('again' as const), nth: fc.nat(20) }),
  fc.record({ do: fc.constant('sync' as const) }),
  fc.record({ do: fc.constant('crash' as const), afterMs: fc.constantFrom(0, 1) }),
  fc.record({ do: fc.constant('full' as const), on: fc.boolean() }),
);

class Script {
  readonly world: World;
  /** Events by their ids, with the sequence at which each came first. */
  readonly first = new Map<string, number>();
  readonly #events: (() => Promise<number>)[] = [];

  constructor(world: World) {
    this.world = world;
  }

  async play(one: typeof act extends fc.Arbitrary<infer T> ? T : never): Promise<unknown> {
    switch (one.do) {
      case 'present':
      case 'absent':
        return this.#publish(one.do, uuidOf(one.n));
      case 'again':
        return this.#events[one.nth]?.();
      case 'sync':
        return this.world.sync().catch(() => undefined);
      case 'crash':
        return this.#crash(one.afterMs);
      case 'full':
        this.world.disk.full = one.on;
        return undefined;
      default:
        return one satisfies never;
    }
  }

  async #publish(what: 'present' | 'absent', uuid: string): Promise<void> {
    const id = `event-${this.#events.length}`;
    const publish = () => this.world[what]({ id, uuid });
    this.#events.push(publish);
    this.first.set(id, await publish());
  }

  /** Dies in the middle of reading. */
  async #crash(afterMs: number): Promise<void> {
    void this.world.desired.sync().catch(() => undefined);
    await this.world.clock.advance(afterMs);
    this.world.restart();
  }
}

describe('whatever happens between', () => {
  test('each event is recorded exactly once, at its first place in the stream', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 40, size: 'max' }), async (script) => {
        const played = new Script(await listening());
        for (const one of script) await played.play(one);
        const { world, first } = played;
        world.disk.full = false;
        await world.sync();
        const recorded = world
          .facts('declared')
          .map(({ event, generation }) => [event.id, generation.sequence]);
        expect(recorded).toEqual([...first]);
      }),
    );
  });
});
