import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FactOf } from '../../../events/fact.ts';
import type { Row } from '../../../events/row.ts';
import {
  type HostOffers,
  hostRows,
  parentRows,
  roomFor,
  standingIn,
  typeRows,
} from '../../../src/declare/offers.ts';

const MTTY = [
  { id: 'mtty-1', capacity: 24 },
  { id: 'mtty-2', capacity: 12 },
];

function offersOf(host: string, parents: readonly string[], labels = {}): HostOffers {
  const inventory: FactOf<'inventory'> = {
    ...{ kind: 'inventory', v: 1, kernel: '6.12', labels, omitted: 0 },
    types: [
      { id: 'mtty-1', name: 'Single port serial', api: 'vfio-pci' },
      { id: 'mtty-2', name: 'Dual port serial', api: 'vfio-pci' },
    ],
    parents: parents.map((name) => ({ name, driver: null, types: MTTY })),
  };
  return { host, time: '2026-01-01T00:00:00.000Z', inventory };
}

function rowOf(at: number, change: Partial<Row> = {}): Row {
  return {
    ...{ uuid: `5d3c7e0a-2f51-4b1e-9a44-${String(at).padStart(12, '0')}`, host: 'b', parent: 'mtty' },
    ...{
      type: 'mtty-2',
      state: 'ready',
      reason: null,
      message: null,
      generation: null,
      attributes: [],
      set: null,
    },
    ...change,
  };
}

describe('room on a parent', () => {
  test.each<[string, string[], number | null]>([
    ['mtty-1', [], 24],
    ['mtty-1', ['mtty-1', 'mtty-1', 'mtty-1', 'mtty-2', 'mtty-2'], 17],
    ['mtty-2', ['mtty-1'], 11],
    ['mtty-2', Array(12).fill('mtty-2'), 0],
    ['mtty-1', [...Array(12).fill('mtty-2'), 'mtty-1'], -1],
    ['mtty-1', ['never-heard-of'], 24],
    ['never-heard-of', [], null],
  ])('for %s beside %j is %j', (type, taking, room) => {
    expect(roomFor(type, new Map(MTTY.map((one) => [one.id, one.capacity])), taking)).toBe(room);
  });

  test('is what a pool of whole units leaves', () => {
    const units = { a: 1, b: 2, c: 3, d: 5 } as const;
    const pool = fc.constantFrom(30, 60, 120);
    const taking = fc.array(fc.constantFrom(...(Object.keys(units) as (keyof typeof units)[])), {
      maxLength: 20,
    });
    fc.assert(
      fc.property(pool, taking, (size, types) => {
        const capacities = new Map(
          Object.entries(units).map(([type, one]) => [type, Math.floor(size / one)]),
        );
        const left = size - types.reduce((sum, type) => sum + units[type], 0);
        expect(roomFor('a', capacities, types)).toBe(left);
      }),
    );
  });
});

test('a cordoned parent says so, and has nothing to offer to who looks for a place', () => {
  const [b] = [offersOf('b', ['mtty', 'other'])];
  const parents = b.inventory.parents.map((one, at) => (at === 0 ? { ...one, cordoned: 'alice' } : one));
  const offers = [{ ...b, inventory: { ...b.inventory, parents } }];
  const rows = parentRows(offers, []);
  expect(rows).toMatchObject([
    { parent: 'mtty', cordoned: 'alice' },
    { parent: 'other', cordoned: null },
  ]);
  expect(typeRows(offers, rows)).toMatchObject([
    { capacity: 48, free: 24 },
    { capacity: 24, free: 12 },
  ]);
});

test('hosts are all of which anything is known, with what they told', () => {
  const offers = [offersOf('b', ['mtty'], { gpu: 'true' })];
  const rows = [rowOf(1), rowOf(2, { state: 'waiting' }), rowOf(3, { host: 'c' })];
  expect(hostRows(offers, rows, ['a'])).toMatchObject([
    { host: 'a', kernel: null, labels: null, parents: null, devices: 0 },
    { host: 'b', kernel: '6.12', labels: { gpu: 'true' }, parents: 1, devices: 2, ready: 1 },
    { host: 'c', kernel: null, devices: 1, ready: 1 },
  ]);
});

test('what waits, failed or was refused takes no room; what nobody declared does', () => {
  const states = ['ready', 'waiting', 'conflict', 'failed', 'releasing', 'unmanaged'] as const;
  const rows = states.map((state, at) => rowOf(at, { state }));
  expect(standingIn(rows).map(({ state }) => state)).toEqual(['ready', 'releasing', 'unmanaged']);
});

test('types are counted over all parents that offer them', () => {
  const offers = [offersOf('b', ['mtty', 'mtty2']), offersOf('a', ['mtty'])];
  const parents = parentRows(offers, [rowOf(1), rowOf(2, { type: 'mtty-1' })]);
  expect(parents.map(({ host, parent, taken }) => [host, parent, taken])).toEqual([
    ['a', 'mtty', 0],
    ['b', 'mtty', 2],
    ['b', 'mtty2', 0],
  ]);
  expect(parents[1]?.types.map(({ free }) => free)).toEqual([21, 10]);
  expect(typeRows(offers, parents)).toEqual([
    {
      ...{ type: 'mtty-1', name: 'Single port serial', api: 'vfio-pci', hosts: 2, parents: 3 },
      ...{ capacity: 72, taken: 1, free: 69 },
    },
    {
      ...{ type: 'mtty-2', name: 'Dual port serial', api: 'vfio-pci', hosts: 2, parents: 3 },
      ...{ capacity: 36, taken: 1, free: 34 },
    },
  ]);
});
