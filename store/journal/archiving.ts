/**
 * Moves old records out of a journal's file into segments beside it.
 *
 * The segments are written first. Then a file without these records is made beside the journal's, and all of the
 * journal is verified as it will be read: from the segments and that file. Only then does that file take the place
 * of the other, in one step. So whenever this ends, every record is in the file or in a segment, and the same once more
 * does the rest. Nothing is deleted in a file: that is why it shrinks, and why the one that is there is always whole.
 */
import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Database, Key } from 'lmdb';
import { decodeRecord, type StoredRecord } from '../../events/record.ts';
import { Chain } from './chain.ts';
import { makeFolder, syncFolder } from './directory.ts';
import { readExport, writeExport } from './export.ts';
import { archivedIn, dataFile, type JournalFiles, openFiles, STATE, storeArchived } from './journal-files.ts';
import { JournalRefused } from './journal-refused.ts';
import type { Tail } from './journal-storage.ts';
import { LmdbStorage } from './lmdb-storage.ts';
import { Misfit, recordsOf } from './replay.ts';
import { stampSchema, upgrade } from './schema.ts';
import { archiveFolder, segmentFile, segmentsIn } from './segments.ts';
import { verifyJournal } from './verify.ts';

/** A segment is unpacked as a whole where it is read, so it ends with the record that reaches one of these. */
const SEGMENT_RECORDS_MAX = 10_000;
const SEGMENT_BYTES_MAX = 16 * 1024 * 1024;
/** Entries in one commit of the file that is made. */
const BATCH_ENTRIES_MAX = 10_000;
const CHECKPOINT = Buffer.from('"kind":"checkpoint"');

/** True for a record that may be archived, for all that the one who asks cares. */
export type IsOld = (record: StoredRecord) => boolean;

/** What ended the records that were moved: one that is not old, one that the fleet has not acknowledged, or the journal's end. */
export type Bound = 'asked' | 'not-forwarded' | 'end';

export type Archived = {
  /** The last record in segments before, and now. */
  readonly from: number;
  readonly to: number;
  readonly bound: Bound;
  readonly tail: Tail;
};

/**
 * Moves the records of the journal in `dir` from the first one that is there, as long as they are old. At least the last checkpoint and
 * the record that it is of stay. Whoever calls holds the lock, and has checked the journal. `segmentRecordsMax` is for tests.
 * Throws JournalRefused, and what writing throws; the journal is then as it was.
 */
export async function archiveJournal(
  dir: string,
  isOld: IsOld,
  segmentRecordsMax = SEGMENT_RECORDS_MAX,
): Promise<Archived> {
  const files = openFiles(dir, false);
  const storage = new LmdbStorage(files);
  const beside = join(dir, 'archiving');
  try {
    upgrade(files);
    rmSync(beside, { recursive: true, force: true });
    const { seq: from } = archivedIn(files);
    const { tail, positions } = storage.projections();
    const { to, bound } = cut(storage, { from, tail, forwarded: positions.forwarded, isOld });
    if (to <= from) return { from, to: from, bound, tail };
    await removeRest(dir, from, storage);
    const last = await writeSegments(archiveFolder(dir), storage, { from, to, segmentRecordsMax });
    await makeWithout(last, { dir, beside, files, tail });
    await storage.close();
    takePlace(dir, beside);
    return { from, to, bound, tail };
  } catch (error) {
    throw error instanceof Misfit ? refused(dir, error) : error;
  } finally {
    await storage.close();
  }
}

function refused(dir: string, cause: Misfit): JournalRefused {
  const message = `the journal in ${dir} cannot be archived: ${cause.message}. Its records are where they were`;
  return new JournalRefused('damaged', message, { cause });
}

type Limits = {
  readonly from: number;
  readonly tail: Tail;
  readonly forwarded: number;
  readonly isOld: IsOld;
};

/** The last record to move. */
function cut(storage: LmdbStorage, { from, tail, forwarded, isOld }: Limits): { to: number; bound: Bound } {
  let old: number | null = null;
  let signed = tail.seq;
  for (const record of recordsOf(storage, from)) {
    if (old === null && !isOld(record)) old = record.seq - 1;
    if (isCheckpoint(record)) signed = record.seq - 1;
  }
  const end = Math.min(signed, tail.seq) - 1;
  const asked = old ?? tail.seq;
  const to = Math.min(asked, forwarded, end);
  if (to === asked) return { to, bound: 'asked' };
  return { to, bound: to === end ? 'end' : 'not-forwarded' };
}

