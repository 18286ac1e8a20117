/**
 * The journal is its own outbox: what the observed stream gets is the journal, in order, whatever is lost on the way.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { StreamUnavailable } from '../../events/stream.ts';
import { FORWARD_BATCH_MAX, JournalRolledBack } from '../../store/forward.ts';
import { FACT, UUID, World } from './forward-world.ts';

const upTo = (last: number) => Array.from({ length: last }, (_, at) => at + 1);

describe('forwarding', () => {
  test('takes every record in order, as it is, under its subject and an id that names its hash', async () => {
    const world = new World();
    await world.record(2);
    expect(await world.flush()).toBe(true);
    const records = world.journal.read(0, 10);
    expect((await world.messages()).map(({ data }) => data)).toEqual(records.map(({ bytes }) => bytes));
    expect((await world.messages()).map(({ subject }) => subject)).toEqual([
      'mdev.observed.host-1._',
      `mdev.observed.host-1.${UUID}`,
      `mdev.observed.host-1.${UUID}`,
    ]);
    expect((await world.messages()).map(({ id }) => id?.split(' ')[0])).toEqual(
      records.map(({ seq, hash }) => `journal-1-${seq}-${hash}`),
    );
    expect(world.forwarder.backlog).toBe(0);
  });

  test('sends nothing twice, and nothing at all when there is nothing new', async () => {
    const world = new World();
    await world.flush();
    await world.record();
    await world.flush();
    const { batches } = world.line;
    expect(await world.flush()).toBe(true);
    expect(world.line.batches).toBe(batches);
    expect(await world.observed()).toEqual([1, 2]);
  });

  test('takes a long journal in batches', async () => {
    const world = new World();
    await world.record(2 * FORWARD_BATCH_MAX);
    expect(await world.flush()).toBe(true);
    expect(world.line.batches).toBe(3);
    expect(await world.observed()).toEqual(upTo(2 * FORWARD_BATCH_MAX + 1));
  });

  test('sends nothing before it is durable', async () => {
    const world = new World();
    await world.flush();
    const recording = world.journal.append({ facts: [FACT] });
    expect(await world.forwarder.flush()).toBe(true);
    expect(await world.observed()).toEqual([1]);
    await world.clock.until(recording);
    await world.flush();
    expect(await world.observed()).toEqual([1, 2]);
  });

  test('takes along what is recorded while it is under way', async () => {
    const world = new World();
    const flushing = world.forwarder.flush();
    await world.record();
    await world.clock.until(flushing);
    expect(await world.observed()).toEqual([1, 2]);
  });

  test('moves its position only on the word of the server', async () => {
    const world = new World();
    await world.record(3);
    world.line.fates.push({ stored: 2 });
    expect(await world.flush()).toBe(false);
    expect(world.journal.positions()).toMatchObject({ forwarded: 2, witnessed: 2 });
    expect(world.forwarder.backlog).toBe(2);
  });
});

describe('after an unknown outcome', () => {
  test.each([
    { what: 'that stored all', fate: { answered: false } },
    { what: 'that stored some', fate: { stored: 2, answered: false } },
    { what: 'that stored nothing', fate: { stored: 0 } },
    { what: 'that answered for some', fate: { stored: 2 } },
    { what: 'in the middle of others', fate: { silent: 1 } },
  ])('$what, what the stream has is read first, and nothing is repeated', async ({ fate }) => {
    const world = new World();
    await world.record(3);
    world.line.fates.push(fate);
    expect(await world.flush()).toBe(false);
    expect(await world.flush()).toBe(true);
    expect(await world.observed()).toEqual([1, 2, 3, 4]);
    expect(world.journal.positions()).toMatchObject({ forwarded: 4, witnessed: 4 });
  });

  test('an agent that is started anew goes on where the stream stands', async () => {
    const world = new World();
    await world.record(3);
    world.line.fates.push({ answered: false });
    await world.flush();
    world.restart();
    await world.record();
    expect(await world.flush()).toBe(true);
    expect(await world.observed()).toEqual([1, 2, 3, 4, 5]);
  });

  test('an agent that was killed before it could record an acknowledgement repeats nothing', async () => {
    const world = new World();
    await world.record(3);
    void world.forwarder.flush();
    for (let turn = 0; turn < 20 && (await world.observed()).length < 4; turn += 1) await Promise.resolve();
    expect(world.journal.positions().forwarded).toBe(0);
    world.restart();
    expect(await world.flush()).toBe(true);
    expect(await world.observed()).toEqual([1, 2, 3, 4]);
  });

  test('a server that cannot be read is said to be so, and tried again later', async () => {
    const world = new World();
    world.line.down = true;
    await expect(world.flush()).rejects.toThrow(StreamUnavailable);
    expect(world.line.batches).toBe(0);
    world.line.down = false;
    expect(await world.flush()).toBe(true);
    expect(await world.observed()).toEqual([1]);
  });

  test('a journal that cannot record the position is no reason to send the same over and over', async () => {
    const world = new World();
    await world.record(3);
    world.disk.full = true;
    for (let attempt = 0; attempt < 3; attempt += 1) expect(await world.flush()).toBe(false);
    world.disk.full = false;
    expect(await world.flush()).toBe(true);
    expect(await world.observed()).toEqual([1, 2, 3, 4]);
  });
});

describe('the stream is the witness', () => {
  test('a journal that was put back is noticed at once, though it has nothing to forward', async () => {
    const world = new World();
    await world.record(2);
    await world.flush();
    const copy = world.disk.copy();
    await world.record(3);
    await world.flush();
    world.putBack(copy);
    expect(world.forwarder.backlog).toBe(0);
    await expect(world.flush()).rejects.toThrow(/has record 4 of journal journal-1 .* ends at record 3/);
    expect(await world.observed()).toEqual(upTo(6));
  });

  test('and so is one that has gone on since, however far', async () => {
    const world = new World();
    await world.flush();
    const copy = world.disk.copy();
    await world.record(3);
    await world.flush();
    world.putBack(copy);
    await world.clock.advance(1000);
    await world.record(8);
    await expect(world.flush()).rejects.toThrow(JournalRolledBack);
    await expect(world.flush()).rejects.toThrow(/has another record 2/);
    expect(await world.observed()).toEqual(upTo(4));
  });

  test.each([0, 1, 3])(
    'a stream that was made anew with %i of its messages gets the others again',
    async (kept) => {
      const world = new World();
      await world.record(4);
      await world.flush();
      await world.line.recreate(kept);
      world.forwarder.doubt();
      expect(await world.flush()).toBe(true);
      expect(await world.observed()).toEqual(upTo(5));
      expect(world.journal.positions()).toMatchObject({ forwarded: 5, witnessed: 5 });
    },
  );

  test('a fact that came late to a stream that went back does not stand for those before it', async () => {
    const world = new World();
    await world.record(3);
    await world.flush();
    const [last] = (await world.messages()).slice(-1);
    await world.line.recreate(1);
    if (last !== undefined) await world.line.inner.append({ ...last, id: last.id ?? '' });
    world.forwarder.doubt();
    expect(await world.flush()).toBe(true);
    expect(await world.observed()).toEqual([1, 4, 2, 3, 4]);
  });

  test('a stream that went back while the connection stayed is noticed by its sequences', async () => {
    const world = new World();
    await world.record(3);
    await world.flush();
    await world.line.recreate(0);
    await world.record();
    expect(await world.flush()).toBe(false);
    expect(await world.flush()).toBe(true);
    expect(await world.observed()).toEqual([5, 1, 2, 3, 4, 5]);
  });

  test('a stream that came into doubt while facts were on their way is read all the same', async () => {
    const world = new World();
    await world.record(3);
    const flushing = world.forwarder.flush();
    await Promise.resolve();
    world.forwarder.doubt();
    await world.clock.until(flushing);
    await world.line.recreate(0);
    expect(await world.clock.until(world.forwarder.resolve())).toBe(true);
    expect(world.journal.positions()).toMatchObject({ forwarded: 0, witnessed: 0 });
  });

  test('a stream that is as it was is read, and not written to', async () => {
    const world = new World();
    await world.record(4);
    await world.flush();
    const { batches } = world.line;
    world.forwarder.doubt();
    expect(await world.flush()).toBe(true);
    expect(world.line.batches).toBe(batches);
  });
});

describe('other journals of the same host', () => {
  test('do not count as this one, whatever they are called', async () => {
    const world = new World('journal-10');
    await world.record(5);
    await world.flush();
    for (const journal of ['journal-1', 'journal-2']) {
      world.replace(journal);
      await world.record();
      expect(await world.flush()).toBe(true);
      expect(await world.observed()).toEqual([1, 2]);
    }
  });
});

const act = fc.oneof(
  fc.record({ do: fc.constant('record' as const), times: fc.integer({ min: 1, max: 4 }) }),
  fc.record({
    do: fc.constant('flush' as const),
    fate: fc.record({ stored: fc.nat(5), silent: fc.nat(5), answered: fc.boolean() }, { requiredKeys: [] }),
  }),
  fc.record({ do: fc.constant('crash' as const), turns: fc.nat(12) }),
  fc.record({ do: fc.constant('full' as const), on: fc.boolean() }),
  fc.record({ do: fc.constant('down' as const), on: fc.boolean() }),
);

describe('whatever is lost', () => {
  test('the observed stream is the journal, in order and without repeats', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 30, size: 'max' }), async (script) => {
        const world = new World();
        for (const one of script) await play(world, one);
        world.disk.full = false;
        world.line.down = false;
        world.line.fates.length = 0;
        while (!(await world.flush()));
        expect(await world.observed()).toEqual(upTo(world.journal.tail().seq));
        expect(world.journal.positions().forwarded).toBe(world.journal.tail().seq);
      }),
    );
  });

  async function play(
    world: World,
    one: typeof act extends fc.Arbitrary<infer T> ? T : never,
  ): Promise<void> {
    switch (one.do) {
      case 'record':
        return world.record(one.times);
      case 'flush':
        world.line.fates.push(one.fate);
        return void (await world.flush().catch(() => false));
      case 'crash':
        void world.forwarder.flush().catch(() => false);
        for (let turn = 0; turn < one.turns; turn += 1) await Promise.resolve();
        return world.restart();
      case 'full':
        world.disk.full = one.on;
        return;
      case 'down':
        world.line.down = one.on;
        return;
      default:
        return one satisfies never;
    }
  }
});
