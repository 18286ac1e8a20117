/**
 * A simulated kernel: mediated devices as the mdev core of Linux handles them.
 *
 * The rules are those of the real one: a UUID is reserved host-wide before anything is
 * visible, and free again only when the last trace is gone; a device is on the bus before its
 * create returns; a `remove` written too early spoils the device for good. Nothing but the
 * clock and the random numbers it is given decides order, so the same seed gives the same
 * run. It knows neither agents nor helpers: those are in host-sim.ts.
 */
import type { Attribute, Uuid } from '../../events/names.ts';
import type { Cancel, Clock, Random } from '../clock.ts';
import { E } from '../errno-numbers.ts';
import type { Change, Place, Room } from '../host.ts';
import { createFile } from '../sysfs/paths.ts';
import { failed, fileOf, type KernelAnswer, OK, SYS } from './kernel-sim-answer.ts';
import type { AttributeConfig, Duration, Fault, KernelConfig, TypeConfig } from './kernel-sim-config.ts';
import { Faults } from './kernel-sim-faults.ts';
import {
  type Device,
  done,
  during,
  Inventory,
  type Parent,
  type SimDevice,
  type SimParent,
  snapshot,
  unheld,
} from './kernel-sim-inventory.ts';
import { Processes } from './kernel-sim-processes.ts';

export type KernelParts = { readonly config: KernelConfig; readonly clock: Clock; readonly random: Random };

export class SimulatedKernel {
  readonly #config: KernelConfig;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #faults: Faults;
  readonly #listeners = new Set<(change: Change) => void>();
  readonly #timers = new Set<Cancel>();
  #has: Inventory;
  #processes = new Processes();
  #bootId: string;

  constructor({ config, clock, random }: KernelParts) {
    this.#config = config;
    this.#clock = clock;
    this.#random = random;
    this.#faults = new Faults(config.faults);
    this.#has = new Inventory(config);
    this.#bootId = randomUuid(random);
  }

  /** Another one after each boot. */
  get bootId(): string {
    return this.#bootId;
  }

  /** Those who write, since the machine was started. */
  get processes(): Processes {
    return this.#processes;
  }

