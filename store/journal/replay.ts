/**
 * A log, record by record, back into what it folds to.
 *
 * Each record must follow the one before by number and by hash, and be read again as what
 * it was written as. Kinds and versions of a newer program are counted and left out of the fold.
 */
import { type Envelope, type Fact, facts } from '../../events/fact.ts';
import type { HostId, Uuid } from '../../events/names.ts';
import { type DecodedRecord, NO_RECORD, type StoredRecord } from '../../events/record.ts';
import { decodeQuickly, decodeVouched } from '../../events/record-quick.ts';
import { type Device, unknownDevice } from '../device.ts';
import { evolve } from '../evolve.ts';
import { markOf } from './draft.ts';
import type { Positions } from './journal.ts';
import type { EventMark, JournalReader, Tail } from './journal-storage.ts';
import { advance, NO_POSITIONS } from './positions.ts';

/** Most records in memory while a log is read. */
const CHUNK_RECORDS_MAX = 100;

/** Something in a journal does not fit. `seq` is the record in question, null when it is none. */
export class Misfit extends Error {
  override readonly name = 'Misfit';
  readonly seq: number | null;

  constructor(message: string, options: { readonly seq?: number; readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.seq = options.seq ?? null;
  }
}

/** The record does not name the one before it as it is; one of the two was changed. */
export class BrokenChain extends Misfit {}

/** All records after this one, a chunk at a time. */
export function* recordsOf(reader: Pick<JournalReader, 'read'>, after = 0): Generator<StoredRecord> {
  for (let from = after; ; ) {
    const chunk = reader.read(from, CHUNK_RECORDS_MAX);
    yield* chunk;
    const last = chunk.at(-1);
    if (last === undefined) return;
    from = last.seq;
  }
}

/** How far a fold has come, and what it has come to. */
export type Folded = {
  readonly host: HostId;
  readonly tail: Tail;
  readonly positions: Positions;
  readonly unknown: number;
  readonly devices: readonly Device[];
};

const NOTHING: Folded = {
  host: '',
  tail: { seq: 0, hash: NO_RECORD },
  positions: NO_POSITIONS,
  unknown: 0,
  devices: [],
};

export class Replay {
  readonly devices: Map<Uuid, Device>;
  tail: Tail;
  positions: Positions;
  /** Records of a kind or version that this program does not know. */
  unknown: number;
  /** The record that was folded last, as it was read; its rows may be left out. */
  last: DecodedRecord | undefined;
  #host: HostId;

  /** Begins with the first record, or goes on from where another fold had come. */
  constructor({ host, tail, positions, unknown, devices }: Folded = NOTHING) {
    this.devices = new Map(devices.map((device) => [device.uuid, device]));
    this.tail = tail;
    this.positions = positions;
    this.unknown = unknown;
    this.#host = host;
  }

  get host(): HostId {
    return this.#host;
  }

  /** Folds the next record; answers with the event that it records, if any. Throws Misfit. */
  apply(record: StoredRecord): EventMark | undefined {
    const seq = this.tail.seq + 1;
    assertNext(record, this.tail);
    const decoded = decodeStored(record);
    const { envelope, fact } = decoded;
    assertFollows(envelope, this.tail);
    if (seq === 1 && fact?.kind !== 'genesis') throw new Misfit('the first record is not genesis', { seq });
    this.tail = { seq, hash: record.hash };
    this.last = decoded;
    if (fact === null) return this.#skip(envelope);
    return this.#fold(fact, seq);
  }

  #skip(envelope: Envelope): undefined {
    const { seq, kind } = envelope;
    if (isKnown(envelope)) throw new Misfit(`record ${seq} is not a ${kind} as it should be`, { seq });
    this.unknown += 1;
  }

  #fold(fact: Fact, seq: number): EventMark | undefined {
    if (fact.kind === 'genesis') this.#host = fact.host;
    this.positions = advance(this.positions, fact, seq);
    if ('uuid' in fact) {
      const before = this.devices.get(fact.uuid) ?? unknownDevice(this.#host, fact.uuid);
      this.devices.set(fact.uuid, evolve(before, fact, seq));
    }
    return markOf(fact, seq);
  }
}

/** Throws Misfit when another record is the next one after `before`. */
export function assertNext({ seq: found }: StoredRecord, before: Tail): void {
  const seq = before.seq + 1;
  if (found !== seq) throw new Misfit(`record ${seq} is missing, ${found} comes next`, { seq });
}

/** Throws Misfit when the next record after `before` does not say that it is. */
export function assertFollows(envelope: Envelope, before: Tail): void {
  const seq = before.seq + 1;
  if (envelope.seq !== seq) throw new Misfit(`record ${seq} says that it is record ${envelope.seq}`, { seq });
  if (envelope.prev !== before.hash)
    throw new BrokenChain(`record ${seq} was not written after this record ${before.seq}`, { seq });
}

/** The record without its rows. Throws Misfit when it is none at all. */
export function decodeStored(record: StoredRecord): DecodedRecord {
  try {
    return record.vouched === true ? decodeVouched(record.bytes) : decodeQuickly(record.bytes);
  } catch (cause) {
    throw new Misfit(`record ${record.seq} cannot be read`, { seq: record.seq, cause });
  }
}

function isKnown({ kind, v }: Envelope): boolean {
  const known = Object.entries(facts).find(([name]) => name === kind);
  return known?.[1].shape.v.safeParse(v).success === true;
}
