/**
 * What a host offers: recorded when it changes, and as capacity, so that a settled host records nothing.
 */
import { describe, expect, test } from 'vitest';
import { decodeRecord } from '../../events/record.ts';
import type { Offering } from '../../reconciler/host.ts';
import {
  INVENTORY_BYTES_MAX,
  inventory,
  lastInventory,
  recordInventory,
} from '../../reconciler/inventory.ts';
import { PLACE, unreadable, uuidOf, World } from './pass-world.ts';
import { Loop } from './reconciler-world.ts';

const SELF = { kernel: '6.12.0', labels: { gpu: 'true' } };
const MINUTE_MS = 60_000;

/** A parent of which `small` takes one unit and `big` two. */
function offering(available: readonly [number | null, number | null], standing = {}): Offering {
  const [small, big] = available;
  return {
    name: 'gpu0',
    driver: 'nvidia',
    offers: [
      { id: 'small', name: 'GRID S', api: 'vfio-pci', available: small },
      { id: 'big', name: null, api: null, available: big },
    ],
    standing,
  };
}

const EMPTY = inventory([offering([8, 4])], SELF, null);

function capacities(seen: Offering, before: typeof EMPTY | null): readonly (number | null)[] {
  const types = inventory([seen], SELF, before).parents[0]?.types ?? [];
  return ['small', 'big'].map((id) => types.find((type) => type.id === id)?.capacity ?? null);
}

function count(world: World): number {
  const records = world.journal.read(0, 1_000).map(({ bytes }) => decodeRecord(bytes).envelope.kind);
  return records.filter((kind) => kind === 'inventory').length;
}

describe('the capacity of a parent', () => {
  test('is what is left while nothing stands there, with all that is known of host and types', () => {
    expect(EMPTY).toEqual({
      ...{ kind: 'inventory', v: 1, ...SELF, omitted: 0 },
      types: [
        { id: 'big', name: null, api: null },
        { id: 'small', name: 'GRID S', api: 'vfio-pci' },
      ],
      parents: [
        {
          ...{ name: 'gpu0', driver: 'nvidia' },
          types: [
            { id: 'big', capacity: 4 },
            { id: 'small', capacity: 8 },
          ],
        },
      ],
    });
  });

  test('stays the same however many devices come, of whichever type', () => {
    expect(capacities(offering([5, 2], { small: 3 }), EMPTY)).toEqual([8, 4]);
    expect(capacities(offering([1, 0], { small: 3, big: 2 }), EMPTY)).toEqual([8, 4]);
    expect(capacities(offering([0, 0], { small: 8 }), EMPTY)).toEqual([8, 4]);
  });

  test('is at least what was seen, where it was never seen without other devices', () => {
    expect(capacities(offering([1, 0], { small: 3, big: 2 }), null)).toEqual([4, 2]);
    expect(capacities(offering([6, 3], { big: 1 }), null)).toEqual([6, 4]);
  });

  test('is less when the driver has less to give, and nothing stands there', () => {
    expect(capacities(offering([6, 3]), EMPTY)).toEqual([6, 3]);
  });

  test('is what it was while devices come or go, or the driver cannot be asked', () => {
    expect(capacities(offering([6, 3], { '': 1 }), EMPTY)).toEqual([8, 4]);
    expect(capacities(offering([null, null]), EMPTY)).toEqual([8, 4]);
    expect(capacities(offering([null, null]), null)).toEqual([null, null]);
  });
});

test('what a type is called is kept while it cannot be read', () => {
  const nameless = { ...offering([8, 4]), offers: [{ id: 'small', name: null, api: null, available: 8 }] };
  expect(inventory([nameless], SELF, EMPTY).types).toEqual([EMPTY.types[1]]);
});

test('names that no declaration can have are left out, and so is what does not fit into a message', () => {
  const strange = { ...offering([1, 1]), name: 'remove' };
  expect(inventory([strange], SELF, null).parents).toEqual([]);
  const offers = Array.from({ length: 50 }, (_, at) => ({
    id: `t-${at}`,
    name: null,
    api: null,
    available: 1,
  }));
  const many = Array.from({ length: 1_000 }, (_, at) => ({ ...offering([1, 1]), name: `p-${at}`, offers }));
  const fact = inventory(many, SELF, null);
  expect(fact.parents.length + fact.omitted).toBe(1_000);
  expect(fact.omitted).toBeGreaterThan(0);
  expect(JSON.stringify(fact.parents).length).toBeLessThanOrEqual(INVENTORY_BYTES_MAX);
});

describe('an inventory', () => {
  test('is recorded once, and again only when something is different', async () => {
    const world = new World();
    const record = (self = SELF) =>
      world.clock.until(recordInventory(world.journal, world.acting.host, self));
    await record();
    await record();
    expect(count(world)).toBe(1);
    await world.clock.until(world.kernel.create(uuidOf(9), PLACE));
    await record();
    expect(count(world)).toBe(1);
    await record({ ...SELF, labels: { gpu: 'false' } });
    expect(count(world)).toBe(2);
    expect(lastInventory(world.journal)?.labels).toEqual({ gpu: 'false' });
  });

  test('is left as it was while the host cannot be read', async () => {
    const world = new World();
    world.answers.set('stock', unreadable);
    await world.clock.until(recordInventory(world.journal, world.acting.host, SELF));
    expect(lastInventory(world.journal)).toBeNull();
  });

  test('is known again to the next agent, and follows parents that go and come', async () => {
    const loop = new Loop(new World());
    const { world } = loop;
    await loop.start();
    await world.clock.advance(MINUTE_MS);
    const first = lastInventory(world.journal);
    expect(first?.parents.map(({ name }) => name)).toContain(PLACE.parent);
    await world.clock.until(world.kernel.unplug(PLACE.parent));
    await world.clock.advance(MINUTE_MS);
    expect(lastInventory(world.journal)?.parents.map(({ name }) => name)).not.toContain(PLACE.parent);
    await world.clock.until(world.kernel.plug(PLACE.parent));
    await world.clock.advance(MINUTE_MS);
    expect(count(world)).toBe(3);
    const next = new Loop(new World({ after: world }));
    await next.start();
    await next.world.clock.advance(MINUTE_MS);
    expect(count(next.world)).toBe(3);
    expect(lastInventory(next.world.journal)).toEqual(first);
  });
});
