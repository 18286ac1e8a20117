/**
 * A machine's kernel as its agents reach it, past whatever guards they have or lack: each write is checked
 * where it reaches the kernel, and counted.
 */
import { type Claim, sameClaim, type Uuid } from '../../events/names.ts';
import type { Place } from '../../reconciler/host.ts';
import type { SimulatedKernel } from '../../reconciler/simulated/kernel-sim.ts';
import type { Reservation } from '../../store/device.ts';
import { overriding } from './overriding.ts';
import type { ServerRegistry } from './server-registry.ts';
import { PAUSE_MS_MAX } from './watched-facts.ts';
import type { World } from './world.ts';

export type KernelWatchParts = {
  readonly world: World;
  readonly name: string;
  readonly kernel: SimulatedKernel;
  readonly registry: ServerRegistry;
  /** What the host's journal durably holds. */
  readonly held: (uuid: Uuid) => Reservation | null | undefined;
  /** True for a device that no agent of this journal made. */
  readonly isForeign: (uuid: Uuid) => boolean;
  /** True while the checks cannot tell right from wrong. */
  readonly isExcused: () => boolean;
  /** Since when the host has known that it is paused; null while it is not. */
  readonly pausedSinceMs: () => number | null;
  /** Since when it has known that no new device is made on the parent; null while they may be. */
  readonly cordonedSinceMs: (parent: string) => number | null;
};

export class WatchedKernel {
  /** Writes to sysfs by agents. */
  writes = 0;
  /** The kernel for agents. */
  readonly kernel: SimulatedKernel;
  /** UUIDs that an agent made here, as they are now. */
  readonly made = new Set<Uuid>();
  #underway = 0;
  #lastEndMs = 0;
  /** Happens right before the next create of an agent. */
  #trap: ((uuid: Uuid, place: Place) => void) | undefined;
  readonly #parts: KernelWatchParts;

  constructor(parts: KernelWatchParts) {
    const { kernel } = parts;
    this.#parts = parts;
    this.kernel = overriding(kernel, {
      create: async (uuid, place) => {
        this.#check(this.#mayCreate(uuid, place), `creates ${uuid}`);
        this.#spring(uuid, place);
        const answer = await this.#timed(kernel.create(uuid, place));
        if (answer.kind === 'ok') this.made.add(uuid);
        return answer;
      },
      remove: (uuid) => {
        this.#check(this.#mayRemove(uuid), `removes ${uuid}`);
        return this.#timed(kernel.remove(uuid));
      },
      setAttribute: (uuid, attribute) => {
        this.#check(this.#maySet(uuid), `writes an attribute of ${uuid}`);
        return this.#timed(kernel.setAttribute(uuid, attribute));
      },
    });
    kernel.onUevent(() => {
      for (const uuid of this.made) if (kernel.device(uuid) === undefined) this.made.delete(uuid);
    });
  }

  /** Lets something happen right before the next create of an agent reaches the kernel. */
  setTrap(trap: (uuid: Uuid, place: Place) => void): void {
    this.#trap = trap;
  }

  #spring(uuid: Uuid, place: Place): void {
    const trap = this.#trap;
    this.#trap = undefined;
    trap?.(uuid, place);
  }

  #check(wrong: string | undefined, act: string): void {
    const { world, name, isExcused } = this.#parts;
    this.writes += 1;
    world.stirred = true;
    if (wrong !== undefined && !isExcused()) world.violation(`${name} ${act}, ${wrong}`);
    if (this.#isPaused() && !isExcused()) world.violation(`${name} ${act}, though it is paused`);
  }

  async #timed<T>(write: Promise<T>): Promise<T> {
    this.#underway += 1;
    try {
      return await write;
    } finally {
      this.#underway -= 1;
      this.#lastEndMs = this.#parts.world.monotonicMs();
    }
  }

  #isPaused(): boolean {
    return this.#isDue(this.#parts.pausedSinceMs());
  }

  /** What the host has known for so long does not cut off what is under way, nor what waits for its turn behind that. */
  #isDue(knownSinceMs: number | null): boolean {
    const sinceMs = knownSinceMs ?? Number.POSITIVE_INFINITY;
    const idleMs = this.#parts.world.monotonicMs() - Math.max(sinceMs, this.#lastEndMs);
    return this.#underway === 0 && idleMs > PAUSE_MS_MAX;
  }

  /** The intent is durable, and the registry has the hold, before anything is made. */
  #mayCreate(uuid: Uuid, place: Place): string | undefined {
    const claim = { host: this.#parts.name, parent: place.parent, type: place.type };
    const reservation = this.#parts.held(uuid);
    const reserved = reservation?.phase === 'reserved' || reservation?.phase === 'active';
    if (!reserved || !sameClaim(reservation.claim, claim)) return 'which its journal does not hold there';
    const isKeptAway = !reservation.existed && this.#isDue(this.#parts.cordonedSinceMs(place.parent));
    if (isKeptAway) return 'though the parent is cordoned';
    return this.#isRegistered(uuid, claim) ? undefined : 'which it does not hold in the registry';
  }

  #mayRemove(uuid: Uuid): string | undefined {
    const there = this.#parts.kernel.device(uuid);
    if (there?.held) return 'while it is in use';
    if (there !== undefined && there.phase !== 'complete') return `while it is ${there.phase}`;
    return this.#mayWrite(uuid);
  }

  #maySet(uuid: Uuid): string | undefined {
    const isFenced = this.#parts.held(uuid)?.phase === 'fenced';
    return isFenced ? 'which was taken from it by force' : this.#mayWrite(uuid);
  }

  /** Only a device at the place that the journal and the registry hold is ours. */
  #mayWrite(uuid: Uuid): string | undefined {
    const there = this.#parts.kernel.device(uuid);
    if (there === undefined) return undefined;
    const claim = { host: this.#parts.name, parent: there.parent, type: there.type };
    const reservation = this.#parts.held(uuid);
    if (!reservation || !sameClaim(reservation.claim, claim))
      return `which it does not hold on ${there.parent}`;
    const isFine = this.#parts.isForeign(uuid) || this.#isRegistered(uuid, claim);
    return isFine ? undefined : 'which it does not hold in the registry';
  }

  #isRegistered(uuid: Uuid, claim: Claim): boolean {
    const { registry } = this.#parts;
    if (registry.disputed.has(uuid)) return true;
    const standing = registry.holdOf(uuid);
    return standing !== undefined && sameClaim(standing.hold.claim, claim);
  }
}
