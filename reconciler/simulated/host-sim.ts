/**
 * The Host port on a simulated kernel, with what helpers and the guard add on a real one.
 *
 * A host belongs to one agent, the kernel to the machine. A write goes on when the agent that
 * asked for it is gone: the next agent on the same kernel sees it as `busy`.
 */
import type { Attribute, Uuid } from '../../events/names.ts';
import type { Clock } from '../clock.ts';
import { ERRNO, errnoName } from '../errno.ts';
import {
  type Change,
  countByType,
  type Host,
  type InUse,
  type Look,
  type Observed,
  type Offering,
  type Place,
  type Stock,
  type Survey,
  type Use,
  type WriteResult,
} from '../host.ts';
import { Registrations } from '../registrations.ts';
import { deviceFolder } from '../sysfs/paths.ts';
import type { SimulatedKernel } from './kernel-sim.ts';
import type { KernelAnswer } from './kernel-sim-answer.ts';
import type { SimDevice } from './kernel-sim-inventory.ts';

/** Time after which a write counts as stuck, unless given. */
const WRITE_DEADLINE_MS = 30_000;
/** Time after which what attributes read cannot be told. */
const READ_DEADLINE_MS = 5_000;

type Present = Extract<Observed, { kind: 'present' }>;

/** Whoever holds a device of the simulated machine. */
const HELD: InUse = { kind: 'in-use', by: [{ pid: 4711, command: 'virtual-machine' }] };

export type SimulatedHostParts = {
  readonly kernel: SimulatedKernel;
  readonly clock: Clock;
  readonly writeDeadlineMs?: number | undefined;
};

/** A host on the simulated kernel, in this process. */
export function createSimulatedHost(parts: SimulatedHostParts): Host {
  return new SimulatedHost(parts);
}

class SimulatedHost implements Host {
  readonly #kernel: SimulatedKernel;
  readonly #clock: Clock;
  readonly #deadlineMs: number;
  readonly #subscriptions = new Set<() => void>();
  readonly #registrations = new Registrations();

  constructor({ kernel, clock, writeDeadlineMs = WRITE_DEADLINE_MS }: SimulatedHostParts) {
    this.#kernel = kernel;
    this.#clock = clock;
    this.#deadlineMs = writeDeadlineMs;
  }

