/**
 * The last checkpoint of a journal, found once from its end; from then on the facts that are recorded tell of newer ones.
 */
import { decodeRecord, type StoredRecord } from '../../events/record.ts';
import type { Journal } from '../../store/journal/journal.ts';

/** Records looked through: a host that signs does so after 10,000 at the latest, unless its settings say otherwise. */
const RECORDS_MAX = 20_000;
const BATCH_RECORDS = 1_000;
const MARK = Buffer.from('"kind":"checkpoint"');

export type Checkpoint = { readonly seq: number; readonly timeMs: number };

/** Null when there is none among the last records. */
export function lastCheckpoint(journal: Pick<Journal, 'tail' | 'read'>): Checkpoint | null {
  const { seq } = journal.tail();
  const least = Math.max(0, seq - RECORDS_MAX);
  for (let end = seq; end > least; ) {
    const after = Math.max(least, end - BATCH_RECORDS);
    const found = journal.read(after, end - after).findLast(isCheckpoint);
    if (found !== undefined) {
      return { seq: found.seq, timeMs: Date.parse(decodeRecord(found.bytes).envelope.time) };
    }
    end = after;
  }
  return null;
}

/** What reads like one may be text in another fact. */
function isCheckpoint({ bytes }: StoredRecord): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(MARK) && isFact(bytes);
}

function isFact(bytes: Uint8Array): boolean {
  return decodeRecord(bytes).fact?.kind === 'checkpoint';
}
