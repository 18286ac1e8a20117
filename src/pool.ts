/**
 * Places for the devices of a pool.
 *
 * Pure, and the same for the same input. A device that has a place keeps it while the place exists, so that applying
 * again changes nothing and a pool that grows keeps what it has: what stands declared is the memory, and there is no
 * other. New ones go where there is room, spread as the pool says. The types of a parent share its pool, so room is
 * counted in shares of a parent: a device takes 1/capacity.
 */
import type { Claim, HostId } from '../events/names.ts';

/** A parent that may have devices of the pool, and how many of its type fit there alone. */
export type Slot = Claim & { readonly capacity: number };

/** What is taken of each parent, from 0 to 1, by `parentKey`. */
export type Taken = ReadonlyMap<string, number>;

export type Spread = 'parents' | 'hosts' | 'none';

export type Asked = {
  readonly count: number;
  readonly spread: Spread;
  /** Places that are kept, by index; `taken` counts them. */
  readonly kept: Places;
};

/** Places of a pool's devices by their index. */
export type Places = ReadonlyMap<number, Claim>;

/** `places` are fewer than were asked for when there is no room for more. */
export type Placed = { readonly places: Places; readonly taken: Taken };

/** Shares are fractions: what rounding takes must not cost an instance. */
const ROUNDING = 1e-9;

export function parentKey({ host, parent }: Pick<Claim, 'host' | 'parent'>): string {
  return `${host} ${parent}`;
}

/** Of the places where devices of the pool stand declared those that still exist. */
export function keptOf(standing: Places, slots: readonly Slot[]): Places {
  const byParent = new Map(slots.map((slot) => [parentKey(slot), slot]));
  return new Map([...standing].filter(([, claim]) => byParent.get(parentKey(claim))?.type === claim.type));
}

/** Finds a place for each of the pool's devices. Slots are distinct parents. */
export function place({ count, spread, kept }: Asked, slots: readonly Slot[], taken: Taken): Placed {
  const choice = new Choice(slots, taken, kept);
  const places = new Map(kept);
  for (let index = 0; index < count; index += 1) {
    if (places.has(index)) continue;
    const claim = choice.next(spread);
    if (claim === null) break;
    places.set(index, claim);
  }
  return { places, taken: choice.taken };
}

/** The slots with what they have so far. */
class Choice {
  readonly #slots: readonly Slot[];
  readonly taken: Map<string, number>;
  readonly #onParent = new Map<string, number>();
  readonly #onHost = new Map<HostId, number>();

  constructor(slots: readonly Slot[], taken: Taken, kept: Places) {
    this.#slots = [...slots].sort((a, b) => compare(a.host, b.host) || compare(a.parent, b.parent));
    this.taken = new Map(taken);
    for (const claim of kept.values()) this.#count(claim);
  }

  /** The next place; null when there is no room. */
  next(spread: Spread): Claim | null {
    let best: Slot | null = null;
    for (const slot of this.#slots) {
      if (this.#fits(slot) && (best === null || this.#before(slot, best, spread))) best = slot;
    }
    if (best === null) return null;
    const { host, parent, type, capacity } = best;
    this.taken.set(parentKey(best), this.#share(best) + 1 / capacity);
    this.#count(best);
    return { host, parent, type };
  }

  #fits(slot: Slot): boolean {
    return slot.capacity > 0 && this.#share(slot) + 1 / slot.capacity <= 1 + ROUNDING;
  }

  /** Ties go to the first in order of names. */
  #before(a: Slot, b: Slot, spread: Spread): boolean {
    const [first, second] = [this.#rank(a, spread), this.#rank(b, spread)];
    for (const [at, rank] of first.entries()) {
      const other = second[at] ?? 0;
      if (Math.abs(rank - other) > ROUNDING) return rank < other;
    }
    return false;
  }

  /** The least is the best. */
  #rank(slot: Slot, spread: Spread): readonly number[] {
    const [onParent, onHost] = [this.#onParent.get(parentKey(slot)) ?? 0, this.#onHost.get(slot.host) ?? 0];
    switch (spread) {
      case 'parents':
        return [onParent, onHost, this.#share(slot)];
      case 'hosts':
        return [onHost, onParent, this.#share(slot)];
      case 'none':
        return [-onParent, -onHost, -this.#share(slot)];
      default:
        return spread satisfies never;
    }
  }

  #share(slot: Slot): number {
    return this.taken.get(parentKey(slot)) ?? 0;
  }

  #count(claim: Claim): void {
    const key = parentKey(claim);
    this.#onParent.set(key, (this.#onParent.get(key) ?? 0) + 1);
    this.#onHost.set(claim.host, (this.#onHost.get(claim.host) ?? 0) + 1);
  }
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
