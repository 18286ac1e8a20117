/**
 * The records of a journal without a journal: genesis, then these facts, chained as a journal chains them.
 */
import { sha256 } from '../../../events/digest.ts';
import type { Fact, FactOf } from '../../../events/fact.ts';
import { encodeRecord, NO_RECORD, type StoredRecord } from '../../../events/record.ts';
import type { Head, Signer } from '../../../store/journal/checkpoint.ts';
import { HOST, MACHINE, makeStamp } from './journal-fixture.ts';

const JOURNAL = 'the-journal';
const GENESIS: Fact = {
  kind: 'genesis',
  v: 1,
  journal: JOURNAL,
  host: HOST,
  machine: MACHINE,
  software: 'test',
};

/** A fact, or one that is made of the record before it. */
type Link = Fact | ((head: Head) => Fact);

export function chainOf(facts: readonly Link[]): readonly StoredRecord[] {
  const stamp = makeStamp();
  const records: StoredRecord[] = [];
  for (const link of [GENESIS, ...facts]) {
    const { seq, hash: prev } = records.at(-1) ?? { seq: 0, hash: NO_RECORD };
    const stamped = stamp();
    const head = { host: HOST, journal: JOURNAL, seq, hash: prev, time: stamped.time };
    const fact = typeof link === 'function' ? link(head) : link;
    records.push(encodeRecord({ seq: seq + 1, ...stamped, prev }, fact));
  }
  return records;
}

/** The signed head, as a fact. */
export function checkpointOf(signer: Signer): (head: Head) => FactOf<'checkpoint'> {
  return (head) => ({ kind: 'checkpoint', v: 1, publicKey: signer.publicKey, note: signer.sign(head) });
}

/** The record with other content, and still one. */
export function rewritten(record: StoredRecord): StoredRecord {
  const bytes = new TextEncoder().encode(new TextDecoder().decode(record.bytes).replace('boot-1', 'boot-2'));
  return { seq: record.seq, bytes, hash: sha256(bytes) };
}
