/**
 * Devices that nobody declared: they are shown as they come and go, and never touched.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeRecord } from '../../events/record.ts';
import { Unmanaged } from '../../reconciler/unmanaged.ts';
import { HOST, PLACE, READY, ready, UUID, unreadable, uuidOf, World } from './pass-world.ts';
import { Loop } from './reconciler-world.ts';

const MINUTE_MS = 60_000;
const FOREIGN = uuidOf(9);

/** As an agent that was just started looks, to which nothing was recorded a short time ago. */
async function survey(world: World): Promise<number | null> {
  const { journal, clock, limits, acting } = world;
  return clock.until(new Unmanaged({ journal, clock, limits, host: acting.host }).look());
}

async function withForeign(): Promise<World> {
  const world = new World();
  await world.clock.until(world.kernel.create(FOREIGN, PLACE));
  await survey(world);
  return world;
}

describe('a device that nobody declared', () => {
  test('is recorded once, with its place, and shown', async () => {
    const world = await withForeign();
    await survey(world);
    expect(world.kinds(FOREIGN)).toEqual(['unmanaged']);
    expect(world.rows(FOREIGN)).toMatchObject([
      { uuid: FOREIGN, host: HOST, ...PLACE, state: 'unmanaged', generation: null },
    ]);
  });

  test('is recorded again when it is another one, and when it is gone', async () => {
    const world = await withForeign();
    await world.clock.until(world.kernel.remove(FOREIGN));
    await world.clock.until(world.kernel.create(FOREIGN, { parent: 'gpu1', type: 'big' }));
    await survey(world);
    expect(world.rows(FOREIGN)).toMatchObject([{ parent: 'gpu1', type: 'big' }]);
    await world.clock.until(world.kernel.remove(FOREIGN));
    await survey(world);
    expect(world.kinds(FOREIGN)).toEqual(['unmanaged', 'unmanaged', 'unmanaged']);
    expect(world.rows(FOREIGN)).toEqual([]);
  });

  test('is not recorded while its create has not finished', async () => {
    const world = new World({ kernel: { probeMs: 1_000 } });
    const made = world.kernel.create(FOREIGN, PLACE);
    await survey(world);
    expect(world.kinds(FOREIGN)).toEqual([]);
    await world.clock.until(made);
    await survey(world);
    expect(world.state(FOREIGN)).toBe('unmanaged');
  });

  test('is looked at again in a while when something about it is not durable yet', async () => {
    const world = new World();
    await world.clock.until(world.kernel.create(FOREIGN, PLACE));
    const underWay = world.journal.append({
      facts: [{ kind: 'unmanaged', v: 1, uuid: FOREIGN, device: null }],
    });
    await new Loop(world).start();
    await world.clock.until(underWay);
    await world.clock.advance(1_000);
    expect(world.state(FOREIGN)).toBe('unmanaged');
  });

  test('is left as it is shown while the host cannot be read', async () => {
    const world = await withForeign();
    world.answers.set('survey', unreadable);
    await survey(world);
    expect(world.state(FOREIGN)).toBe('unmanaged');
  });

  test('is not written to by a whole agent in an hour, and is seen by it as it comes and goes', async () => {
    const world = new World();
    const loop = new Loop(world);
    await loop.start();
    await world.clock.until(world.kernel.create(FOREIGN, PLACE));
    await world.clock.advance(MINUTE_MS);
    expect(world.state(FOREIGN)).toBe('unmanaged');
    await world.clock.advance(60 * MINUTE_MS);
    expect(world.writes).toEqual([]);
    await world.clock.until(world.kernel.remove(FOREIGN));
    await world.clock.advance(MINUTE_MS);
    expect(world.rows(FOREIGN)).toEqual([]);
  });

  test('and then is declared where it stands, is adopted; withdrawn, it is ours to remove', async () => {
    const world = await withForeign();
    await world.declare(FOREIGN);
    expect(world.state(FOREIGN)).toBe('waiting');
    await world.pass(FOREIGN);
    await survey(world);
    expect(world.state(FOREIGN)).toBe('ready');
    expect(world.last('active', FOREIGN)).toMatchObject({ how: 'adopted' });
  });

  test('and then is declared elsewhere, is a conflict, and unmanaged again once that is withdrawn', async () => {
    const world = await withForeign();
    await world.declare(FOREIGN, { parent: 'gpu1' });
    await world.pass(FOREIGN);
    await survey(world);
    expect(world.state(FOREIGN)).toBe('conflict ForeignDevice');
    await world.withdraw(FOREIGN);
    expect(await world.pass(FOREIGN)).toMatchObject({ kind: 'settled' });
    await survey(world);
    expect(world.state(FOREIGN)).toBe('unmanaged');
    expect(world.writes).toEqual([]);
  });
});

describe('a device of this host', () => {
  test('is not taken for unmanaged, held or on its way out', async () => {
    const world = await ready();
    await survey(world);
    expect(world.kinds()).toEqual(READY);
    world.kernel.hold(UUID);
    await world.withdraw();
    await survey(world);
    expect(world.kinds()).toEqual([...READY, 'declared']);
  });

  test('is not taken for unmanaged when it was seen just before it was removed and given back', async () => {
    const world = await ready();
    await world.withdraw();
    const devices = [{ uuid: UUID, ...PLACE }];
    world.answers.set('survey', async () => {
      await world.pass();
      return { kind: 'devices', devices };
    });
    expect(await survey(world)).toBe(world.limits.retryDelayMsMin);
    expect(world.rows()).toEqual([]);
    expect(await survey(world)).toBeNull();
    expect(world.kinds().at(-1)).toBe('gone');
  });
});

