/**
 * The Host port on the sysfs of a real kernel.
 *
 * Reads names and links itself, and leaves to helper processes what a driver could keep from
 * returning: every write, opening a group, and reading `available_instances`. Reads and writes
 * have helpers of their own, so that slow writes do not keep other devices from being observed.
 * What cannot be told is `unreadable`; absence follows from a missing link and from nothing else.
 */
import { strict as assert } from 'node:assert';
import type { Attribute, Uuid } from '../../events/names.ts';
import { type Clock, sleep } from '../clock.ts';
import { ERRNO } from '../errno.ts';
import type {
  Change,
  Host,
  Look,
  Observed,
  Place,
  Room,
  Stock,
  Survey,
  Surveyed,
  Use,
  WriteResult,
} from '../host.ts';
import { Registrations } from '../registrations.ts';
import { AttributeReader } from './attribute-reader.ts';
import { EarlierWriters } from './earlier-writers.ts';
import { type Guarded, type Task, targetOf } from './order.ts';
import { busLink, checkedAttribute, checkedName, createFile, deviceFolder, typeFolder } from './paths.ts';
import {
  devicesOnBus,
  groupOf,
  missing,
  registrationOf,
  type Sighting,
  sight,
  standing,
  surveyed,
} from './read.ts';
import { StockTaker } from './stock.ts';
import type { Warn } from './uevents.ts';
import {
  AGAIN,
  type Again,
  isPassing,
  NoAnswer,
  notRead,
  type Unreadable,
  unreadable,
} from './unreadable.ts';
import { watch } from './watch.ts';
import { createWriterPool, type WriterPool } from './writer-pool.ts';

export type SysfsLimits = {
  /** Writes at once, on the whole host. */
  readonly writersMax: number;
  /** Stuck writes that do not count against that. */
  readonly stuckWritersMax: number;
  /** After this a write is stuck. */
  readonly writeDeadlineMs: number;
  /** After this a read through a helper has failed. */
  readonly readDeadlineMs: number;
  /** Time between two looks at a helper that is at work; one whose driver answers EINTR each time is killed. */
  readonly spinMs: number;
  /** A helper beyond the first that has had nothing to do for so long ends. */
  readonly idleMs: number;
  /** Time between two looks for devices and parents that come and go, while no uevents are heard. */
  readonly pollMs: number;
  /** The same, while they are. */
  readonly pollBesideUeventsMs: number;
};

const SYSFS_LIMITS: SysfsLimits = {
  writersMax: 16,
  stuckWritersMax: 64,
  writeDeadlineMs: 30_000,
  readDeadlineMs: 5_000,
  spinMs: 500,
  idleMs: 60_000,
  pollMs: 1_000,
  pollBesideUeventsMs: 10_000,
};

export type SysfsHostOptions = {
  readonly clock: Clock;
  /** A folder of this host's journal, for the helpers' marks; it must outlive the agent. */
  readonly marksDir: string;
  /** Where sysfs, /dev and /proc are mounted. */
  readonly root?: string;
  readonly dev?: string;
  readonly proc?: string;
  /** Name or path of udevadm, by which uevents are heard; null: changes are found by polling only. */
  readonly udevadm?: string | null;
  readonly warn?: Warn;
  readonly limits?: Partial<SysfsLimits>;
};

/** Looks at a device that keeps changing before the answer is that it cannot be read. */
const LOOKS_MAX = 5;
/** Devices surveyed before other work gets its turn. */
const SURVEY_CHUNK = 128;
/** Helpers that read; two, so that one driver that hangs does not stop all. */
const READERS_MAX = 2;
const READERS_STUCK_MAX = 16;

/** The host on which this process runs. Starts two helpers at once, more when they are needed. */
export function createSysfsHost(options: SysfsHostOptions): Host {
  return new SysfsHost(options);
}