  async observe(uuid: Uuid, look: Look): Promise<Observed> {
    const errno = this.#kernel.readErrno(uuid);
    if (errno !== null) {
      return { kind: 'unreadable', errno, message: `reading ${uuid} answered ${errnoName(errno)}` };
    }
    const pid = this.#kernel.processes.writing(uuid);
    if (pid !== undefined) return { kind: 'busy', pid };
    const device = this.#kernel.device(uuid);
    if (device === undefined) return this.#absent(uuid, look);
    switch (device.phase) {
      case 'reserved':
        return this.#absent(uuid, look);
      case 'incomplete':
        return { kind: 'incomplete', parent: device.parent };
      case 'removing':
        return device.parent === look.place?.parent
          ? { kind: 'removing', parent: device.parent }
          : this.#absent(uuid, look);
      case 'complete':
        this.#registrations.saw(uuid, device.parent, this.#kernel.registration(device.parent));
        return { ...present(device, look), attributes: await this.#read(uuid, look.attributes ?? []) };
      default:
        return device.phase satisfies never;
    }
  }

  /** All names of a device in one go: when one hangs, nothing can be told of the others either. */
  async #read(uuid: Uuid, names: readonly string[]): Promise<readonly Attribute[]> {
    if (names.length === 0) return [];
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.after(READ_DEADLINE_MS, () => resolve([]));
      readAll(this.#kernel, uuid, names).then((read) => {
        cancel();
        resolve(read);
      }, reject);
    });
  }

  #absent(uuid: Uuid, { place, taken }: Look): Observed {
    if (place === null) {
      this.#registrations.forget(uuid);
      return { kind: 'absent', room: null };
    }
    const room = this.#kernel.room(place, taken);
    const wasGone = this.#registrations.isOver(uuid, place.parent, this.#kernel.registration(place.parent));
    if (wasGone && room.kind !== 'parent-absent') return { kind: 'absent', room, parentReturned: true };
    return { kind: 'absent', room };
  }

  async survey(): Promise<Survey> {
    const onBus = this.#kernel
      .devices()
      .filter(({ phase }) => phase === 'incomplete' || phase === 'complete');
    const devices = onBus.map(({ uuid, parent, type, phase }) => {
      return { uuid, parent, type: phase === 'complete' ? type : null };
    });
    return { kind: 'devices', devices };
  }

  async stock(): Promise<Stock> {
    return { kind: 'parents', parents: stockOf(this.#kernel) };
  }

  create(uuid: Uuid, place: Place): Promise<WriteResult> {
    return this.#write(uuid, () => this.#kernel.create(uuid, place));
  }

  remove(uuid: Uuid, place: Place): Promise<WriteResult> {
    const refusal = this.#guard(uuid, place);
    if (refusal !== null) return Promise.resolve(refusal);
    if (this.#kernel.device(uuid)?.held === true) return Promise.resolve(HELD);
    return this.#write(uuid, () => this.#kernel.remove(uuid));
  }

  async setAttribute(uuid: Uuid, place: Place, attribute: Attribute): Promise<WriteResult> {
    const refusal = this.#guard(uuid, place) ?? refusedAttribute(uuid, place, attribute);
    if (refusal !== null) return refusal;
    const result = await this.#write(uuid, () => this.#kernel.setAttribute(uuid, attribute));
    const isMissing = result.kind === 'errno' && result.errno === ERRNO.absent && result.call === 'open';
    return isMissing && this.#guard(uuid, place) === null
      ? { kind: 'no-attribute', file: result.file }
      : result;
  }

  /** The refusal of the helper when the device is not, or not completely, the one that was seen. */
  #guard(uuid: Uuid, { parent, type }: Place): WriteResult | null {
    const device = this.#kernel.device(uuid);
    const file = `${deviceFolder('/sys', parent, uuid)}/mdev_type`;
    if (device?.phase !== 'complete' || device.parent !== parent) {
      return { kind: 'errno', errno: ERRNO.absent, call: 'open', file };
    }
    return device.type === type ? null : { kind: 'errno', errno: ERRNO.changed, call: 'open', file };
  }

  #write(uuid: Uuid, write: () => Promise<KernelAnswer>): Promise<WriteResult> {
    const afterMs = this.#deadlineMs;
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.after(afterMs, () => resolve({ kind: 'stuck', afterMs }));
      this.#kernel.processes.run(uuid, write).then((answer) => {
        cancel();
        resolve(answer);
      }, reject);
    });
  }

  onChange(listener: (change: Change) => void): () => void {
    const end = this.#kernel.onUevent(listener);
    this.#subscriptions.add(end);
    return end;
  }

  async close(): Promise<void> {
    for (const end of this.#subscriptions) end();
    this.#subscriptions.clear();
  }
}

/** A device's folder has a link back to the device in that of its vfio device. */
const OVER_A_LINK = /^vfio-dev\/vfio\d+\/device(\/|$)/;

/** What the helper does not write in the first place. */
function refusedAttribute(uuid: Uuid, { parent }: Place, { name, value }: Attribute): WriteResult | null {
  const file = `${deviceFolder('/sys', parent, uuid)}/${name}`;
  if (value === '') return { kind: 'errno', errno: ERRNO.invalid, call: 'write', file };
  return OVER_A_LINK.test(name) ? { kind: 'errno', errno: ERRNO.link, call: 'open', file } : null;
}

function stockOf(kernel: SimulatedKernel): readonly Offering[] {
  const devices = kernel.devices();
  const registered = kernel.parents().filter((parent) => parent.registered);
  return registered.map(({ name, driver = null, types }) => ({
    name,
    driver,
    offers: types.map((one) => ({
      ...{ id: one.name, name: one.title ?? null, api: 'vfio-pci', available: one.available },
    })),
    standing: countByType(devices.filter(({ parent }) => parent === name).map(typed)),
  }));
}

function typed({ type, phase }: SimDevice): { readonly type: string | null } {
  return { type: phase === 'complete' ? type : null };
}

async function readAll(
  kernel: SimulatedKernel,
  uuid: Uuid,
  names: readonly string[],
): Promise<readonly Attribute[]> {
  const read: Attribute[] = [];
  for (const name of names) {
    const value = await kernel.readAttribute(uuid, name);
    if (value !== null) read.push({ name, value });
  }
  return read;
}

function present(device: SimDevice, look: Look): Omit<Present, 'attributes'> {
  const { parent, type, group, removable, held, serial } = device;
  const use: Use = !look.use ? { kind: 'unknown' } : held ? HELD : { kind: 'free' };
  const place = { parent, type };
  return { kind: 'present', place, identity: String(serial), iommuGroup: group, removable, use };
}
