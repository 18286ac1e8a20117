import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Claim } from '../../../events/names.ts';
import {
  keptOf,
  type Placed,
  type Places,
  parentKey,
  place,
  type Slot,
  type Spread,
} from '../../../src/declare/pool.ts';

const NOTHING: Places = new Map();

function slot(host: string, parent: string, capacity = 4): Slot {
  return { host, parent, type: 'nvidia-222', capacity };
}

function where(placed: Placed): readonly string[] {
  return [...placed.places].sort(([a], [b]) => a - b).map(([, claim]) => parentKey(claim));
}

function perParent({ places }: Placed, slots: readonly Slot[]): readonly number[] {
  const on = [...places.values()].map(parentKey);
  return slots.map((one) => on.filter((key) => key === parentKey(one)).length);
}

/** Applies a pool again: what stands is what was placed, and its shares are taken. */
function again(count: number, spread: Spread, before: Placed, slots: readonly Slot[]): Placed {
  return place({ count, spread, kept: keptOf(before.places, slots) }, slots, before.taken);
}

describe('devices of a pool', () => {
  const slots = [slot('b', 'gpu0'), slot('a', 'gpu1'), slot('a', 'gpu0')];

  test.each<[Spread, string[]]>([
    ['parents', ['a gpu0', 'b gpu0', 'a gpu1', 'b gpu0', 'a gpu0']],
    ['hosts', ['a gpu0', 'b gpu0', 'a gpu1', 'b gpu0', 'a gpu0']],
    ['none', ['a gpu0', 'a gpu0', 'a gpu0', 'a gpu0', 'a gpu1']],
  ])('are spread over %s', (spread, expected) => {
    expect(where(place({ count: 5, spread, kept: NOTHING }, slots, new Map()))).toEqual(expected);
  });

  test('go where there is room, counted in shares of a parent', () => {
    const taken = new Map([
      ['a gpu0', 0.9],
      ['a gpu1', 0.5],
    ]);
    const placed = place({ count: 6, spread: 'none', kept: NOTHING }, slots, taken);
    expect(perParent(placed, slots)).toEqual([4, 2, 0]);
    expect(place({ count: 9, spread: 'none', kept: NOTHING }, slots, taken).places.size).toBe(6);
  });

  test('find no place on a parent of which no capacity is known', () => {
    expect(
      place({ count: 1, spread: 'parents', kept: NOTHING }, [slot('a', 'p', 0)], new Map()).places.size,
    ).toBe(0);
  });

  test('are placed anew when their place is gone, and only those', () => {
    const first = place({ count: 6, spread: 'parents', kept: NOTHING }, slots, new Map());
    const left = slots.slice(0, 2);
    const kept = keptOf(first.places, left);
    const second = place({ count: 6, spread: 'parents', kept }, left, first.taken);
    expect(second.places.size).toBe(6);
    for (const [index, claim] of kept) expect(second.places.get(index)).toEqual(claim);
    expect(perParent(second, left)).toEqual([3, 3]);
  });
});

describe('for all parents, pools, and what is taken', () => {
  const slots = fc.uniqueArray(
    fc.record({
      host: fc.constantFrom('a', 'b', 'c'),
      parent: fc.constantFrom('p', 'q', 'r', 's'),
      type: fc.constant('t'),
      capacity: fc.integer({ min: 0, max: 6 }),
    }),
    { selector: parentKey, maxLength: 12 },
  );
  const spread = fc.constantFrom<Spread>('parents', 'hosts', 'none');
  const count = fc.nat(30);

  /** Some devices of somebody else on each parent. */
  const crowd = fc.array(fc.nat(3), { minLength: 12, maxLength: 12 });
  const takenBy = (all: readonly Slot[], others: readonly number[]) =>
    new Map(
      all.flatMap((one, at): [string, number][] =>
        one.capacity === 0 ? [] : [[parentKey(one), Math.min(others[at] ?? 0, one.capacity) / one.capacity]],
      ),
    );
  const room = (all: readonly Slot[], others: readonly number[]) =>
    all.map(({ capacity }, at) => capacity - Math.min(others[at] ?? 0, capacity));

  test('as many are placed as there is room for, and no more on any parent', () => {
    fc.assert(
      fc.property(slots, crowd, count, spread, (all, others, wanted, how) => {
        const placed = place({ count: wanted, spread: how, kept: NOTHING }, all, takenBy(all, others));
        const rooms = room(all, others);
        const total = rooms.reduce((sum, one) => sum + one, 0);
        expect(placed.places.size).toBe(Math.min(wanted, total));
        for (const [at, number] of perParent(placed, all).entries()) {
          expect(number).toBeLessThanOrEqual(rooms[at] ?? 0);
        }
      }),
    );
  });

  test('spread over parents, none has two more than another that has room', () => {
    fc.assert(
      fc.property(slots, crowd, count, (all, others, wanted) => {
        const placed = place({ count: wanted, spread: 'parents', kept: NOTHING }, all, takenBy(all, others));
        const numbers = perParent(placed, all);
        const rooms = room(all, others);
        const open = numbers.filter((number, at) => number < (rooms[at] ?? 0));
        expect(Math.max(0, ...numbers)).toBeLessThanOrEqual(Math.min(Number.POSITIVE_INFINITY, ...open) + 1);
      }),
    );
  });

  test('placed again nothing moves, grown the old ones stay, and the order of parents does not matter', () => {
    fc.assert(
      fc.property(slots, count, count, spread, (all, wanted, more, how) => {
        const first = place({ count: wanted, spread: how, kept: NOTHING }, all, new Map());
        const mixed = all.toReversed();
        expect(place({ count: wanted, spread: how, kept: NOTHING }, mixed, new Map())).toEqual(first);
        expect(where(again(wanted, how, first, mixed))).toEqual(where(first));
        const grown = again(wanted + more, how, first, mixed);
        for (const [index, claim] of first.places)
          expect<Claim | undefined>(grown.places.get(index)).toEqual(claim);
      }),
    );
  });
});
