/**
 * What every journal must do, wherever it keeps its records. Run on each adapter by a test of its own,
 * with as many random logs (`numRuns`) as its speed allows.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sha256 } from '../../../events/digest.ts';
import type { Fact } from '../../../events/fact.ts';
import { decodeRecord, NO_RECORD } from '../../../events/record.ts';
import { type Device, unknownDevice } from '../../../store/device.ts';
import { evolve } from '../../../store/evolve.ts';
import type { Append, AppendResult, Journal } from '../../../store/journal/journal.ts';
import type { Damaged, Verified } from '../../../store/journal/verify.ts';
import { rowsOf } from '../../../store/rows.ts';
import { anyFact } from './journal-facts.ts';
import { declared, durable, HOST, keyOf, large, MACHINE, OTHER_UUID, UUID } from './journal-fixture.ts';

/** A place for one journal, empty at first. */
export type JournalUnderTest = {
  /** Opens the journal, begun if need be, after the one before was closed. */
  open(onCommit?: (records: number) => void): Promise<Journal>;
  /** verify.ts on the closed journal. */
  verify(): Promise<Verified | Damaged>;
  /** While true, the disk has no room for more than a few bytes. */
  setFull(full: boolean): void;
};

const CURSOR = { epoch: 1, created: '2026-01-01T00:00:00Z', sequence: 7, digest: null };

