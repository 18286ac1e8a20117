/**
 * The port between a journal and where it is kept: one commit per turn, all of it or nothing.
 *
 * Adapters store what they are given and decide nothing. A commit is synchronous: when it
 * returns, everything in it survives a power cut; when it throws, nothing of it is there.
 */

import type { Uuid } from '../../events/names.ts';
import type { StoredRecord } from '../../events/record.ts';
import type { Device } from '../device.ts';
import type { Positions } from './journal.ts';

/**
 * Version of the fold. Raised with every change of evolve, positions or the device's shape that gives
 * another answer for a fact that may be in a log; projections of another version are
 * rebuilt from the log when the journal is opened.
 */
export const FOLD_VERSION = 6;

/** The end of the log; sequence 0 and NO_RECORD before the first record. */
export type Tail = { readonly seq: number; readonly hash: string };

/** What the log folds to, and how far the log went when it did. */
export type Projections = {
  readonly fold: number;
  readonly tail: Tail;
  readonly positions: Positions;
  readonly devices: ReadonlyMap<Uuid, Device>;
};

/** An event that a record was made of; the first record of an event is the one that counts. `uuid` is NO_UUID for a whole host. */
export type EventMark = { readonly uuid: Uuid; readonly key: string; readonly seq: number };

/** What one commit adds. `after` is the tail that it follows. */
export type Batch = {
  readonly after: Tail;
  readonly tail: Tail;
  readonly records: readonly StoredRecord[];
  readonly devices: readonly Device[];
  readonly events: readonly EventMark[];
  readonly positions: Positions;
};

/** Reading a journal's storage; within one turn, all answers are of one moment. */
export interface JournalReader {
  projections(): Projections;
  /** Up to `limit` records with a sequence greater than `after`, with the hashes of their bytes as stored. */
  read(after: number, limit: number): readonly StoredRecord[];
  /** Sequence of the record of this event (its eventKey) about the UUID. */
  eventSeq(uuid: Uuid, key: string): number | undefined;
  eventCount(): number;
}

export interface JournalStorage extends JournalReader {
  /** Throws when nothing of the batch was stored. */
  commit(batch: Batch): void;
  close(): Promise<void>;
}

/** A commit on anything but the tail it was made for is a bug, or a second writer. */
export function assertFollows(batch: Batch, tail: Tail): void {
  if (batch.after.seq === tail.seq && batch.after.hash === tail.hash) return;
  throw new Error(
    `bug: records after ${batch.after.seq} for a log that ends at ${tail.seq}: does another process write it?`,
  );
}
