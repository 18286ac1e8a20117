/**
 * Places for the devices of a pool.
 *
 * Pure, and the same for the same input. A device that has a place keeps it while the place exists, so that applying
 * again changes nothing and a pool that grows keeps what it has: what stands declared is the memory, and there is no
 * other. New ones go where there is room, spread as the pool says. The types of a parent share its pool, so room is
 * counted in shares of a parent: a device takes 1/capacity.
 */

import type { Claim } from '../../events/names.ts';
import { compare } from '../compare.ts';

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
export const ROUNDING = 1e-9;

/** A parent in the fleet. */
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

/** A slot with what it has so far. `host` is shared by the slots of a host. */
type Open = { readonly slot: Slot; readonly host: { count: number }; count: number; share: number };

/** The slots, in order of names. */
class Choice {
  readonly #slots: readonly Open[];
  readonly #byParent: ReadonlyMap<string, Open>;
  readonly #taken: Taken;

  constructor(slots: readonly Slot[], taken: Taken, kept: Places) {
    const hosts = new Map(slots.map(({ host }) => [host, { count: 0 }]));
    const sorted = [...slots].sort((a, b) => compare(a.host, b.host) || compare(a.parent, b.parent));
    this.#slots = sorted.map((slot) => ({
      ...{ slot, host: hosts.get(slot.host) ?? { count: 0 } },
      ...{ count: 0, share: taken.get(parentKey(slot)) ?? 0 },
    }));
    this.#byParent = new Map(this.#slots.map((open) => [parentKey(open.slot), open]));
    this.#taken = taken;
    for (const claim of kept.values()) this.#count(this.#byParent.get(parentKey(claim)));
  }

  get taken(): Taken {
    const shares = [...this.#byParent].map(([key, { share }]) => [key, share] as const);
    return new Map([...this.#taken, ...shares]);
  }

  /** The next place; null when there is no room. Ties go to the first in order of names. */
  next(spread: Spread): Claim | null {
    let best: Open | null = null;
    for (const one of this.#slots) {
      if (fits(one) && (best === null || isBefore(one, best, spread))) best = one;
    }
    if (best === null) return null;
    const { host, parent, type, capacity } = best.slot;
    best.share += 1 / capacity;
    this.#count(best);
    return { host, parent, type };
  }

  #count(one: Open | undefined): void {
    if (one === undefined) return;
    one.count += 1;
    one.host.count += 1;
  }
}

function fits({ slot: { capacity }, share }: Open): boolean {
  return capacity > 0 && share + 1 / capacity <= 1 + ROUNDING;
}

function isBefore(a: Open, b: Open, spread: Spread): boolean {
  const [perParent, perHost, shares] = [a.count - b.count, a.host.count - b.host.count, a.share - b.share];
  const share = Math.abs(shares) > ROUNDING ? shares : 0;
  switch (spread) {
    case 'parents':
      return (perParent || perHost || share) < 0;
    case 'hosts':
      return (perHost || perParent || share) < 0;
    case 'none':
      return (perParent || perHost || share) > 0;
    default:
      return spread satisfies never;
  }
}
