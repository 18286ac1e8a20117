/**
 * What a simulated kernel has at this moment: parents, devices, and what is left for more.
 *
 * What is left is always counted anew from the devices that are there, so it cannot drift.
 */
import type { Attribute, Uuid } from '../../events/names.ts';
import { type Place, type Room, STANDING_MAX, type Taken } from '../host.ts';
import type { KernelConfig, ParentConfig, TypeConfig } from './kernel-sim-config.ts';

/**
 * `reserved`: the UUID is taken, nothing is visible. `incomplete`: on the bus, its create has not
 * returned. `removing`: gone from the bus, still in its parent's folder.
 */
export type Phase = 'reserved' | 'incomplete' | 'complete' | 'removing';

/** A device as the kernel has it. */
export type SimDevice = {
  readonly uuid: Uuid;
  readonly parent: string;
  readonly type: string;
  readonly phase: Phase;
  /** Whether its `remove` file is there. */
  readonly removable: boolean;
  /** Whether something has it open. */
  readonly held: boolean;
  readonly group: number | null;
  /** No two devices of a kernel have the same. */
  readonly serial: number;
  /** What was written to it and taken, in order. */
  readonly attributes: readonly Attribute[];
  /** Whether an attribute of it is being written. */
  readonly written: boolean;
};

export type SimParent = {
  readonly name: string;
  readonly registered: boolean;
  readonly driver: string | undefined;
  readonly types: readonly {
    readonly name: string;
    readonly title: string | undefined;
    readonly available: number;
  }[];
};

/** A device from the inside. */
export type Device = {
  readonly uuid: Uuid;
  readonly parent: string;
  readonly type: string;
  phase: Phase;
  removable: boolean;
  held: boolean;
  group: number | null;
  readonly serial: number;
  readonly attributes: Attribute[];
  /** What it took from its parent's pool. */
  units: number;
  /** Called when it is not held any more. */
  readonly released: (() => void)[];
  /** Writes to its attributes, for which its removal waits. */
  readonly writes: Work;
};

/** What is under way, and who is called when nothing is. */
export type Work = { underway: number; readonly idle: (() => void)[] };

/** A parent from the inside. */
export type Parent = {
  readonly config: ParentConfig;
  registered: boolean;
  /** How often it was registered. */
  registrations: number;
  /** Not null while it goes away. */
  leaving: Promise<void> | null;
  /** Creates and removes, for which going away waits. */
  readonly work: Work;
};

export class Inventory {
  readonly #devices = new Map<Uuid, Device>();
  #made = 0;
  readonly #parents: ReadonlyMap<string, Parent>;

  constructor(config: KernelConfig) {
    this.#parents = new Map(config.parents.map((parent) => [parent.name, toParent(parent)]));
  }

  get devices(): readonly Device[] {
    return [...this.#devices.values()];
  }

  device(uuid: Uuid): Device | undefined {
    return this.#devices.get(uuid);
  }

  /** The device, if it shows anywhere below /sys. */
  visible(uuid: Uuid): Device | undefined {
    const device = this.#devices.get(uuid);
    return device?.phase === 'reserved' ? undefined : device;
  }

  /** Takes the UUID, before anything is visible. */
  reserve(uuid: Uuid, parent: Parent, type: TypeConfig): Device {
    const device: Device = {
      uuid,
      parent: parent.config.name,
      type: type.name,
      phase: 'reserved',
      removable: true,
      held: false,
      group: null,
      serial: this.#made++,
      attributes: [],
      units: 0,
      released: [],
      writes: { underway: 0, idle: [] },
    };
    this.#devices.set(uuid, device);
    return device;
  }

  /** The last trace goes: the UUID, the group and the units are free again. */
  drop(device: Device): void {
    this.#devices.delete(device.uuid);
  }

  /** Throws for a name that is not in the configuration. */
  parent(name: string): Parent {
    const parent = this.#parents.get(name);
    if (parent === undefined) throw new Error(`the simulated kernel has no parent ${name}`);
    return parent;
  }

  registration(name: string): number | null {
    const parent = this.#parents.get(name);
    return parent?.registered ? parent.registrations : null;
  }

  /** Parent and type, if both are there. */
  find(place: Place): { readonly parent: Parent; readonly type: TypeConfig } | undefined {
    const parent = this.#parents.get(place.parent);
    const type = parent?.config.types.find(({ name }) => name === place.type);
    return parent?.registered && type !== undefined ? { parent, type } : undefined;
  }

  on(parent: Parent): readonly Device[] {
    return this.devices.filter((device) => device.parent === parent.config.name);
  }

  unitsLeft(parent: Parent): number {
    return this.on(parent).reduce((left, device) => left - device.units, parent.config.units);
  }

  instancesLeft(parent: Parent): number {
    return (parent.config.instancesMax ?? Number.POSITIVE_INFINITY) - this.on(parent).length;
  }

  /** The room at a place, as `available_instances` tells it; who takes it when there is none, or when asked. */
  room(place: Place, isAsked = false): Room {
    if (this.#parents.get(place.parent)?.registered !== true) return { kind: 'parent-absent' };
    const found = this.find(place);
    if (found === undefined) return { kind: 'type-absent' };
    const instances = this.#available(found.parent, found.type);
    const taken = isAsked || instances === 0 ? this.#taken(found.parent) : null;
    return { kind: 'available', instances, taken };
  }

  #taken(parent: Parent): Taken {
    const shown = this.on(parent).filter(({ phase }) => phase !== 'reserved');
    const all = shown.map(({ uuid, type, phase }) => ({ uuid, type: phase === 'complete' ? type : null }));
    const sorted = all.sort((a, b) => (a.uuid < b.uuid ? -1 : 1));
    return { count: all.length, first: sorted.slice(0, STANDING_MAX) };
  }

  overview(): readonly SimParent[] {
    return [...this.#parents.values()].map((parent) => ({
      name: parent.config.name,
      registered: parent.registered,
      driver: parent.config.driver,
      types: parent.config.types.map((type) => ({
        name: type.name,
        title: type.title,
        available: this.#available(parent, type),
      })),
    }));
  }

  /** Group numbers are used again as soon as they are free. */
  lowestGroup(): number {
    const taken = new Set(this.devices.map(({ group }) => group));
    let group = 0;
    while (taken.has(group)) group += 1;
    return group;
  }

  #available(parent: Parent, type: TypeConfig): number {
    const fits = Math.floor(this.unitsLeft(parent) / type.units);
    return Math.max(0, Math.min(fits, this.instancesLeft(parent)));
  }
}

/** What does not go away while work on it is under way. */
export async function during<T>(work: Work, act: () => Promise<T>): Promise<T> {
  work.underway += 1;
  const result = await act();
  work.underway -= 1;
  if (work.underway === 0) for (const wake of work.idle.splice(0)) wake();
  return result;
}

/** Resolves when nothing is under way. */
export async function done(work: Work): Promise<void> {
  if (work.underway > 0) await new Promise<void>((resolve) => work.idle.push(resolve));
}

/** Resolves when nobody has the device open. */
export async function unheld(device: Device): Promise<void> {
  if (device.held) await new Promise<void>((resolve) => device.released.push(resolve));
}

/** The device as it is now, for others. */
export function snapshot({ units: _units, released: _released, writes, ...device }: Device): SimDevice {
  return { ...device, attributes: [...device.attributes], written: writes.underway > 0 };
}

function toParent(config: ParentConfig): Parent {
  return {
    config,
    registered: config.registered,
    registrations: 1,
    leaving: null,
    work: { underway: 0, idle: [] },
  };
}
