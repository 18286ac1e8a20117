/**
 * The records of a journal without a journal: genesis, then these facts, chained as a journal chains them.
 */
import type { Fact } from '../../../events/fact.ts';
import { encodeRecord, NO_RECORD, type StoredRecord } from '../../../events/record.ts';
import { HOST, MACHINE, makeStamp } from './journal-fixture.ts';

const GENESIS: Fact = {
  kind: 'genesis',
  v: 1,
  journal: 'the-journal',
  host: HOST,
  machine: MACHINE,
  software: 'test',
};

export function chainOf(facts: readonly Fact[]): readonly StoredRecord[] {
  const stamp = makeStamp();
  const records: StoredRecord[] = [];
  for (const fact of [GENESIS, ...facts]) {
    const prev = records.at(-1)?.hash ?? NO_RECORD;
    records.push(encodeRecord({ seq: records.length + 1, ...stamp(), prev }, fact));
  }
  return records;
}
