/**
 * What the appends of one turn make of a journal, before it is durable.
 *
 * Pure: nothing here is stored. An append is decided on what the appends before it in the
 * same turn left behind, and it is taken whole or not at all.
 */
import { eventKey, explain } from '../../events/codec.ts';
import { type DeviceFact, type Fact, fact } from '../../events/fact.ts';
import type { HostId, Uuid } from '../../events/names.ts';
import { encodeRecord, NO_RECORD, type StoredRecord } from '../../events/record.ts';
import { NO_UUID } from '../../events/subject.ts';
import { type Device, unknownDevice } from '../device.ts';
import { evolve } from '../evolve.ts';
import { rowsOf } from '../rows.ts';
import type { Append, JournalIdentity, Positions, Stamp } from './journal.ts';
import type { Batch, EventMark, Tail } from './journal-storage.ts';
import { advance, NO_POSITIONS } from './positions.ts';

/** The durable state that a draft stands on. */
export type Base = {
  readonly host: HostId;
  readonly tail: Tail;
  readonly positions: Positions;
  readonly devices: ReadonlyMap<Uuid, Device>;
};

export class Draft {
  readonly #base: Base;
  readonly #records: StoredRecord[] = [];
  readonly #devices = new Map<Uuid, Device>();
  readonly #events = new Map<string, EventMark>();
  #tail: Tail;
  #positions: Positions;

  constructor(base: Base) {
    this.#base = base;
    this.#tail = base.tail;
    this.#positions = base.positions;
  }

  /** The UUID's state with everything in this draft. */
  latest(uuid: Uuid): Device {
    const known = this.#devices.get(uuid) ?? this.#base.devices.get(uuid);
    return known ?? unknownDevice(this.#base.host, uuid);
  }

  /** True when this draft records the event for the UUID. */
  seen(uuid: Uuid, key: string): boolean {
    return this.#events.has(eventMarkKey(uuid, key));
  }

  /** The records that the append makes, or undefined when it was decided on an older version. */
  stage(append: Append, stamp: Stamp): readonly StoredRecord[] | undefined {
    const { facts, expected, follows, positions } = append;
    if (expected !== undefined && this.latest(expected.uuid).version !== expected.version) return undefined;
    if (follows !== undefined && this.#tail.seq !== follows) return undefined;
    for (const one of facts) assertReadable(one);
    assertForwarded(positions?.forwarded ?? 0, this.#base.tail.seq);
    const stamped = stamp();
    const records = facts.map((one) => this.#add(one, stamped));
    if (positions !== undefined) this.#positions = { ...this.#positions, ...positions };
    return records;
  }

  isEmpty(): boolean {
    return this.#records.length === 0 && this.#positions === this.#base.positions;
  }

  batch(): Batch {
    return {
      after: this.#base.tail,
      tail: this.#tail,
      records: this.#records,
      devices: [...this.#devices.values()],
      events: [...this.#events.values()],
      positions: this.#positions,
    };
  }

  #add(one: Fact, stamped: ReturnType<Stamp>): StoredRecord {
    const seq = this.#tail.seq + 1;
    const device = 'uuid' in one ? this.#evolve(one, seq) : undefined;
    const mark = markOf(one, seq);
    if (mark !== undefined) this.#mark(mark);
    const head = { seq, ...stamped, prev: this.#tail.hash };
    const record = encodeRecord(head, one, device && rowsOf(device));
    this.#positions = advance(this.#positions, one, seq);
    this.#tail = { seq, hash: record.hash };
    this.#records.push(record);
    return record;
  }

  #evolve(one: DeviceFact, seq: number): Device {
    const device = evolve(this.latest(one.uuid), one, seq);
    this.#devices.set(one.uuid, device);
    return device;
  }

  #mark(mark: EventMark): void {
    const key = eventMarkKey(mark.uuid, mark.key);
    if (!this.#events.has(key)) this.#events.set(key, mark);
  }
}

/** The first commit of a journal: the record that says whose it is. */
export function genesis(identity: JournalIdentity, software: string, stamp: Stamp): Batch {
  const head = { seq: 1, ...stamp(), prev: NO_RECORD };
  const record = encodeRecord(head, { kind: 'genesis', v: 1, ...identity, software });
  return {
    after: { seq: 0, hash: NO_RECORD },
    tail: { seq: record.seq, hash: record.hash },
    records: [record],
    devices: [],
    events: [],
    positions: NO_POSITIONS,
  };
}

/** The event that a fact records, if it records one. */
export function markOf(one: Fact, seq: number): EventMark | undefined {
  switch (one.kind) {
    case 'declared':
    case 'commanded':
      return { uuid: one.uuid, key: eventKey(one.event), seq };
    case 'steered':
    case 'cordoned':
    case 'told':
      return { uuid: NO_UUID, key: eventKey(one.event), seq };
    default:
      return undefined;
  }
}

/** One string for an event about a UUID. */
export function eventMarkKey(uuid: Uuid, key: string): string {
  return `${key} ${uuid}`;
}

/** What is written must be read again for ever, so a fact that its own schema refuses is a bug. */
function assertReadable(one: Fact): void {
  const parsed = fact.safeParse(one);
  if (!parsed.success)
    throw new Error(`bug: a ${one.kind} fact that cannot be read back: ${explain(parsed.error)}`);
  if (one.kind === 'genesis')
    throw new Error('bug: a genesis fact is the first record of a journal and no other');
}

/** Only what is durable is ever forwarded. */
function assertForwarded(forwarded: number, tail: number): void {
  if (forwarded > tail) throw new Error(`bug: forwarded up to ${forwarded}, but the journal ends at ${tail}`);
}
