/**
 * The past of one journal, from the journal itself, by way of its snapshots.
 */
import { join } from 'node:path';
import type { StoredRecord } from '../../events/record.ts';
import type { End } from './moment.ts';
import { Past } from './past.ts';
import type { Snapshots } from './snapshots.ts';
import { type OnRecord, type Reached, Walk } from './walk.ts';

/** As much of a journal as the past is read from. */
export type PastReader = {
  /** The records after this one, in order. */
  recordsAfter(seq: number): Iterable<StoredRecord>;
};

/** The folder of the snapshots of the journal in `dir`. */
export function snapshotFolder(dir: string): string {
  return join(dir, 'snapshots');
}

/** The states at the moments, in their order. `snapshots`: where they are kept; null to fold from the first record. */
export function journalPast(
  reader: PastReader,
  ends: readonly End[],
  snapshots: Snapshots | null,
  onRecord?: OnRecord,
): readonly Reached[] {
  const kept = snapshots?.latest(ends, (seq) => first(reader.recordsAfter(seq - 1)));
  const walk = new Walk(ends, onRecord, new Past(kept));
  for (const record of reader.recordsAfter(kept?.tail.seq ?? 0)) {
    if (!walk.take(record)) break;
    snapshots?.offer(walk.past);
  }
  return walk.states();
}

function first(records: Iterable<StoredRecord>): StoredRecord | undefined {
  for (const record of records) return record;
  return undefined;
}
