/**
 * The port to a host's journal: the append-only, hash-chained record of what was decided,
 * with the projections that change in the same transaction.
 *
 * Appends of one turn of the event loop share one durable commit. `device` answers from
 * what is durable; `latest` also from what is on its way to the disk. An append that was
 * decided on an older version of a device is refused as a whole.
 */
import type { EventMeta } from '../../events/declaration.ts';
import type { Cursor, Fact, Machine } from '../../events/fact.ts';
import type { HostId, Uuid } from '../../events/names.ts';
import type { StoredRecord } from '../../events/record.ts';
import type { StreamName } from '../../events/stream.ts';
import type { Cordon } from '../cordons.ts';
import type { Device } from '../device.ts';

/** Whose journal it is; written in its first record. */
export type JournalIdentity = {
  readonly journal: string;
  readonly host: HostId;
  readonly machine: Machine;
};

export type CursorName = Exclude<StreamName, 'observed'>;

/** How far streams were read and facts were forwarded, and what else the host itself is known to be. */
export type Positions = {
  readonly desired: Cursor | null;
  readonly command: Cursor | null;
  /** Sequence of the last fact that the server acknowledged. */
  readonly forwarded: number;
  /** The sequence which that fact got in the observed stream; 0 before the first. */
  readonly witnessed: number;
  /** What could be read when the events that could not be were last gone through, for each stream. */
  readonly vocabulary?: Readonly<Partial<Record<CursorName, string>>>;
  /**
   * True for a journal that was made again from what others have of it, and may lack the last that was done: until what
   * the registry holds in its host's name was read back.
   */
  readonly madeAgain?: boolean;
  /** The incarnation under which this journal last spoke for its host; 0 before the first. */
  readonly incarnation: number;
  /** Who paused this host, and when; null while it goes on. */
  readonly paused: EventMeta | null;
  /** Parents on which no new device is made. */
  readonly cordons: readonly Cordon[];
  /** The state of the fleet's registry that was last recorded; null when none ever was. */
  readonly registry: { readonly state: 'open' | 'rebuilding'; readonly revision: number } | null;
  /** The record that has the host's inventory; null when none has it. */
  readonly inventory: number | null;
};

/** Facts to record, in order, and positions that move with them, all or nothing. */
export type Append = {
  readonly facts: readonly Fact[];
  /** Refuse the append if the device's latest version is another one. */
  readonly expected?: { readonly uuid: Uuid; readonly version: number };
  /** Refuse the append unless its first record comes right after this one. */
  readonly follows?: number;
  readonly positions?: Partial<
    Omit<Positions, 'incarnation' | 'paused' | 'cordons' | 'registry' | 'inventory'>
  >;
};

/** `stale`: the device changed meanwhile, or something else was recorded; decide again. `failed`: not stored (a full disk, an I/O error). */
export type AppendResult =
  | { readonly kind: 'durable'; readonly records: readonly StoredRecord[] }
  | { readonly kind: 'stale' }
  | { readonly kind: 'failed'; readonly cause: unknown };

export interface Journal {
  readonly identity: JournalIdentity;
  /** Sequence and hash of the last durable record. */
  tail(): { readonly seq: number; readonly hash: string };
  positions(): Positions;
  /** The durable state of a UUID; a blank one when nothing is known of it. */
  device(uuid: Uuid): Device;
  /** Like `device`, with what is not yet durable. */
  latest(uuid: Uuid): Device;
  /** Every UUID of which anything is known, durable state. */
  devices(): Iterable<Device>;
  /** True when this event (its eventKey) was recorded for the UUID, or NO_UUID for the host, durable or on its way. */
  seen(uuid: Uuid, key: string): boolean;
  append(append: Append): Promise<AppendResult>;
  /** Up to `limit` durable records with a sequence greater than `after`. */
  read(after: number, limit: number): readonly StoredRecord[];
  close(): Promise<void>;
}

/** What the journal stamps on each record. */
export type Stamp = () => { readonly time: string; readonly boot: string };
