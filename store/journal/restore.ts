/**
 * Puts a journal back in its place from records that were kept elsewhere.
 *
 * It is made beside its place and moved there whole, once its chain holds from genesis on, its
 * checkpoints fit, and it folds. A journal that spoke for its host is never replaced; one that was begun in vain, because the
 * real one was lost, is kept under another name.
 */
import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { StoredRecord } from '../../events/record.ts';
import { makeFolder, syncFolder } from './directory.ts';
import { readIdentity } from './group-commit.ts';
import type { JournalIdentity } from './journal.ts';
import { dataFile, openFiles } from './journal-files.ts';
import { JournalRefused } from './journal-refused.ts';
import type { Tail } from './journal-storage.ts';
import { LmdbStorage } from './lmdb-storage.ts';
import { LogCheck, type Signing } from './log-check.ts';
import { NO_POSITIONS } from './positions.ts';
import { Misfit } from './replay.ts';
import { stampSchema } from './schema.ts';

/** Records in one commit. */
const BATCH_RECORDS_MAX = 1_000;

export type Restored = {
  readonly identity: JournalIdentity;
  readonly tail: Tail;
  readonly devices: number;
  /** The keys that signed checkpoints among the records. */
  readonly signings: readonly Signing[];
  /** Where the journal is kept that stood in the place; null when none did. */
  readonly aside: string | null;
};

/**
 * Makes a journal of these records, from the first on, in `dir`. Whoever calls holds the lock.
 * Throws JournalRefused when the place is taken, or the records are no journal; nothing is changed then.
 */
export async function restoreJournal(dir: string, records: AsyncIterable<StoredRecord>): Promise<Restored> {
  const unused = existsSync(dataFile(dir)) ? await unusedJournal(dir) : null;
  const beside = join(dir, 'restoring');
  rmSync(beside, { recursive: true, force: true });
  makeFolder(beside);
  const made = await fill(beside, records);
  const aside = unused === null ? null : join(dir, `unused-${unused}.mdb`);
  if (aside !== null) renameSync(dataFile(dir), aside);
  renameSync(dataFile(beside), dataFile(dir));
  syncFolder(dir);
  rmSync(beside, { recursive: true });
  return { ...made, aside };
}

/** The id of the journal that stands there. Throws JournalRefused unless it never spoke for its host. */
async function unusedJournal(dir: string): Promise<string> {
  const storage = new LmdbStorage(openFiles(dir, true));
  try {
    const { journal } = readIdentity(storage);
    if (storage.projections().positions.incarnation > 0) throw taken(dir, journal);
    return journal;
  } finally {
    await storage.close();
  }
}

function taken(dir: string, journal: string): JournalRefused {
  return new JournalRefused('taken', `there is a journal in ${dir} (${journal}): move it away first`);
}

async function fill(dir: string, records: AsyncIterable<StoredRecord>): Promise<Omit<Restored, 'aside'>> {
  const files = openFiles(dir, false);
  stampSchema(files);
  const storage = new LmdbStorage(files);
  try {
    const log = new LogCheck();
    await writeAll(storage, checked(records, log));
    storage.rebuild();
    const { tail, devices } = storage.projections();
    if (tail.seq === 0) throw new Misfit('there are none');
    return { identity: readIdentity(storage), tail, devices: devices.size, signings: log.signings };
  } catch (error) {
    throw error instanceof Misfit ? noJournal(error) : error;
  } finally {
    await storage.close();
  }
}

async function* checked(records: AsyncIterable<StoredRecord>, log: LogCheck): AsyncGenerator<StoredRecord> {
  for await (const record of records) {
    log.apply(record);
    yield record;
  }
}

function noJournal(cause: Misfit): JournalRefused {
  return new JournalRefused(
    'damaged',
    `these records are no journal: ${cause.message}. Take another copy of them`,
    { cause },
  );
}

async function writeAll(storage: LmdbStorage, records: AsyncIterable<StoredRecord>): Promise<void> {
  let batch: StoredRecord[] = [];
  for await (const record of records) {
    batch.push(record);
    if (batch.length < BATCH_RECORDS_MAX) continue;
    write(storage, batch);
    batch = [];
  }
  write(storage, batch);
}

function write(storage: LmdbStorage, records: readonly StoredRecord[]): void {
  const last = records.at(-1);
  if (last === undefined) return;
  const { tail: after } = storage.projections();
  const tail = { seq: last.seq, hash: last.hash };
  storage.commit({
    after,
    tail,
    records,
    devices: [],
    events: [],
    positions: { ...NO_POSITIONS, madeAgain: true },
  });
}
