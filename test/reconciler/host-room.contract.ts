/**
 * The room on a parent, as every host must tell it: coupled across types, and given back with the last reference.
 */
import assert from 'node:assert/strict';
import type { Uuid } from '../../events/names.ts';
import { type Place, STANDING_MAX, type WriteResult } from '../../reconciler/host.ts';
import { type Body, instancesAt, look, made, means, others } from './host-world.ts';

const OK: WriteResult = { kind: 'ok' };

export const room: Readonly<Record<string, Body>> = {
  'a full parent has no capacity for any of its types': async (world) => {
    const uuids: Uuid[] = [];
    while (uuids.length < world.capacity) uuids.push(await made(world));
    const standing = uuids.sort().map((one) => ({ uuid: one, type: world.place.type }));
    const taken = { count: uuids.length, first: standing.slice(0, STANDING_MAX) };
    const uuid = world.uuid();
    for (const place of [world.place, world.otherType]) {
      assert.deepEqual(await look(world, uuid, place), {
        kind: 'absent',
        room: { kind: 'available', instances: 0, taken },
      });
      means('no-capacity', 'create', await world.host.create(uuid, place));
    }
    assert.equal((await look(world, uuid)).kind, 'absent');
  },

  'the types of a parent share its room, and a device takes as much of it as its type says': async (
    world,
  ) => {
    const { capacity, place, otherType } = world;
    const instances = async () => [
      await instancesAt(world, place),
      await instancesAt(world, otherType),
      await instancesAt(world, world.otherParent),
    ];
    await made(world);
    assert.deepEqual(await instances(), [capacity - 1, others(world, capacity - 1), capacity]);
    const other = world.uuid();
    assert.deepEqual(await world.host.create(other, otherType), OK);
    const left = capacity - 1 - world.otherUnits;
    assert.deepEqual(await instances(), [left, others(world, left), capacity]);
    assert.deepEqual(await world.host.remove(other, otherType), OK);
    assert.deepEqual(await instances(), [capacity - 1, others(world, capacity - 1), capacity]);
  },

  'taking stock tells every parent, what it offers, and how many devices stand on it': async (world) => {
    const { capacity, place, otherType, otherParent } = world;
    await made(world);
    const stock = await world.host.stock();
    const parents = stock.kind === 'parents' ? stock.parents : [];
    const at = (where: Place) => {
      const parent = parents.find(({ name }) => name === where.parent);
      return parent?.offers.find(({ id }) => id === where.type)?.available;
    };
    const standingOn = (name: string) => parents.find((parent) => parent.name === name)?.standing;
    assert.deepEqual(
      [at(place), at(otherType), at(otherParent)],
      [capacity - 1, others(world, capacity - 1), capacity],
    );
    assert.deepEqual(standingOn(place.parent), { [place.type]: 1 });
    assert.deepEqual(standingOn(otherParent.parent), {});
  },

  'a parent that the core counts for has as much room as is left of that': async (world) => {
    const { limited, limitedCapacity } = world;
    assert.equal(await instancesAt(world, limited), limitedCapacity);
    assert.deepEqual(await world.host.create(world.uuid(), limited), OK);
    assert.equal(await instancesAt(world, limited), limitedCapacity - 1);
  },
};
