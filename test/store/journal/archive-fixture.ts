/**
 * A journal whose records can be moved into segments, and how it is read afterwards.
 */
import type { StoredRecord } from '../../../events/record.ts';
import { type Archived, archiveJournal } from '../../../store/journal/archiving.ts';
import type { Journal } from '../../../store/journal/journal.ts';
import { openFiles } from '../../../store/journal/journal-files.ts';
import { openJournal } from '../../../store/journal/journal-lmdb.ts';
import { LmdbStorage } from '../../../store/journal/lmdb-storage.ts';
import { openSigningKey } from '../../../store/journal/signing-key.ts';
import { verifyJournal } from '../../../store/journal/verify.ts';
import { declared, durable, makeStamp, OTHER_UUID, OWN, UUID } from './journal-fixture.ts';

export const RECORDS = 30;
const SEGMENT_RECORDS = 4;

/** As an agent opens it. */
export function open(dir: string): Promise<Journal> {
  return openJournal({ ...OWN, dir, create: 'journal-1', stamp: makeStamp() });
}

/** A journal of 30 records of two devices, forwarded up to one of them, with a checkpoint as record 27. */
export async function journalIn(dir: string, forwarded = RECORDS): Promise<readonly StoredRecord[]> {
  const journal = await open(dir);
  const facts = Array.from({ length: RECORDS - 2 }, (_, n) => declared(n % 2 ? UUID : OTHER_UUID, n + 1));
  durable(await journal.append({ facts: facts.slice(0, 25) }));
  const { sign, publicKey } = openSigningKey(dir);
  const note = sign({
    host: OWN.host,
    journal: 'journal-1',
    ...journal.tail(),
    time: '2026-01-01T00:00:00Z',
  });
  durable(await journal.append({ facts: [{ kind: 'checkpoint', v: 1, publicKey, note }] }));
  durable(await journal.append({ facts: facts.slice(25), positions: {} }));
  await journal.append({ facts: [], positions: { forwarded, witnessed: forwarded } });
  const all = journal.read(0, 100);
  await journal.close();
  return all;
}

/** Moves the records before this one. */
export function archive(dir: string, seq: number): Promise<Archived> {
  return archiveJournal(dir, (record) => record.seq < seq, SEGMENT_RECORDS);
}

/** The journal as its file has it, without the process that looks before an agent opens it. */
async function reading<T>(dir: string, work: (storage: LmdbStorage) => T): Promise<T> {
  const storage = new LmdbStorage(openFiles(dir, true));
  try {
    return work(storage);
  } finally {
    await storage.close();
  }
}

/** All records, from wherever they lie. */
export const readAll = (dir: string) => reading(dir, (storage) => storage.read(0, 100));
export const verdictOn = (dir: string) => reading(dir, (storage) => verifyJournal(storage));

/** So that records can be compared. */
export const text = (records: readonly StoredRecord[]) =>
  records.map(({ seq, hash, bytes }) => ({ seq, hash, bytes: Buffer.from(bytes).toString() }));