describe('a look at everything', () => {
  test('leaves out what has names that no journal can take, and records the others', async () => {
    const world = new World();
    const devices = [
      { uuid: uuidOf(8), parent: 'gpu0', type: 'a type with blanks' },
      { uuid: FOREIGN, ...PLACE },
    ];
    world.answers.set('survey', () => ({ kind: 'devices', devices }));
    await survey(world);
    expect(world.kinds(uuidOf(8))).toEqual([]);
    expect(world.kinds(FOREIGN)).toEqual(['unmanaged']);
  });

  test('that fails is told, and is no reason not to look again', async () => {
    const world = new World();
    const fault = new Error('a bug');
    world.answers.set('survey', () => Promise.reject(fault));
    const loop = new Loop(world);
    await loop.start();
    expect(loop.failed).toEqual([fault]);
    await world.clock.until(world.kernel.create(FOREIGN, PLACE));
    await world.clock.advance(MINUTE_MS);
    expect(world.state(FOREIGN)).toBe('unmanaged');
  });

  test('is made again when something was decided about a device meanwhile', async () => {
    const world = new World();
    await world.clock.until(world.kernel.create(FOREIGN, PLACE));
    world.before.set('survey', () => world.withdraw(FOREIGN));
    const loop = new Loop(world);
    await loop.start();
    await world.clock.advance(world.limits.lookRestMs + 10);
    expect(world.state(FOREIGN)).toBe('unmanaged');
  });

  test('that is asked for while one runs, is made once more afterwards', async () => {
    const world = new World();
    const loop = new Loop(world);
    world.before.set('survey', () => new Promise<void>((resolve) => void world.clock.after(1_000, resolve)));
    await loop.start();
    await world.clock.until(world.kernel.create(FOREIGN, PLACE));
    expect(world.kinds(FOREIGN)).toEqual([]);
    await world.clock.advance(1_000);
    expect(world.state(FOREIGN)).toBe('unmanaged');
  });
});

test('a look that ends when the loop was stopped already is the last one', async () => {
  const world = await withForeign();
  const { clock, kernel } = world;
  const loop = new Loop(world);
  await loop.start();
  await clock.until(kernel.remove(FOREIGN));
  await clock.advance(10);
  await clock.until(kernel.create(FOREIGN, PLACE));
  world.before.set('survey', () => new Promise<void>((resolve) => void clock.after(1_000, resolve)));
  loop.reconciler.triggerAll('command');
  await clock.until(loop.reconciler.stop());
  await clock.advance(2_000);
  expect(clock.pendingMs).toEqual([]);
});

describe('devices that another program makes and removes all the time', () => {
  const uuids = [uuidOf(7), uuidOf(8), FOREIGN];
  const places = [PLACE, { ...PLACE, parent: 'gpu1' }];
  const deed = fc.record({
    uuid: fc.constantFrom(...uuids),
    /** Null to remove it. */
    place: fc.constantFrom(null, ...places),
    thenMs: fc.nat(3_000),
  });

  type Deed = typeof deed extends fc.Arbitrary<infer D> ? D : never;

  /** Does it, and lets time pass; what is seen for the first time is to be recorded soon. */
  async function act(world: World, { uuid, place, thenMs }: Deed): Promise<void> {
    const { kernel, clock } = world;
    const isFirst = place !== null && world.facts(uuid).length === 0;
    await clock.until(place === null ? kernel.remove(uuid) : kernel.create(uuid, place));
    await clock.advance(isFirst ? Math.max(thenMs, world.limits.lookRestMs + 100) : thenMs);
    if (isFirst) expect(world.state(uuid)).toBe('unmanaged');
  }

  /** The times between what was recorded of the UUID, by the clock of the world. */
  function gapsMs(world: World, uuid: string): readonly number[] {
    const all = world.journal.read(0, Number.MAX_SAFE_INTEGER).map(({ bytes }) => decodeRecord(bytes));
    const times = all.filter(({ envelope }) => envelope.uuid === uuid).map(({ envelope }) => envelope.time);
    return times.slice(1).map((time, at) => Date.parse(time) - Date.parse(times[at] ?? ''));
  }

  test('are recorded so often and no more, the first time soon, and in the end as they are', async () => {
    const property = fc.asyncProperty(fc.array(deed, { maxLength: 30 }), async (deeds) => {
      const world = new World();
      await new Loop(world).start();
      for (const one of deeds) await act(world, one);
      const { unmanagedRecordMsMin, lookRestMs } = world.limits;
      await world.clock.advance(unmanagedRecordMsMin + lookRestMs + 100);
      for (const uuid of uuids) {
        const there = world.kernel.device(uuid);
        const place = there === undefined ? null : { parent: there.parent, type: there.type };
        expect(world.journal.device(uuid).unmanaged).toEqual(place);
        expect(gapsMs(world, uuid).filter((ms) => ms < unmanagedRecordMsMin)).toEqual([]);
      }
    });
    await fc.assert(property, { numRuns: 40 });
  });

  test('cost a few looks a second, and a journal a few records a minute', async () => {
    const world = new World();
    let looks = 0;
    const count = (): void => {
      looks += 1;
      world.before.set('survey', count);
    };
    count();
    await new Loop(world).start();
    for (let round = 0; round < 300; round += 1) {
      await world.clock.until(world.kernel.create(FOREIGN, PLACE));
      await world.clock.advance(100);
      await world.clock.until(world.kernel.remove(FOREIGN));
      await world.clock.advance(100);
    }
    const most = MINUTE_MS / world.limits.unmanagedRecordMsMin + 1;
    expect(world.kinds(FOREIGN).length).toBeLessThanOrEqual(most);
    expect(world.kinds(FOREIGN).length).toBeGreaterThan(1);
    expect(looks).toBeLessThanOrEqual(world.clock.monotonicMs() / world.limits.lookRestMs + 2);
  });
});
