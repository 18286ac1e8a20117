/**
 * What the verification of a whole journal finds, on a sound journal that is read with one thing changed.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { sha256 } from '../../../events/digest.ts';
import type { Fact } from '../../../events/fact.ts';
import { encodeRecord, type StoredRecord } from '../../../events/record.ts';
import type { Positions } from '../../../store/journal/journal.ts';
import { MemoryDisk, openMemoryJournal } from '../../../store/journal/journal-memory.ts';
import type { JournalReader, Projections } from '../../../store/journal/journal-storage.ts';
import { verifyJournal } from '../../../store/journal/verify.ts';
import { declared, durable, keyOf, makeStamp, OTHER_UUID, OWN, UUID } from './journal-fixture.ts';

const CURSOR = { epoch: 2, created: '2026-01-01T00:00:00Z', sequence: 5, digest: null };
const FACTS: readonly Fact[] = [
  { kind: 'started', v: 1, software: 'test', kernel: 'test' },
  { kind: 'incarnated', v: 1, incarnation: 4 },
  { kind: 'epoch', v: 1, stream: 'desired', cause: 'First', cursor: CURSOR },
  declared(UUID, 1),
  declared(OTHER_UUID, 2),
  declared(UUID, 1),
  { kind: 'stopped', v: 1 },
];
/** All of it, with genesis. */
const LAST = FACTS.length + 1;
const SEQS = Array.from({ length: LAST }, (_, index) => index + 1);
/** The second time that the same event was recorded. */
const REPEATED = LAST - 1;

let disk: MemoryDisk;

beforeAll(async () => {
  const options = {
    ...OWN,
    disk: new MemoryDisk(),
    journal: 'journal-1',
    stamp: makeStamp(),
    schedule: setImmediate,
  };
  const journal = openMemoryJournal(options);
  durable(await journal.append({ facts: FACTS }));
  durable(await journal.append({ facts: [], positions: { forwarded: 3 } }));
  disk = journal.crash();
});

/** The journal as it would read if its log were another one. */
function withLog(change: (log: StoredRecord[]) => readonly StoredRecord[]): JournalReader {
  const log = change([...disk.read(0, LAST)]);
  return reader({ read: (after, limit) => log.filter(({ seq }) => seq > after).slice(0, limit) });
}

function withProjections(change: (stored: Projections) => Partial<Projections>): JournalReader {
  const stored = disk.projections();
  return reader({ projections: () => ({ ...stored, ...change(stored) }) });
}

function withPositions(change: Partial<Positions>): JournalReader {
  return withProjections(({ positions }) => ({ positions: { ...positions, ...change } }));
}

function reader(change: Partial<JournalReader>): JournalReader {
  return {
    projections: () => disk.projections(),
    read: (after, limit) => disk.read(after, limit),
    eventSeq: (uuid, key) => disk.eventSeq(uuid, key),
    eventCount: () => disk.eventCount(),
    ...change,
  };
}

/** The record with other bytes. */
function rewrite(record: StoredRecord, change: (text: string) => string): StoredRecord {
  const bytes = new TextEncoder().encode(change(new TextDecoder().decode(record.bytes)));
  return { seq: record.seq, bytes, hash: sha256(bytes) };
}

/** The log with one more record at its end, chained as it should be. */
function extended(log: StoredRecord[], fact: unknown): StoredRecord[] {
  const last = log.at(-1);
  if (last === undefined) throw new Error('an empty log');
  return [...log, encodeRecord({ seq: last.seq + 1, time: 't', boot: 'b', prev: last.hash }, fact as Fact)];
}

/** A journal whose log and tail are extended by one record. */
function extendedBy(fact: unknown): JournalReader {
  const log = extended([...disk.read(0, LAST)], fact);
  const tail = log.at(-1) ?? disk.projections().tail;
  const { read } = withLog(() => log);
  return reader({ read, projections: () => ({ ...disk.projections(), tail }) });
}

test('a journal in which everything fits is sound', () => {
  const { tail } = disk.projections();
  expect(verifyJournal(disk)).toEqual({
    kind: 'sound',
    host: OWN.host,
    journal: 'journal-1',
    tail,
    devices: 2,
    unknown: 0,
    signings: [],
    projections: 'in-step',
    forwarded: 3,
  });
  expect(tail.seq).toBe(LAST);
});