class SysfsHost implements Host {
  readonly #clock: Clock;
  readonly #root: string;
  readonly #dev: string;
  readonly #proc: string;
  readonly #limits: SysfsLimits;
  readonly #earlier: EarlierWriters;
  readonly #writers: WriterPool;
  readonly #readers: WriterPool;
  readonly #attributes: AttributeReader;
  readonly #stock: StockTaker;
  readonly #watches = new Set<() => void>();
  readonly #registrations = new Registrations();
  readonly #watching: { readonly udevadm: string | null; readonly warn: Warn };

  constructor(options: SysfsHostOptions) {
    const { clock, marksDir, root = '/sys', dev = '/dev', proc = '/proc', limits } = options;
    const { udevadm = 'udevadm', warn = () => undefined } = options;
    this.#watching = { udevadm, warn };
    this.#clock = clock;
    this.#root = root;
    this.#dev = dev;
    this.#proc = proc;
    this.#limits = { ...SYSFS_LIMITS, ...limits };
    const { writersMax, stuckWritersMax, writeDeadlineMs, readDeadlineMs, spinMs, idleMs } = this.#limits;
    const common = { clock, marksDir, proc, helpersMin: 1, spinMs, idleMs };
    this.#writers = createWriterPool({
      ...common,
      helpersMax: writersMax,
      stuckMax: stuckWritersMax,
      deadlineMs: writeDeadlineMs,
    });
    this.#readers = createWriterPool({
      ...common,
      helpersMax: READERS_MAX,
      stuckMax: READERS_STUCK_MAX,
      deadlineMs: readDeadlineMs,
    });
    this.#attributes = new AttributeReader(root, { ...common, deadlineMs: readDeadlineMs });
    this.#earlier = new EarlierWriters(marksDir, proc);
    this.#stock = new StockTaker(root, this.#readers);
  }

  async observe(uuid: Uuid, look: Look): Promise<Observed> {
    const pid = this.#writers.writing(uuid) ?? this.#earlier.writing(uuid);
    if (pid !== undefined) return { kind: 'busy', pid };
    let last: unknown = new NoAnswer(`${busLink(this.#root, uuid)} kept changing while it was read`);
    for (let looks = 0; looks < LOOKS_MAX; looks += 1) {
      try {
        const seen = await this.#look(uuid, look);
        if (seen !== AGAIN) return await this.#withAttributes(uuid, seen, look.attributes ?? []);
      } catch (error) {
        if (!isPassing(error)) return unreadable(error);
        last = error;
      }
    }
    return unreadable(last);
  }

  async #withAttributes(uuid: Uuid, seen: Observed, names: readonly string[]): Promise<Observed> {
    if (seen.kind !== 'present') return seen;
    return { ...seen, attributes: await this.#attributes.read(uuid, seen.place, names) };
  }

  async #look(uuid: Uuid, { place, use, taken = false }: Look): Promise<Observed | Again> {
    const registration = place === null ? null : registrationOf(this.#root, place.parent);
    const seen = sight(this.#root, uuid, place?.parent ?? null);
    if (seen === AGAIN) return AGAIN;
    if (seen.kind === 'present' && seen.place.parent === place?.parent) {
      this.#registrations.saw(uuid, place.parent, registration);
    }
    if (seen.kind === 'present') return this.#present(uuid, seen, use);
    if (seen.kind !== 'absent') return seen;
    if (place === null) {
      this.#registrations.forget(uuid);
      return { kind: 'absent', room: null };
    }
    const wasGone = this.#registrations.isOver(uuid, place.parent, registrationOf(this.#root, place.parent));
    const room = await this.#room(place, taken);
    if (room === AGAIN || room.kind === 'unreadable') return room;
    if (wasGone && room.kind !== 'parent-absent') return { kind: 'absent', room, parentReturned: true };
    return { kind: 'absent', room };
  }

  async #present(uuid: Uuid, seen: Present, isAsked: boolean): Promise<Observed | Again> {
    if (!isAsked) return { ...seen, use: { kind: 'unknown' }, attributes: [] };
    const use = await this.#use(uuid);
    // The number may have passed to another device meanwhile.
    return groupOf(busLink(this.#root, uuid)) === seen.iommuGroup ? { ...seen, use, attributes: [] } : AGAIN;
  }

  /** Guards the device for a moment, which fails while somebody has it open, and would fail for them. */
  async #use(uuid: Uuid): Promise<Use> {
    const guard = this.#guarded(busLink(this.#root, uuid));
    const ran = await this.#readers.run({ op: 'probe', ...guard }, null);
    if (ran.kind === 'in-use') return ran;
    return { kind: ran.kind === 'ok' ? 'free' : 'unknown' };
  }

  #guarded(device: string): Guarded {
    return { device, nodes: `${this.#dev}/vfio`, proc: this.#proc };
  }

  async #room(place: Place, isAsked: boolean): Promise<Room | Unreadable | Again> {
    const gone = missing(this.#root, place);
    if (gone !== null) return gone;
    const file = `${typeFolder(this.#root, place)}/available_instances`;
    const ran = await this.#readers.run({ op: 'read', file }, null);
    if (ran.kind !== 'text') return notRead(file, ran);
    if (!/^\d+\n?$/.test(ran.text)) {
      const message = `${file} holds no number: ${JSON.stringify(ran.text)}`;
      return { kind: 'unreadable', errno: null, message };
    }
    const instances = Number(ran.text);
    const taken = isAsked || instances === 0 ? standing(this.#root, place.parent) : null;
    return { kind: 'available', instances, taken };
  }

  async survey(): Promise<Survey> {
    const devices: Surveyed[] = [];
    try {
      for (const [index, uuid] of devicesOnBus(this.#root).entries()) {
        if (index % SURVEY_CHUNK === SURVEY_CHUNK - 1) await sleep(this.#clock, 0);
        const device = surveyed(this.#root, uuid);
        if (device !== null) devices.push(device);
      }
    } catch (error) {
      return unreadable(error);
    }
    return { kind: 'devices', devices };
  }

  stock(): Promise<Stock> {
    return this.#stock.take();
  }

  async create(uuid: Uuid, place: Place): Promise<WriteResult> {
    return this.#write(uuid, { op: 'create', file: createFile(this.#root, place), data: uuid });
  }

  async remove(uuid: Uuid, { parent, type }: Place): Promise<WriteResult> {
    const device = deviceFolder(this.#root, parent, uuid);
    return this.#write(uuid, { op: 'remove', type: checkedName(type), ...this.#guarded(device) });
  }

  async setAttribute(uuid: Uuid, { parent, type }: Place, attribute: Attribute): Promise<WriteResult> {
    const device = deviceFolder(this.#root, parent, uuid);
    const { name, value } = checkedAttribute(attribute);
    this.#attributes.prepare();
    return this.#write(uuid, { op: 'attribute', device, type: checkedName(type), name, data: value });
  }

  async #write(uuid: Uuid, task: Task): Promise<WriteResult> {
    const ran = await this.#writers.run(task, uuid);
    const file = targetOf(task);
    switch (ran.kind) {
      case 'crowded':
        return { kind: 'errno', errno: ERRNO.noHelper, call: 'open', file };
      case 'ended':
        return { kind: 'errno', errno: ERRNO.helperEnded, call: 'write', file };
      case 'text':
      case 'attributes':
        return assert.fail(`a write of ${file} was answered like a read`);
      default:
        return ran;
    }
  }

  onChange(listener: (change: Change) => void): () => void {
    const [clock, limits, root, proc] = [this.#clock, this.#limits, this.#root, this.#proc];
    const end = watch({ clock, limits, root, proc, listener, ...this.#watching });
    this.#watches.add(end);
    return () => {
      this.#watches.delete(end);
      end();
    };
  }

  async close(): Promise<void> {
    for (const end of this.#watches) end();
    await Promise.all([this.#writers.close(), this.#readers.close(), this.#attributes.close()]);
  }
}

type Present = Extract<Sighting, { kind: 'present' }>;
