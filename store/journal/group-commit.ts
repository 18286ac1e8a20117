/**
 * The journal over any storage: the appends of one turn share one durable commit.
 *
 * A commit is synchronous, so there is never more than one draft: appends are staged on it
 * until the scheduled commit takes it. Nothing is answered as durable before the storage
 * said so; when the storage refuses, the draft is dropped whole and what was durable stands.
 */
import type { Uuid } from '../../events/names.ts';
import { decodeRecord, type StoredRecord } from '../../events/record.ts';
import { type Device, unknownDevice } from '../device.ts';
import { Draft } from './draft.ts';
import type { Append, AppendResult, Journal, JournalIdentity, Positions, Stamp } from './journal.ts';
import type { Batch, JournalStorage, Tail } from './journal-storage.ts';

export type GroupCommitOptions = {
  readonly stamp: Stamp;
  /** Runs the commit once the appends of this turn are in, e.g. setImmediate. */
  readonly schedule: (commit: () => void) => void;
  /** Called after every durable commit with the number of its records. */
  readonly onCommit?: ((records: number) => void) | undefined;
};

type Waiter = { readonly records: readonly StoredRecord[]; readonly answer: (result: AppendResult) => void };

export class GroupCommitJournal implements Journal {
  readonly identity: JournalIdentity;
  readonly #storage: JournalStorage;
  readonly #options: GroupCommitOptions;
  readonly #devices: Map<Uuid, Device>;
  #tail: Tail;
  #positions: Positions;
  #draft: Draft | undefined;
  #waiters: Waiter[] = [];
  #closed = false;

  /** Takes a storage that holds a journal, whose projections are in step with its log. */
  constructor(storage: JournalStorage, options: GroupCommitOptions) {
    const { tail, positions, devices } = storage.projections();
    this.identity = readIdentity(storage);
    this.#storage = storage;
    this.#options = options;
    this.#devices = new Map(devices);
    this.#tail = tail;
    this.#positions = positions;
  }

  tail(): Tail {
    return this.#tail;
  }

  positions(): Positions {
    return this.#positions;
  }

  device(uuid: Uuid): Device {
    return this.#devices.get(uuid) ?? unknownDevice(this.identity.host, uuid);
  }

  latest(uuid: Uuid): Device {
    return this.#draft?.latest(uuid) ?? this.device(uuid);
  }

  devices(): Iterable<Device> {
    return this.#devices.values();
  }

  seen(uuid: Uuid, key: string): boolean {
    return this.#draft?.seen(uuid, key) === true || this.#storage.eventSeq(uuid, key) !== undefined;
  }

  read(after: number, limit: number): readonly StoredRecord[] {
    return this.#storage.read(after, limit);
  }

  append(append: Append): Promise<AppendResult> {
    if (this.#closed) return Promise.resolve({ kind: 'failed', cause: new Error('the journal is closed') });
    const draft = this.#openDraft();
    const records = draft.stage(append, this.#options.stamp);
    if (records === undefined) return Promise.resolve({ kind: 'stale' });
    return new Promise((answer) => this.#waiters.push({ records, answer }));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#commit();
    this.#closed = true;
    await this.#storage.close();
  }

  #openDraft(): Draft {
    if (this.#draft !== undefined) return this.#draft;
    this.#options.schedule(() => this.#commit());
    this.#draft = new Draft({
      host: this.identity.host,
      tail: this.#tail,
      positions: this.#positions,
      devices: this.#devices,
    });
    return this.#draft;
  }

  #commit(): void {
    const draft = this.#draft;
    if (draft === undefined) return;
    const waiters = this.#waiters;
    this.#draft = undefined;
    this.#waiters = [];
    const failure = draft.isEmpty() ? undefined : this.#store(draft.batch());
    for (const { records, answer } of waiters) answer(failure ?? { kind: 'durable', records });
  }

  #store(batch: Batch): AppendResult | undefined {
    try {
      this.#storage.commit(batch);
    } catch (cause) {
      return { kind: 'failed', cause };
    }
    for (const device of batch.devices) this.#devices.set(device.uuid, device);
    this.#tail = batch.tail;
    this.#positions = batch.positions;
    this.#options.onCommit?.(batch.records.length);
    return undefined;
  }
}

/** Whose journal it is, as its first record says. */
export function readIdentity(storage: JournalStorage): JournalIdentity {
  const [first] = storage.read(0, 1);
  const fact = first && decodeRecord(first.bytes).fact;
  if (fact?.kind !== 'genesis') throw new Error('bug: opened a journal that does not begin with genesis');
  const { journal, host, machine } = fact;
  return { journal, host, machine };
}
