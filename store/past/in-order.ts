/**
 * Records of one journal, as a stream has them, put in order and each taken once.
 *
 * A stream may have a record twice, and some late ones before those that they follow: where a batch was stored
 * in part, the rest is sent again. Only so many are kept while one that should come first is missing.
 */
import type { StoredRecord } from '../../events/record.ts';

/** Most records that wait for one that is missing: some batches of a forwarder. */
const AHEAD_RECORDS_MAX = 4_096;

export class InOrder {
  #next: number;
  #gaveUp = false;
  readonly #ahead = new Map<number, StoredRecord>();

  /** `after`: the record after which to begin. */
  constructor(after = 0) {
    this.#next = after + 1;
  }

  /** Takes a record, and gives those that are due by now. */
  *take(record: StoredRecord): Generator<StoredRecord> {
    if (this.#gaveUp || record.seq < this.#next || this.#ahead.has(record.seq)) return;
    this.#ahead.set(record.seq, record);
    for (let due = this.#due(); due !== undefined; due = this.#due()) yield due;
    if (this.#ahead.size <= AHEAD_RECORDS_MAX) return;
    this.#ahead.clear();
    this.#gaveUp = true;
  }

  /** The number of the record that is missing though later ones were there; null while there is none. */
  get missing(): number | null {
    return this.#gaveUp || this.#ahead.size > 0 ? this.#next : null;
  }

  #due(): StoredRecord | undefined {
    const due = this.#ahead.get(this.#next);
    if (due === undefined) return undefined;
    this.#ahead.delete(this.#next);
    this.#next += 1;
    return due;
  }
}
