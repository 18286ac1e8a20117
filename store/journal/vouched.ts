/**
 * Reads all of a long journal with two threads: this one takes the facts from the records, while another one
 * hashes each record and checks its form around the fact.
 *
 * What was read counts only when the other thread vouches for every record. Otherwise it is thrown away and read
 * again by this thread alone, with every check, so that what is said of a damaged journal is always said by the same code.
 */
import { Worker } from 'node:worker_threads';
import { sha256 } from '../../events/digest.ts';
import type { StoredRecord } from '../../events/record.ts';
import { prevOf } from '../../events/record-quick.ts';
import { siblingOf } from '../../events/sibling.ts';
import { archivedIn, type JournalFiles } from './journal-files.ts';
import type { JournalReader } from './journal-storage.ts';
import { kept, LmdbStorage } from './lmdb-storage.ts';
import type { Vouching } from './voucher.ts';

/** A shorter journal is read to its end before a second thread could have been of any use. */
const VOUCHED_RECORDS_MIN = 20_000;
const PROGRAM = siblingOf(import.meta.filename, 'voucher');

/** What `read`, which changes nothing, makes of the journal in `dir`; it may be called twice. Archived records are read by one thread. */
export async function readVouched<Read>(
  dir: string,
  files: JournalFiles,
  read: (reader: JournalReader) => Read,
  recordsMin = VOUCHED_RECORDS_MIN,
): Promise<Read> {
  const storage = new LmdbStorage(files);
  const [last = 0] = files.log.getKeys({ reverse: true, limit: 1 });
  if (last < recordsMin || archivedIn(files).seq > 0) return read(storage);
  const sound = vouch({ dir, last });
  const found = attempt(() => read(vouchedReader(storage, files, last)));
  return (await sound) && found !== undefined ? found.value : read(storage);
}

/** A record that nobody vouches for may be anything, and reading it throw anything. */
function attempt<Value>(work: () => Value): { readonly value: Value } | undefined {
  try {
    return { value: work() };
  } catch {
    return undefined;
  }
}

/** False as well when the other thread ends without an answer. */
function vouch(task: Vouching): Promise<boolean> {
  return new Promise((resolve) => {
    const thread = new Worker(PROGRAM, { workerData: task });
    thread.once('message', (sound) => resolve(sound === true));
    thread.once('error', () => resolve(false));
    thread.once('exit', () => resolve(false));
  });
}

function vouchedReader(storage: LmdbStorage, files: JournalFiles, last: number): JournalReader {
  return {
    projections: () => storage.projections(),
    read: (after, limit) => readLog(files, after, Math.min(last, after + limit)),
    eventSeq: (uuid, key) => storage.eventSeq(uuid, key),
    eventCount: () => storage.eventCount(),
  };
}

/** The hash of each record is what the next one says of it; only that of the last is computed. Ends before a gap. */
function readLog({ log }: JournalFiles, after: number, end: number): readonly StoredRecord[] {
  const records: StoredRecord[] = [];
  let bytes = bytesOf(log, after + 1);
  for (let seq = after + 1; seq <= end && bytes !== undefined; seq += 1) {
    const next = bytesOf(log, seq + 1);
    const hash = next === undefined ? sha256(bytes) : prevOf(next);
    records.push({ seq, bytes, hash, vouched: true });
    bytes = next;
  }
  return records;
}

function bytesOf(log: JournalFiles['log'], seq: number): Buffer | undefined {
  const value = log.getBinaryFast(seq);
  return value && kept(value);
}