describe('the first record that does not fit is named', () => {
  test.each(SEQS)('record %i with other content', (seq) => {
    const changed = withLog((log) =>
      log.map((one) => (one.seq === seq ? rewrite(one, (text) => text.replace('boot-1', 'boot-2')) : one)),
    );
    expect(verifyJournal(changed)).toMatchObject({ kind: 'damaged', firstBad: seq });
  });

  test.each(SEQS)('record %i chained to another record', (seq) => {
    const changed = withLog((log) =>
      log.map((one) =>
        one.seq === seq ? rewrite(one, (text) => text.replace(/"prev":"./, '"prev":"f')) : one,
      ),
    );
    const [record] = changed.read(seq - 1, 1);
    expect(record?.hash).not.toBe(disk.read(seq - 1, 1)[0]?.hash);
    expect(verifyJournal(changed)).toMatchObject({ kind: 'damaged', firstBad: seq });
  });

  test.each(SEQS)('record %i missing', (seq) => {
    const changed = withLog((log) => log.filter((one) => one.seq !== seq));
    expect(verifyJournal(changed)).toMatchObject({ kind: 'damaged', firstBad: seq });
  });

  test.each(SEQS)('record %i not readable', (seq) => {
    const changed = withLog((log) =>
      log.map((one) => (one.seq === seq ? rewrite(one, (text) => text.slice(1)) : one)),
    );
    expect(verifyJournal(changed)).toMatchObject({ kind: 'damaged', firstBad: seq });
  });

  test('a record in the place of another', () => {
    const changed = withLog((log) =>
      log.map((one) => (one.seq === 3 ? { ...(log[3] ?? one), seq: 3 } : one)),
    );
    expect(verifyJournal(changed)).toMatchObject({ kind: 'damaged', firstBad: 3 });
  });

  test('a record that nobody appended', () => {
    const changed = withLog((log) => extended(log, { kind: 'stopped', v: 1 }));
    expect(verifyJournal(changed)).toMatchObject({ kind: 'damaged', firstBad: LAST + 1 });
  });

  test('a record of a known kind in another shape', () => {
    expect(verifyJournal(extendedBy({ kind: 'active', v: 1, uuid: UUID }))).toMatchObject({
      kind: 'damaged',
      firstBad: LAST + 1,
    });
  });

  test('a first record that is not genesis', () => {
    const none = withLog(() =>
      extended([{ seq: 0, bytes: new Uint8Array(), hash: '0'.repeat(64) }], { kind: 'stopped', v: 1 }).slice(
        1,
      ),
    );
    expect(verifyJournal(none)).toMatchObject({ kind: 'damaged', firstBad: 1 });
  });

  test('an event that the index does not know', () => {
    const changed = reader({
      eventSeq: (uuid, key) => (uuid === UUID ? undefined : disk.eventSeq(uuid, key)),
    });
    expect(verifyJournal(changed)).toMatchObject({ kind: 'damaged', firstBad: 5 });
  });
});

describe('kinds and versions of a newer program are kept and counted', () => {
  test.each([
    ['kind', { kind: 'blessed', v: 1 }],
    ['version', { kind: 'active', v: 2, uuid: UUID }],
  ])('%s', (_what, fact) => {
    expect(verifyJournal(extendedBy(fact))).toMatchObject({ kind: 'sound', unknown: 1 });
  });
});

describe('a projection that is not what the log folds to is named', () => {
  test.each([
    [
      'changed',
      (devices: Map<string, unknown>) => devices.set(UUID, { ...(devices.get(UUID) as object), refused: {} }),
    ],
    ['missing', (devices: Map<string, unknown>) => devices.delete(UUID)],
  ])('a device that is %s', (_what, change) => {
    const changed = withProjections((stored) => {
      const devices = new Map(stored.devices);
      change(devices);
      return { devices };
    });
    expect(verifyJournal(changed)).toEqual({
      kind: 'damaged',
      reason: expect.stringContaining(UUID),
      firstBad: null,
    });
  });

  test('a device that no fact is about', () => {
    const uuid = '00000000-0000-4000-8000-000000000009';
    const changed = withProjections(({ devices }) => {
      const device = devices.get(UUID);
      return { devices: new Map(device === undefined ? devices : [...devices, [uuid, device]]) };
    });
    expect(verifyJournal(changed)).toMatchObject({ kind: 'damaged', reason: expect.stringContaining(uuid) });
  });

  test.each<[string, Partial<Positions>, RegExp]>([
    ['another incarnation', { incarnation: 5 }, /incarnation/],
    [
      'a cursor of an epoch before',
      { desired: { ...CURSOR, epoch: 1, sequence: 9 } },
      /cursor of stream desired/,
    ],
    ['a cursor before its epoch began', { desired: { ...CURSOR, sequence: 4 } }, /cursor of stream desired/],
    ['no cursor', { desired: null }, /cursor of stream desired/],
    ['more forwarded than there is', { forwarded: LAST + 1 }, /forwarded/],
  ])('%s', (_what, change, reason) => {
    expect(verifyJournal(withPositions(change))).toEqual({
      kind: 'damaged',
      reason: expect.stringMatching(reason),
      firstBad: null,
    });
  });

  test.each<[string, Partial<Positions>]>([
    ['a cursor further on', { desired: { ...CURSOR, sequence: 6 } }],
    ['a cursor without a fact', { command: CURSOR }],
    ['all of it forwarded', { forwarded: LAST, witnessed: 90 }],
  ])('but %s is as it should be', (_what, change) => {
    expect(verifyJournal(withPositions(change)).kind).toBe('sound');
  });

  test('an entry too many in the index of events', () => {
    const changed = reader({ eventCount: () => disk.eventCount() + 1 });
    expect(verifyJournal(changed)).toMatchObject({
      kind: 'damaged',
      reason: expect.stringContaining('index of events'),
    });
  });

  test('an event that the index leads past its first record', () => {
    const changed = reader({
      eventSeq: (uuid, key) => (key === keyOf(1) ? REPEATED : disk.eventSeq(uuid, key)),
    });
    expect(verifyJournal(changed)).toMatchObject({ kind: 'damaged', firstBad: 5 });
  });
});

test('projections of another fold are not compared, the log still is', () => {
  const old = withProjections(() => ({ fold: 0, devices: new Map() }));
  expect(verifyJournal(old)).toMatchObject({ kind: 'sound', projections: 'other-version' });
  const { read } = withLog((log) => log.filter(({ seq }) => seq !== 4));
  expect(verifyJournal({ ...old, read })).toMatchObject({ kind: 'damaged', firstBad: 4 });
});
