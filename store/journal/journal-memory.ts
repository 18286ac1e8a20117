/**
 * The journal in memory, for simulation and tests: deterministic, and it can crash.
 *
 * A disk outlives the journals that are opened on it. A journal that crashed is as good as
 * killed: it stores nothing more and answers nobody, like a process that is gone.
 */
import type { Machine } from '../../events/fact.ts';
import type { HostId, Uuid } from '../../events/names.ts';
import { NO_RECORD, type StoredRecord } from '../../events/record.ts';
import type { Device } from '../device.ts';
import { eventMarkKey, genesis } from './draft.ts';
import { GroupCommitJournal, type GroupCommitOptions, readIdentity } from './group-commit.ts';
import type { Positions } from './journal.ts';
import { assertOwn } from './journal-refused.ts';
import {
  assertFollows,
  type Batch,
  FOLD_VERSION,
  type JournalStorage,
  type Projections,
  type Tail,
} from './journal-storage.ts';
import { NO_POSITIONS } from './positions.ts';

/** What survives a crash: every commit up to it. */
export class MemoryDisk implements JournalStorage {
  /** While true, commits are refused as by a disk without room. */
  full = false;
  readonly #records: StoredRecord[] = [];
  readonly #devices = new Map<Uuid, Device>();
  readonly #events = new Map<string, number>();
  #tail: Tail = { seq: 0, hash: NO_RECORD };
  #positions: Positions = NO_POSITIONS;

  projections(): Projections {
    return { fold: FOLD_VERSION, tail: this.#tail, positions: this.#positions, devices: this.#devices };
  }

  read(after: number, limit: number): readonly StoredRecord[] {
    return this.#records.slice(after, after + limit);
  }

  eventSeq(uuid: Uuid, key: string): number | undefined {
    return this.#events.get(eventMarkKey(uuid, key));
  }

  eventCount(): number {
    return this.#events.size;
  }

  commit(batch: Batch): void {
    assertFollows(batch, this.#tail);
    if (this.full) throw new Error('no space left on the disk in memory');
    for (const record of batch.records) this.#records.push(record);
    for (const device of batch.devices) this.#devices.set(device.uuid, device);
    for (const { uuid, key, seq } of batch.events) {
      const at = eventMarkKey(uuid, key);
      if (!this.#events.has(at)) this.#events.set(at, seq);
    }
    this.#tail = batch.tail;
    this.#positions = batch.positions;
  }

  /** An image of the disk as it is now, to be put back later. */
  copy(): MemoryDisk {
    const image = new MemoryDisk();
    image.#records.push(...this.#records);
    for (const [uuid, device] of this.#devices) image.#devices.set(uuid, device);
    for (const [at, seq] of this.#events) image.#events.set(at, seq);
    image.#tail = this.#tail;
    image.#positions = this.#positions;
    return image;
  }

  async close(): Promise<void> {
    // A disk stays when a journal is closed.
  }
}

export type MemoryJournalOptions = GroupCommitOptions & {
  readonly disk: MemoryDisk;
  readonly host: HostId;
  readonly machine: Machine;
  readonly software: string;
  /** Id of the journal that is begun if the disk holds none. */
  readonly journal: string;
};

export class MemoryJournal extends GroupCommitJournal {
  readonly #disk: MemoryDisk;
  readonly #life: { crashed: boolean };

  constructor(disk: MemoryDisk, options: GroupCommitOptions, life = { crashed: false }) {
    const schedule = (commit: () => void): void =>
      options.schedule(() => {
        if (!life.crashed) commit();
      });
    super(disk, { ...options, schedule });
    this.#disk = disk;
    this.#life = life;
  }

  /** Kills the journal where it stands; the disk holds what was durable. */
  crash(): MemoryDisk {
    this.#life.crashed = true;
    return this.#disk;
  }

  override async close(): Promise<void> {
    if (!this.#life.crashed) await super.close();
  }
}

/** Opens the journal on the disk, or begins one. Throws JournalRefused for another host's or machine's. */
export function openMemoryJournal(options: MemoryJournalOptions): MemoryJournal {
  const { disk, journal, host, machine, software, stamp } = options;
  if (disk.projections().tail.seq === 0) disk.commit(genesis({ journal, host, machine }, software, stamp));
  assertOwn('memory', readIdentity(disk), options);
  return new MemoryJournal(disk, options);
}
