/**
 * Journals for tests of the past: chained records with times of one's own, clocks that jump included.
 */
import type { Fact } from '../../../events/fact.ts';
import { encodeRecord, NO_RECORD, type StoredRecord } from '../../../events/record.ts';

/** A fact, and what the host's clock showed, in seconds. */
export type Timed = readonly [seconds: number, fact: Fact];

/** The time of a record, as `chain` writes it. */
export function timeAt(seconds: number): string {
  return new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString();
}

/** A journal's records: genesis at 0 s, then these. */
export function chain(host: string, journal: string, facts: readonly Timed[]): readonly StoredRecord[] {
  const machine = { machineId: host, product: null };
  const genesis: Fact = { kind: 'genesis', v: 1, journal, host, machine, software: 'test' };
  const records: StoredRecord[] = [];
  const begin: Timed = [0, genesis];
  for (const [seconds, fact] of [begin, ...facts]) {
    const prev = records.at(-1)?.hash ?? NO_RECORD;
    const head = { seq: records.length + 1, time: timeAt(seconds), boot: 'boot', prev };
    records.push(encodeRecord(head, fact));
  }
  return records;
}

/** A reader of these records. */
export function readerOf(records: readonly StoredRecord[]) {
  return { recordsAfter: (seq: number) => records.slice(seq) };
}