function isCheckpoint({ bytes }: StoredRecord): boolean {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return text.includes(CHECKPOINT) && decodeRecord(bytes).envelope.kind === 'checkpoint';
}

/** Removes what an earlier move left behind before it came to its end; each record in it must still be in the journal. */
async function removeRest(dir: string, from: number, storage: LmdbStorage): Promise<void> {
  for (const { file, last } of segmentsIn(archiveFolder(dir))) {
    if (last <= from) continue;
    for await (const { seq, hash } of readExport(file)) {
      const [own] = storage.read(seq - 1, 1);
      if (own?.hash !== hash)
        throw new Misfit(`${file} has another record ${seq}: move that file away, it is of another journal`);
    }
    rmSync(file);
  }
}

type Part = { readonly from: number; readonly to: number; readonly segmentRecordsMax: number };

/** Writes the records after `from`, up to `to`, durably; answers with the last one. */
async function writeSegments(
  folder: string,
  storage: LmdbStorage,
  { from, to, segmentRecordsMax }: Part,
): Promise<Tail> {
  makeFolder(folder);
  const beside = join(folder, 'writing.ndjson.gz');
  const chain = new Chain();
  let first = from + 1;
  while (first <= to) {
    rmSync(beside, { force: true });
    const end = Math.min(to, first + segmentRecordsMax - 1);
    await writeExport(beside, upTo(recordsOf(storage, first - 1), end, chain));
    const last = chain.tail?.seq ?? 0;
    renameSync(beside, segmentFile(folder, first, last));
    first = last + 1;
  }
  syncFolder(folder);
  if (chain.tail === null) throw new Error(`bug: no records from ${from + 1} to ${to}`);
  return chain.tail;
}

/** The records up to this one, or until they are large enough together. Throws Misfit when they do not follow each other. */
function* upTo(records: Iterable<StoredRecord>, end: number, chain: Chain): Generator<StoredRecord> {
  let size = 0;
  for (const record of records) {
    chain.take(record);
    yield record;
    size += record.bytes.length;
    if (record.seq >= end || size >= SEGMENT_BYTES_MAX) return;
  }
}

type Making = {
  readonly dir: string;
  readonly beside: string;
  readonly files: JournalFiles;
  readonly tail: Tail;
};

/** Makes the file that begins after this record, and verifies all of the journal with it. Throws Misfit when it is not whole. */
async function makeWithout(last: Tail, { dir, beside, files, tail }: Making): Promise<void> {
  makeFolder(beside);
  const made = openFiles(beside, false);
  const storage = new LmdbStorage(made, archiveFolder(dir));
  try {
    fill(made, files, last);
  } finally {
    await storage.close();
  }
  await assertWhole(dir, beside, [last, tail]);
}

function fill(made: JournalFiles, files: JournalFiles, last: Tail): void {
  const state = files.positions.get(STATE);
  if (state === undefined) throw new Misfit('its projections are missing');
  made.root.transactionSync(() => {
    stampSchema(made);
    storeArchived(made, last);
    made.positions.putSync(STATE, state);
  });
  copy(files.log, made.log, last.seq + 1);
  copy(files.devices, made.devices);
  copy(files.events, made.events);
}

function copy<V, K extends Key>(from: Database<V, K>, to: Database<V, K>, start?: K): void {
  const entries = from.getRange(start === undefined ? {} : { start })[Symbol.iterator]();
  for (let isMore = true; isMore; ) {
    to.transactionSync(() => {
      for (let count = 0; count < BATCH_ENTRIES_MAX && isMore; count += 1) {
        const at = entries.next();
        isMore = at.done !== true;
        if (at.done !== true) to.putSync(at.value.key, at.value.value);
      }
    });
  }
}

async function assertWhole(dir: string, beside: string, expected: readonly Tail[]): Promise<void> {
  const storage = new LmdbStorage(openFiles(beside, true), archiveFolder(dir));
  try {
    const found = verifyJournal(storage, expected);
    if (found.kind === 'damaged') throw new Misfit(found.reason);
  } finally {
    await storage.close();
  }
}

/** Whoever still reads the other file has its lock, too, and must not share it with those who open this one. */
function takePlace(dir: string, beside: string): void {
  rmSync(join(dir, 'lock.mdb'), { force: true });
  renameSync(dataFile(beside), dataFile(dir));
  syncFolder(dir);
  rmSync(beside, { recursive: true });
}
