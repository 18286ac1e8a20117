/**
 * A journal's storage in LMDB: log and projections in one environment and one transaction.
 *
 * The log only ever grows at its end. transactionSync is given braces and putSync, since
 * a promise returned from it would make it return before it is committed.
 */
import { sha256 } from '../../events/digest.ts';
import type { Uuid } from '../../events/names.ts';
import { NO_RECORD, type StoredRecord } from '../../events/record.ts';
import type { Device } from '../device.ts';
import { Archive } from './archive.ts';
import { eventMarkKey } from './draft.ts';
import type { Positions } from './journal.ts';
import {
  archivedIn,
  isIntact,
  type JournalFiles,
  STATE,
  type State,
  type StoredState,
  summed,
} from './journal-files.ts';
import {
  assertFollows,
  type Batch,
  type EventMark,
  FOLD_VERSION,
  type JournalStorage,
  type Projections,
} from './journal-storage.ts';
import { NO_POSITIONS } from './positions.ts';
import { Misfit, Replay, recordsOf } from './replay.ts';
import { archiveFolder } from './segments.ts';

const NOTHING: State = {
  fold: FOLD_VERSION,
  tail: { seq: 0, hash: NO_RECORD },
  positions: NO_POSITIONS,
};

/** What moves without facts is as stored; the rest, and what was never stored, as the log says. */
function together(stored: Positions, folded: Positions): Positions {
  const { desired, command, forwarded, witnessed, madeAgain = false } = stored;
  return {
    ...folded,
    desired: desired ?? folded.desired,
    command: command ?? folded.command,
    forwarded,
    witnessed,
    ...(madeAgain ? { madeAgain } : {}),
  };
}

function stored(seq: number, bytes: Uint8Array): StoredRecord {
  return { seq, bytes, hash: sha256(bytes) };
}

/** lmdb reads the next value into the same place, and says in `length` how much of it is this one. */
export function kept(value: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(value.length);
  value.copy(bytes, 0, 0, value.length);
  return bytes;
}

export class LmdbStorage implements JournalStorage {
  readonly #files: JournalFiles;
  readonly #archive: Archive;

  /** `archive`: where the records are that were moved out of these files. */
  constructor(files: JournalFiles, archive = archiveFolder(files.dir)) {
    this.#files = files;
    this.#archive = new Archive(archive, archivedIn(files));
  }

  /** Throws Misfit when the positions are not as they were stored. */
  projections(): Projections {
    const state = this.#state();
    if (!isIntact(state)) throw new Misfit('its positions were changed');
    const devices = new Map<Uuid, Device>();
    for (const { key, value } of this.#files.devices.getRange()) devices.set(key, value);
    const { fold, tail, positions } = state;
    return { fold, tail, positions, devices };
  }

  /** Throws Misfit when a record that was archived is not where it must be. */
  read(after: number, limit: number): readonly StoredRecord[] {
    if (after >= this.#archive.tail.seq) return this.#readLog(after, limit);
    const archived = this.#archive.read(after, limit);
    return [...archived, ...this.#readLog(this.#archive.tail.seq, limit - archived.length)];
  }

  /** One by one is faster than a range, which must find the key of each; whatever comes behind a gap is read as a range. */
  #readLog(after: number, limit: number): readonly StoredRecord[] {
    const { log } = this.#files;
    const records: StoredRecord[] = [];
    for (let seq = after + 1; records.length < limit; seq += 1) {
      const bytes = log.getBinaryFast(seq);
      if (bytes === undefined) break;
      records.push(stored(seq, kept(bytes)));
    }
    const rest = limit - records.length;
    if (rest === 0) return records;
    const range = log.getRange({ start: after + records.length + 1, limit: rest });
    return [...records, ...Array.from(range, ({ key, value }) => stored(key, value))];
  }

  eventSeq(uuid: Uuid, key: string): number | undefined {
    return this.#files.events.get(eventMarkKey(uuid, key));
  }

  eventCount(): number {
    return this.#files.events.getCount();
  }

  commit(batch: Batch): void {
    const { root, devices, positions } = this.#files;
    root.transactionSync(() => {
      assertFollows(batch, this.#state().tail);
      for (const record of batch.records) this.#log(record);
      for (const device of batch.devices) devices.putSync(device.uuid, device);
      for (const event of batch.events) this.#index(event);
      positions.putSync(STATE, summed({ fold: FOLD_VERSION, tail: batch.tail, positions: batch.positions }));
    });
  }

  /** Makes the projections again from the log, for a fold that answers otherwise. Throws Misfit. */
  rebuild(): void {
    const { root, devices, events, positions } = this.#files;
    const stored = this.#state().positions;
    root.transactionSync(() => {
      devices.clearSync();
      events.clearSync();
      const replay = new Replay();
      for (const record of recordsOf(this)) this.#index(replay.apply(record));
      for (const device of replay.devices.values()) devices.putSync(device.uuid, device);
      const { tail, positions: folded } = replay;
      positions.putSync(STATE, summed({ fold: FOLD_VERSION, tail, positions: together(stored, folded) }));
    });
  }

  async close(): Promise<void> {
    await this.#files.root.close();
  }

  /** putSync answers whether it stored anything, though its type does not say so. */
  #log({ seq, bytes }: StoredRecord): void {
    const stored: unknown = this.#files.log.putSync(seq, bytes, { append: true });
    if (stored !== true) throw new Error(`bug: record ${seq} is not the last of the log`);
  }

  /** The first record of an event is the one that counts. */
  #index(event: EventMark | undefined): void {
    if (event === undefined) return;
    this.#files.events.putSync(eventMarkKey(event.uuid, event.key), event.seq, { noOverwrite: true });
  }

  #state(): StoredState {
    return this.#files.positions.get(STATE) ?? NOTHING;
  }
}
