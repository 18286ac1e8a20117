/**
 * Records that follow each other, from wherever they begin: a part of a journal, without what it folds to.
 */
import type { StoredRecord } from '../../events/record.ts';
import type { JournalReader, Tail } from './journal-storage.ts';
import { assertFollows, assertNext, decodeStored, Misfit, recordsOf } from './replay.ts';

export class Chain {
  /** The record before the first one; null until there is one. */
  before: Tail | null;
  tail: Tail | null;

  /** `after`: the record that the first one must follow; without it, whichever it names. */
  constructor(after: Tail | null = null) {
    this.before = after;
    this.tail = after;
  }

  /** Takes the next record. Throws Misfit when it does not follow. */
  take(record: StoredRecord): void {
    const { envelope } = decodeStored(record);
    const named = { seq: record.seq - 1, hash: envelope.prev };
    const before = this.tail ?? named;
    assertNext(record, before);
    assertFollows(envelope, before);
    this.before ??= named;
    this.tail = { seq: record.seq, hash: record.hash };
  }
}

/** What can be said of the records after this one where those before it cannot be read. */
export function followsOn(reader: Pick<JournalReader, 'read'>, after: Tail): string {
  const chain = new Chain(after);
  try {
    for (const record of recordsOf(reader, after.seq)) chain.take(record);
  } catch (error) {
    if (!(error instanceof Misfit)) throw error;
    return error.message;
  }
  return `records ${after.seq + 1} to ${chain.tail?.seq} are whole and follow record ${after.seq}`;
}

/** The records of a part, in order, from their first one on. Throws Misfit when one does not follow. */
export async function chainOf(records: AsyncIterable<StoredRecord>): Promise<Chain> {
  const chain = new Chain();
  for await (const record of records) chain.take(record);
  return chain;
}