  /** Writes the UUID to the type's `create`. */
  async create(uuid: Uuid, place: Place): Promise<KernelAnswer> {
    const file = createFile(SYS, place);
    const found = this.#has.find(place);
    if (found === undefined) return failed(E.NOENT, 'open', file);
    const { parent, type } = found;
    if (this.#has.device(uuid) !== undefined) return failed(E.EXIST, 'write', file);
    if (this.#has.instancesLeft(parent) <= 0) return failed(E.USERS, 'write', file);
    if (parent.leaving !== null) return failed(E.NODEV, 'write', file);
    const errno = await during(parent.work, () => this.#make(uuid, parent, type));
    return errno === null ? OK : failed(errno, 'write', file);
  }

  /** Makes the device; answers null, or the errno after which nothing is left of it. */
  async #make(uuid: Uuid, parent: Parent, type: TypeConfig): Promise<number | null> {
    const device = this.#has.reserve(uuid, parent, type);
    await this.#sleep(this.#config.reserveMs);
    device.phase = 'incomplete';
    this.#emit({ kind: 'device', uuid });
    const errno = await this.#probe(device, parent, type);
    if (errno !== null) {
      this.#drop(device);
      return errno === E.PROBE_DEFER ? E.AGAIN : errno;
    }
    device.group = this.#has.lowestGroup();
    device.phase = 'complete';
    this.#emit({ kind: 'device', uuid });
    return null;
  }

  async #probe(device: Device, parent: Parent, type: TypeConfig): Promise<number | null> {
    if (this.#has.unitsLeft(parent) < type.units) return E.NOSPC;
    device.units = type.units;
    const { delayMs, errno } = this.#faults.strike('probe', device.uuid, device.parent);
    await this.#sleep(delayMs ?? this.#config.probeMs);
    return errno;
  }

  /**
   * Writes 1 to the device's `remove`, unguarded: while something has the device open, no
   * answer comes.
   */
  async remove(uuid: Uuid): Promise<KernelAnswer> {
    const device = this.#has.visible(uuid);
    const file = fileOf(device, uuid, 'remove');
    if (device?.removable !== true) return failed(E.NOENT, 'open', file);
    const parent = this.#has.parent(device.parent);
    device.removable = false;
    if (device.phase !== 'complete') return failed(E.AGAIN, 'write', file);
    if (parent.leaving !== null) return failed(E.NODEV, 'write', file);
    const errno = await during(parent.work, () => this.#unmake(device));
    return errno === null ? OK : failed(errno, 'write', file);
  }

  /** A removal that the driver vetoes, as was possible up to Linux 5.1, leaves the device as it was. */
  async #unmake(device: Device): Promise<number | null> {
    const { delayMs, errno } = this.#faults.strike('remove', device.uuid, device.parent);
    if (errno === null) await this.#leaveBus(device);
    await this.#sleep(delayMs ?? this.#config.removeMs);
    if (errno !== null) {
      device.removable = true;
      return errno;
    }
    await unheld(device);
    this.#drop(device);
    return null;
  }

  /** Writes one attribute below the device's folder. */
  async setAttribute(uuid: Uuid, { name, value }: Attribute): Promise<KernelAnswer> {
    const device = this.#has.visible(uuid);
    const file = fileOf(device, uuid, name);
    if (device?.phase !== 'complete') return failed(E.NOENT, 'open', file);
    const known = this.#has.find(device)?.type.attributes.find((one) => one.name === name);
    if (known === undefined) return failed(E.NOENT, 'open', file);
    if (known.readOnly) return failed(E.ACCES, 'open', file);
    const errno = await during(device.writes, () => this.#store(device, known, value));
    return errno === null ? OK : failed(errno, 'write', file);
  }

  async #store(device: Device, { name, accepts, errno: refused }: AttributeConfig, value: string) {
    const { delayMs, errno } = this.#faults.strike('attribute', device.uuid, device.parent);
    await this.#sleep(delayMs ?? this.#config.attributeMs);
    if (errno !== null) return errno;
    if (!new RegExp(accepts).test(value)) return refused;
    device.attributes.push({ name, value });
    return null;
  }

  /** Reads one attribute of the device; null when it cannot be read. */
  async readAttribute(uuid: Uuid, name: string): Promise<string | null> {
    const device = this.#has.visible(uuid);
    if (device === undefined) return null;
    const known = this.#has.find(device)?.type.attributes.find((one) => one.name === name);
    const { delayMs, errno } = this.#faults.strike('read', uuid, device.parent);
    if (delayMs !== null) await this.#sleep(delayMs);
    if (known === undefined || known.reads === 'nothing' || errno !== null) return null;
    const written = device.attributes.findLast((one) => one.name === name)?.value ?? '';
    return known.reads === 'back' ? `${written}\n` : `not ${written}\n`;
  }

  /** The device, in whatever phase. */
  device(uuid: Uuid): SimDevice | undefined {
    const device = this.#has.device(uuid);
    return device && snapshot(device);
  }

  devices(): readonly SimDevice[] {
    return this.#has.devices.map(snapshot);
  }

  parents(): readonly SimParent[] {
    return this.#has.overview();
  }

  /** The room at a place, as `available_instances` tells it now; who takes it when there is none, or when asked. */
  room(place: Place, isAsked = false): Room {
    return this.#has.room(place, isAsked);
  }

  /** Which registration of the parent this is; null while it is not registered, or unknown. */
  registration(name: string): number | null {
    return this.#has.registration(name);
  }

  /** The errno that a read about this UUID gives, by a fault; null when it can be read. */
  readErrno(uuid: Uuid): number | null {
    return this.#faults.strike('observe', uuid, this.#has.device(uuid)?.parent ?? null).errno;
  }

  addFault(fault: Fault): void {
    this.#faults.add(fault);
  }

  /** Opens a device, as a virtual machine does; false when there is none to be opened. */
  hold(uuid: Uuid): boolean {
    const device = this.#has.device(uuid);
    if (device?.phase !== 'complete' || device.held) return false;
    device.held = true;
    return true;
  }

  /** Closes a device that was held. */
  release(uuid: Uuid): void {
    const device = this.#has.device(uuid);
    if (device === undefined) return;
    device.held = false;
    for (const wake of device.released.splice(0)) wake();
  }

  /**
   * Unregisters a parent: writes under way are waited for, new ones get ENODEV, then it is not listed any more and its
   * devices vanish one after another. Announced, and resolved, when the last is gone; one that is held keeps it waiting.
   */
  unplug(name: string): Promise<void> {
    const parent = this.#has.parent(name);
    if (!parent.registered && parent.leaving === null) return Promise.resolve();
    parent.leaving ??= this.#leave(parent);
    return parent.leaving;
  }

  async #leave(parent: Parent): Promise<void> {
    await this.#sleep(0);
    await done(parent.work);
    parent.registered = false;
    for (const device of this.#has.on(parent)) {
      await this.#leaveBus(device);
      await unheld(device);
      this.#drop(device);
    }
    parent.leaving = null;
    this.#emit({ kind: 'parent', parent: parent.config.name });
  }

  /** Registers a parent (again), once it has gone away altogether. */
  async plug(name: string): Promise<void> {
    const parent = this.#has.parent(name);
    await parent.leaving;
    if (!parent.registered) parent.registrations += 1;
    parent.registered = true;
    this.#emit({ kind: 'parent', parent: name });
  }

  /** Starts anew without any device; writes under way never return. */
  reboot(): void {
    this.halt();
    this.#has = new Inventory(this.#config);
    this.#processes = new Processes();
    this.#bootId = randomUuid(this.#random);
    this.#emit({ kind: 'unknown' });
  }

  /** Stops everything that is under way, for good. */
  halt(): void {
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
  }

  /** Calls back on uevents until the returned function is called. */
  onUevent(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #emit(change: Change): void {
    for (const listener of [...this.#listeners]) listener(change);
  }

  /** Off the bus at once; the rest waits until nobody writes to it any more. */
  async #leaveBus(device: Device): Promise<void> {
    device.phase = 'removing';
    device.removable = false;
    this.#emit({ kind: 'device', uuid: device.uuid });
    await done(device.writes);
  }

  #drop(device: Device): void {
    this.#has.drop(device);
    this.#emit({ kind: 'device', uuid: device.uuid });
  }

  #sleep(delay: Duration): Promise<void> {
    const delayMs = typeof delay === 'number' ? delay : delay[0] + this.#random() * (delay[1] - delay[0]);
    return new Promise((resolve) => {
      const cancel = this.#clock.after(delayMs, () => {
        this.#timers.delete(cancel);
        resolve();
      });
      this.#timers.add(cancel);
    });
  }
}

/** In the form of a UUID, from the randomness given. */
function randomUuid(random: Random): string {
  const hex = Array.from({ length: 32 }, () => Math.floor(random() * 16).toString(16)).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
