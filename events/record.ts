/**
 * The codec of a journal's records: `{seq, time, boot, <fact>, rows?, prev}` as JSON.
 *
 * A record's bytes are written once and hashed as they are; nobody re-serialises them.
 * Reading never fails on a kind or version of a newer program: the fact is then null.
 */
import { sha256 } from './digest.ts';
import { type Envelope, envelope, type Fact, fact } from './fact.ts';
import type { Row } from './row.ts';
import { INVENTORY, type Subject } from './subject.ts';

/** `prev` of the first record. */
export const NO_RECORD = '0'.repeat(64);

/** What a record says beside its fact. */
export type RecordHead = {
  readonly seq: number;
  readonly time: string;
  readonly boot: string;
  readonly prev: string;
};

/** A record as stored: its exact bytes and their hash. */
export type StoredRecord = {
  readonly seq: number;
  readonly bytes: Uint8Array;
  readonly hash: string;
  /** Its hash, and its form around the fact, are checked elsewhere, and nothing that is made of it counts until they were. */
  readonly vouched?: true;
};

/** A record as read. `fact` is null for a kind or version that this program does not know. */
export type DecodedRecord = { readonly envelope: Envelope; readonly fact: Fact | null };

/** Writes a record. `rows` are given for facts about a device. */
export function encodeRecord(head: RecordHead, what: Fact, rows?: readonly Row[]): StoredRecord {
  const { seq, time, boot, prev } = head;
  const record = { seq, time, boot, ...what, ...(rows === undefined ? {} : { rows }), prev };
  const bytes = new TextEncoder().encode(JSON.stringify(record));
  return { seq, bytes, hash: sha256(bytes) };
}

/** Reads a record; throws when it is not one at all. */
export function decodeRecord(bytes: Uint8Array): DecodedRecord {
  const whole = envelope.parse(JSON.parse(new TextDecoder().decode(bytes)));
  const { seq: _seq, time: _time, boot: _boot, prev: _prev, rows: _rows, ...rest } = whole;
  const known = fact.safeParse(rest);
  return { envelope: whole, fact: known.success ? known.data : null };
}

/** Under which subject of its host a record of one's own journal belongs, without checking all of it. */
export function topicOfRecord({ bytes }: StoredRecord): Pick<Subject, 'uuid' | 'topic'> {
  const { kind, uuid } = JSON.parse(new TextDecoder().decode(bytes)) as Pick<Envelope, 'kind' | 'uuid'>;
  return kind === 'inventory' ? { uuid: null, topic: INVENTORY } : { uuid: uuid ?? null };
}