export function journalContract(name: string, make: () => JournalUnderTest, numRuns: number): void {
  describe(`journal contract: ${name}`, () => {
    test('begins with a genesis record that says whose it is', async () => {
      const journal = await make().open();
      const [genesis, ...rest] = journal.read(0, 10);
      expect(rest).toEqual([]);
      expect(journal.identity).toEqual({ journal: 'journal-1', host: HOST, machine: MACHINE });
      expect(journal.tail()).toEqual({ seq: 1, hash: genesis?.hash });
      expect(genesis && decodeRecord(genesis.bytes)).toMatchObject({
        envelope: { seq: 1, prev: NO_RECORD, boot: 'boot-1' },
        fact: { kind: 'genesis', journal: 'journal-1', host: HOST, machine: MACHINE },
      });
      await journal.close();
    });

    test('appends of one turn share one commit, in order', async () => {
      const commits: number[] = [];
      const journal = await make().open((records) => commits.push(records));
      const numbers = Array.from({ length: 50 }, (_, index) => index + 1);
      const results = await Promise.all(numbers.map((n) => journal.append({ facts: [declared(UUID, n)] })));
      expect(commits).toEqual([50]);
      expect(results.flatMap(durable).map(({ seq }) => seq)).toEqual(numbers.map((n) => n + 1));
      await journal.append({ facts: [declared(UUID, 51), declared(UUID, 52)] });
      expect(commits).toEqual([50, 2]);
      await journal.close();
    });

    test('records are chained by the hash of their exact bytes, and carry the rows after their fact', async () => {
      const journal = await make().open();
      durable(await journal.append({ facts: [declared(UUID, 1), { kind: 'stopped', v: 1 }] }));
      durable(await journal.append({ facts: [declared(UUID, 2)] }));
      const records = journal.read(0, 10);
      let prev = NO_RECORD;
      let device = unknownDevice(HOST, UUID);
      for (const { seq, bytes, hash } of records) {
        const { envelope, fact } = decodeRecord(bytes);
        expect(hash).toBe(sha256(bytes));
        expect(envelope.prev).toBe(prev);
        if (fact !== null && 'uuid' in fact) device = evolve(device, fact, seq);
        expect(envelope.rows).toEqual(envelope.uuid === UUID ? rowsOf(device) : undefined);
        prev = hash;
      }
      expect(records).toHaveLength(4);
      expect(journal.tail().hash).toBe(prev);
      await journal.close();
    });

    test('nothing counts as durable before it is; latest and seen run ahead', async () => {
      const journal = await make().open();
      const before = journal.tail();
      const append = journal.append({ facts: [declared(UUID, 1)], positions: { desired: CURSOR } });
      expect(journal.device(UUID)).toEqual(unknownDevice(HOST, UUID));
      expect([...journal.devices()]).toEqual([]);
      expect(journal.tail()).toEqual(before);
      expect(journal.read(before.seq, 10)).toEqual([]);
      expect(journal.positions().desired).toBeNull();
      expect(journal.latest(UUID)).toMatchObject({ version: 2, desired: { kind: 'present' } });
      expect(journal.seen(UUID, keyOf(1))).toBe(true);

      const [record] = durable(await append);
      expect(journal.device(UUID)).toEqual(journal.latest(UUID));
      expect([...journal.devices()]).toEqual([journal.device(UUID)]);
      expect(journal.tail()).toEqual({ seq: record?.seq, hash: record?.hash });
      expect(journal.read(before.seq, 10).map(({ hash }) => hash)).toEqual([record?.hash]);
      expect(journal.positions().desired).toEqual(CURSOR);
      await journal.close();
    });

    test('an append decided on an older version is refused as a whole', async () => {
      const commits: number[] = [];
      const journal = await make().open((records) => commits.push(records));
      const expected = { uuid: UUID, version: journal.latest(UUID).version };
      const first = journal.append({ facts: [declared(UUID, 1)], expected });
      const second = journal.append({
        facts: [declared(OTHER_UUID, 2), declared(UUID, 2)],
        expected,
        positions: { forwarded: 1 },
      });
      expect(await second).toEqual({ kind: 'stale' });
      expect((await first).kind).toBe('durable');
      expect(commits).toEqual([1]);
      expect(journal.latest(OTHER_UUID).version).toBe(0);
      expect(journal.seen(UUID, keyOf(2))).toBe(false);
      expect(journal.positions().forwarded).toBe(0);
      const again = { uuid: UUID, version: journal.latest(UUID).version };
      expect((await journal.append({ facts: [declared(UUID, 2)], expected: again })).kind).toBe('durable');
      await journal.close();
    });

    test('an append that must follow a record is refused when another came in between', async () => {
      const journal = await make().open();
      const follows = journal.tail().seq;
      const between = journal.append({ facts: [declared(UUID, 1)] });
      const refused = await journal.append({ facts: [declared(UUID, 2)], follows });
      expect(refused.kind).toBe('stale');
      durable(await between);
      durable(await journal.append({ facts: [{ kind: 'stopped', v: 1 }], follows: follows + 1 }));
      expect(journal.tail().seq).toBe(follows + 2);
      await journal.close();
    });

    test('positions move with facts, without facts, and by facts', async () => {
      const under = make();
      const journal = await under.open();
      durable(await journal.append({ facts: [declared(UUID, 1)], positions: { desired: CURSOR } }));
      const ends = { forwarded: 2, witnessed: 9 };
      expect(durable(await journal.append({ facts: [], positions: ends }))).toEqual([]);
      expect(journal.tail().seq).toBe(2);
      const cursor = { ...CURSOR, epoch: 2, sequence: 0 };
      const epoch: Fact = { kind: 'epoch', v: 1, stream: 'desired', cause: 'Recreated', cursor };
      const event = { id: 'stop', source: 'test', time: '2026-01-01T00:00:00Z' };
      const act = { v: 1, sequence: 1, event } as const;
      const steer: Fact = { kind: 'steered', ...act, command: 'pause' };
      const cordon: Fact = { kind: 'cordoned', ...act, command: 'cordon', parent: 'mtty' };
      const begin: Fact = { kind: 'incarnated', v: 1, incarnation: 3 };
      durable(await journal.append({ facts: [epoch, begin, steer, cordon] }));
      const notice = { by: 'node-2', what: 'a hold is missing', at: event.time };
      const registry = { state: 'rebuilding', revision: 8 } as const;
      durable(await journal.append({ facts: [{ kind: 'registry', v: 1, ...registry, ...notice }] }));
      const reached = { ...ends, desired: cursor, command: null, inventory: null, incarnation: 3, registry };
      const positions = { ...reached, paused: event, cordons: [{ parent: 'mtty', by: event }] };
      expect(journal.positions()).toEqual(positions);
      await journal.close();
      const again = await under.open();
      expect(again.positions()).toEqual(positions);
      await again.close();
      expect(await under.verify()).toMatchObject({ kind: 'sound' });
    });

    test('an event is seen for its own UUID, also after a restart', async () => {
      const under = make();
      const journal = await under.open();
      const event = { id: 'retry-1', source: 'test', time: '2026-01-01T00:00:00Z' };
      const retry: Fact = { kind: 'commanded', v: 1, uuid: UUID, sequence: 1, event, command: 'retry' };
      durable(await journal.append({ facts: [declared(UUID, 1), declared(UUID, 1), retry] }));
      await journal.close();
      const again = await under.open();
      expect([keyOf(1), 'test retry-1'].map((key) => again.seen(UUID, key))).toEqual([true, true]);
      expect(again.seen(UUID, keyOf(2))).toBe(false);
      expect(again.seen(OTHER_UUID, keyOf(1))).toBe(false);
      durable(await again.append({ facts: [declared(UUID, 1)] }));
      await again.close();
      expect(await under.verify()).toMatchObject({ kind: 'sound' });
    });

    test('reads the records after a sequence, at most so many', async () => {
      const journal = await make().open();
      durable(await journal.append({ facts: [1, 2, 3, 4].map((n) => declared(UUID, n)) }));
      const seqs = (after: number, limit: number) => journal.read(after, limit).map(({ seq }) => seq);
      expect(seqs(0, 3)).toEqual([1, 2, 3]);
      expect(seqs(3, 100)).toEqual([4, 5]);
      expect(seqs(5, 100)).toEqual([]);
      expect(seqs(900, 1)).toEqual([]);
      expect(seqs(0, 0)).toEqual([]);
      await journal.close();
    });

    test('an append of nothing commits nothing, and comes after what is on its way', async () => {
      const commits: number[] = [];
      const journal = await make().open((records) => commits.push(records));
      expect(await journal.append({ facts: [] })).toEqual({ kind: 'durable', records: [] });
      expect(commits).toEqual([]);
      await Promise.all([journal.append({ facts: [declared(UUID, 1)] }), journal.append({ facts: [] })]);
      expect(commits).toEqual([1]);
      await journal.close();
    });

    test('a disk without room fails the appends of the turn and loses nothing', async () => {
      const under = make();
      const journal = await under.open();
      durable(await journal.append({ facts: [declared(UUID, 1)] }));
      const [tail, device] = [journal.tail(), journal.device(UUID)];
      under.setFull(true);
      const failed = await Promise.all([
        journal.append({ facts: [large(1_000_000)], positions: { forwarded: 1 } }),
        journal.append({ facts: [declared(OTHER_UUID, 2)] }),
      ]).finally(() => under.setFull(false));
      expect(failed).toEqual([1, 2].map(() => ({ kind: 'failed', cause: expect.any(Error) })));
      expect([journal.tail(), journal.latest(UUID), journal.device(UUID)]).toEqual([tail, device, device]);
      expect(journal.latest(OTHER_UUID).version).toBe(0);
      expect(journal.seen(OTHER_UUID, keyOf(2))).toBe(false);
      expect(journal.positions().forwarded).toBe(0);
      expect(journal.read(tail.seq, 10)).toEqual([]);
      const [next] = durable(await journal.append({ facts: [declared(OTHER_UUID, 2)] }));
      expect(next?.seq).toBe(tail.seq + 1);
      await journal.close();
      expect(await under.verify()).toMatchObject({ kind: 'sound', tail: { seq: 3 }, devices: 2 });
    });

    test('a fact that could not be read again is a bug, and takes nothing else with it', async () => {
      const journal = await make().open();
      const first = journal.append({ facts: [declared(UUID, 1)] });
      const broken = { ...declared(UUID, 2), set: undefined } as unknown as Fact;
      expect(() => journal.append({ facts: [declared(UUID, 3), broken] })).toThrow(/bug: a declared fact/);
      expect(() => journal.append({ facts: [], positions: { forwarded: 9 } })).toThrow(
        /bug: forwarded up to 9/,
      );
      durable(await first);
      expect(journal.tail().seq).toBe(2);
      await journal.close();
    });

    test('closing commits what is on its way; afterwards appends fail', async () => {
      const under = make();
      const journal = await under.open();
      const append = journal.append({ facts: [declared(UUID, 1)] });
      await journal.close();
      expect((await append).kind).toBe('durable');
      expect(await journal.append({ facts: [declared(UUID, 2)] })).toMatchObject({ kind: 'failed' });
      await journal.close();
      const again = await under.open();
      expect(again.latest(UUID).version).toBe(2);
      await again.close();
    });

    test('whatever was appended, a restart finds it, and the fold of the log is the projections', async () => {
      const turn = fc.array(fc.array(anyFact, { maxLength: 3 }), { maxLength: 4 });
      await fc.assert(
        fc.asyncProperty(fc.array(turn, { maxLength: 6 }), async (turns) => {
          const under = make();
          const journal = await under.open();
          for (const appends of turns)
            await appendAll(
              journal,
              appends.map((facts) => ({ facts })),
            );
          const state = stateOf(journal);
          expect(new Map(state.devices)).toEqual(foldOf(journal));
          await journal.close();
          const again = await under.open();
          expect(stateOf(again)).toEqual(state);
          await again.close();
          expect(await under.verify()).toMatchObject({ kind: 'sound', tail: state.tail });
        }),
        { numRuns },
      );
    });
  });
}

async function appendAll(journal: Journal, appends: readonly Append[]): Promise<readonly AppendResult[]> {
  return Promise.all(appends.map((append) => journal.append(append)));
}

type State = Pick<Journal, 'identity'> & {
  readonly tail: ReturnType<Journal['tail']>;
  readonly positions: ReturnType<Journal['positions']>;
  readonly devices: readonly (readonly [string, Device])[];
};

function stateOf(journal: Journal): State {
  const devices = [...journal.devices()].map((one) => [one.uuid, one] as const);
  return {
    identity: journal.identity,
    tail: journal.tail(),
    positions: journal.positions(),
    devices: devices.sort(([a], [b]) => (a < b ? -1 : 1)),
  };
}

/** The fold, done here once more from the bytes. */
function foldOf(journal: Journal): Map<string, Device> {
  const devices = new Map<string, Device>();
  for (const { seq, bytes } of journal.read(0, Number.MAX_SAFE_INTEGER)) {
    const { fact } = decodeRecord(bytes);
    if (fact === null || !('uuid' in fact)) continue;
    const before = devices.get(fact.uuid) ?? unknownDevice(HOST, fact.uuid);
    devices.set(fact.uuid, evolve(before, fact, seq));
  }
  return devices;
}
