/**
 * What every Host must do, whatever is behind it: a simulated kernel or a real one.
 *
 * It needs no test framework: `define` takes a name and a body. Each test gets a world of its
 * own and uses its own UUIDs.
 */
import assert from 'node:assert/strict';
import { sleep } from '../../reconciler/clock.ts';
import { systemClock } from '../../reconciler/clock-system.ts';
import { E } from '../../reconciler/errno-numbers.ts';
import type { Change, WriteResult } from '../../reconciler/host.ts';
import { answering } from './host-errno.contract.ts';
import { room } from './host-room.contract.ts';
import {
  type Body,
  type HostWorld,
  instancesAt,
  look,
  made,
  means,
  others,
  presence,
  until,
} from './host-world.ts';

type Define = (name: string, body: () => Promise<void>) => void;

const OK: WriteResult = { kind: 'ok' };

/** Defines the tests of the contract, each on a world that `open` makes. */
export function hostContract(define: Define, open: () => Promise<HostWorld>): void {
  for (const [name, body] of Object.entries<Body>({
    ...reading,
    ...writing,
    ...room,
    ...answering,
    ...racing,
    ...stuck,
  })) {
    define(name, async () => {
      const world = await open();
      try {
        await body(world);
      } finally {
        await world.close();
      }
    });
  }
}

const reading: Record<string, Body> = {
  'an absent device is absent, with the room at its place': async (world) => {
    const { host, place } = world;
    const uuid = world.uuid();
    assert.deepEqual(await look(world, uuid), {
      kind: 'absent',
      room: { kind: 'available', instances: world.capacity, taken: null },
    });
    assert.deepEqual(await host.observe(uuid, { place: null, use: false }), { kind: 'absent', room: null });
    const noType = { ...place, type: 'no-such-type' };
    assert.deepEqual(await look(world, uuid, noType), { kind: 'absent', room: { kind: 'type-absent' } });
    const noParent = { ...place, parent: 'no-such-parent' };
    assert.deepEqual(await look(world, uuid, noParent), { kind: 'absent', room: { kind: 'parent-absent' } });
  },

  'a device is present at its place, complete, removable and free': async (world) => {
    const uuid = await made(world);
    const seen = await presence(world, uuid);
    assert.deepEqual(seen.place, world.place);
    assert.equal(seen.removable, true);
    assert.deepEqual(seen.use, { kind: 'free' });
    assert.ok(seen.iommuGroup !== null && Number.isInteger(seen.iommuGroup));
    const unasked = await world.host.observe(uuid, { place: world.place, use: false });
    assert.deepEqual(unasked, { ...seen, use: { kind: 'unknown' } });
  },

  'a device has its identity to itself: one that is made again at its place has another': async (world) => {
    const uuid = await made(world);
    const { identity } = await presence(world, uuid);
    assert.equal((await presence(world, uuid)).identity, identity);
    assert.equal(await world.removeBehind(uuid), 0);
    assert.equal(await world.createBehind(uuid, world.place), 0);
    assert.notEqual((await presence(world, uuid)).identity, identity);
    assert.notEqual(identity, null);
  },

  'a survey tells every device on the bus': async (world) => {
    const uuid = await made(world);
    const other = world.uuid();
    assert.equal(await world.createBehind(other, world.otherParent), 0);
    const survey = await world.host.survey();
    assert.equal(survey.kind, 'devices');
    const ours =
      survey.kind === 'devices' ? survey.devices.filter((one) => [uuid, other].includes(one.uuid)) : [];
    const byUuid = [...ours].sort((a, b) => (a.uuid === uuid ? -1 : 1) - (b.uuid === uuid ? -1 : 1));
    assert.deepEqual(byUuid, [
      { uuid, ...world.place },
      { uuid: other, ...world.otherParent },
    ]);
  },

  'changes that others make are told': async (world) => {
    const told: Change[] = [];
    const end = world.host.onChange((change) => told.push(change));
    const uuid = world.uuid();
    const concerns = (change: Change): boolean => change.kind === 'device' && change.uuid === uuid;
    assert.equal(await world.createBehind(uuid, world.place), 0);
    await until('the new device is told', () => told.some(concerns));
    told.length = 0;
    assert.equal(await world.removeBehind(uuid), 0);
    await until('the removed device is told', () => told.some(concerns));
    told.length = 0;
    end();
    assert.equal(await world.createBehind(world.uuid(), world.place), 0);
    await sleep(systemClock, 100);
    assert.deepEqual(told, []);
  },
};

const writing: Record<string, Body> = {
  'a removed device is absent, and its room is given back': async (world) => {
    const uuid = await made(world);
    assert.deepEqual(await world.host.remove(uuid, world.place), OK);
    const room = { kind: 'available', instances: world.capacity, taken: null };
    assert.deepEqual(await look(world, uuid), { kind: 'absent', room });
    means('look-again', 'remove', await world.host.remove(uuid, world.place));
  },

  'a device in use is told so and not removed': async (world) => {
    const uuid = await made(world);
    const close = await world.hold(uuid);
    const { use } = await presence(world, uuid);
    assert.ok(use.kind === 'in-use');
    assert.equal(use.by.length, 1);
    assert.deepEqual(await world.host.remove(uuid, world.place), use);
    assert.equal((await presence(world, uuid)).removable, true);
    await close();
    assert.deepEqual(await world.host.remove(uuid, world.place), OK);
  },

  'an attribute is taken, and read back where it can be read': async (world) => {
    const uuid = await made(world);
    const { host, place, attribute, writeOnly } = world;
    for (const one of [attribute, writeOnly]) {
      assert.deepEqual(await host.setAttribute(uuid, place, one), OK);
    }
    const attributes = [attribute.name, writeOnly.name, 'no_such_attribute'];
    const seen = await host.observe(uuid, { place, use: false, attributes });
    const read = { name: attribute.name, value: `${attribute.value}\n` };
    assert.deepEqual(seen.kind === 'present' && seen.attributes, [read]);
    assert.deepEqual((await presence(world, uuid)).attributes, []);
  },

  'an attribute that a complete device does not have is told from a device that is not there': async (
    world,
  ) => {
    const uuid = await made(world);
    for (const name of ['no_such_attribute', 'no_such_group/attribute']) {
      const answer = await world.host.setAttribute(uuid, world.place, { name, value: '1' });
      assert.ok(answer.kind === 'no-attribute' && answer.file.endsWith(`${uuid}/${name}`));
    }
    assert.deepEqual(await world.host.remove(uuid, world.place), OK);
    means('look-again', 'attribute', await world.host.setAttribute(uuid, world.place, world.attribute));
  },

  'a parent that goes takes its devices along': async (world) => {
    const uuid = await made(world);
    await world.unplug(world.place.parent);
    assert.deepEqual(await look(world, uuid), { kind: 'absent', room: { kind: 'parent-absent' } });
    means('look-again', 'create', await world.host.create(uuid, world.place));
    means('look-again', 'remove', await world.host.remove(uuid, world.place));
    await world.plug(world.place.parent);
    assert.deepEqual(await world.host.create(uuid, world.place), OK);
  },
};

const racing: Record<string, Body> = {
  'a device in use is not gone while its parent tries to go': async (world) => {
    const uuid = await made(world);
    const close = await world.hold(uuid);
    const unplugged = world.unplug(world.place.parent);
    await until('the device is off the bus', async () => (await look(world, uuid)).kind === 'removing');
    const answer = await world.host.create(uuid, world.otherParent);
    assert.equal(answer.kind === 'errno' && answer.errno, E.EXIST);
    const fresh = world.uuid();
    means('look-again', 'create', await world.host.create(fresh, world.place));
    assert.deepEqual(await look(world, fresh), { kind: 'absent', room: { kind: 'parent-absent' } });
    means('look-again', 'remove', await world.host.remove(uuid, world.place));
    means('look-again', 'attribute', await world.host.setAttribute(uuid, world.place, world.attribute));
    await close();
    await unplugged;
    assert.deepEqual(await look(world, uuid), { kind: 'absent', room: { kind: 'parent-absent' } });
  },

  'a device that another program still removes is removing, and its UUID is taken': async (world) => {
    const uuid = await made(world);
    await world.slowRemove(world.place.parent, 500);
    const removed = world.removeBehind(uuid);
    await until('the device is off the bus', async () => (await look(world, uuid)).kind === 'removing');
    const answer = await world.host.create(uuid, world.otherParent);
    assert.equal(answer.kind === 'errno' && answer.errno, E.EXIST);
    assert.equal(await instancesAt(world, world.otherType), others(world, world.capacity - 1));
    assert.equal(await removed, 0);
    assert.equal((await look(world, uuid)).kind, 'absent');
    assert.equal(await instancesAt(world, world.otherType), others(world, world.capacity));
  },

  'a device does not go while an attribute of it is written': async (world) => {
    const uuid = await made(world);
    await world.slowAttribute(world.place.parent, Math.min(1000, world.writeDeadlineMs / 2));
    const written = world.host.setAttribute(uuid, world.place, world.attribute);
    await until('the write has reached the driver', () => world.isWritten(uuid));
    const order: string[] = [];
    const removed = world.removeBehind(uuid).then((errno) => order.push(`removed ${errno}`));
    assert.deepEqual(await written, OK);
    order.push('written');
    await removed;
    assert.deepEqual(order, ['written', 'removed 0']);
  },

  'a device that cannot be removed is told so': async (world) => {
    await world.slowProbe(world.place.parent, 500);
    const uuid = world.uuid();
    const created = world.createBehind(uuid, world.place);
    await until('the device shows', async () => (await look(world, uuid)).kind === 'incomplete');
    assert.notEqual(await world.removeBehind(uuid), 0);
    assert.equal(await created, 0);
    assert.equal((await presence(world, uuid)).removable, false);
    means('look-again', 'remove', await world.host.remove(uuid, world.place));
    assert.equal((await look(world, uuid)).kind, 'present');
    await world.unplug(world.place.parent);
    assert.equal((await look(world, uuid)).kind, 'absent');
  },

  'a device that went with its parent, which is back, is told from one that was removed': async (world) => {
    const uuid = await made(world);
    assert.equal((await look(world, uuid)).kind, 'present');
    await world.unplug(world.place.parent);
    await world.plug(world.place.parent);
    const returned = await look(world, uuid);
    assert.ok(returned.kind === 'absent' && returned.parentReturned === true, JSON.stringify(returned));
    assert.deepEqual(await world.host.create(uuid, world.place), OK);
    assert.equal((await look(world, uuid)).kind, 'present');
    assert.equal(await world.removeBehind(uuid), 0);
    const removed = await look(world, uuid);
    assert.ok(removed.kind === 'absent' && removed.parentReturned === undefined, JSON.stringify(removed));
  },

  'creates of different UUIDs do not wait for each other': async (world) => {
    await world.slowProbe(world.place.parent, Math.min(2500, world.writeDeadlineMs / 2));
    // Whatever a host needs for two writes at once, it has after the first two.
    await Promise.all([made(world), made(world)]);
    const uuids = [world.uuid(), world.uuid()];
    const created = uuids.map((uuid) => world.host.create(uuid, world.place));
    await until('both are on the bus at once', async () => {
      const survey = await world.host.survey();
      const there = survey.kind === 'devices' ? survey.devices.filter(({ type }) => type === null) : [];
      return uuids.every((uuid) => there.some((one) => one.uuid === uuid));
    });
    assert.deepEqual(await Promise.all(created), [OK, OK]);
  },
};

const stuck: Record<string, Body> = {
  'a write past its deadline is stuck, busy until it returns, and then done': async (world) => {
    await world.slowProbe(world.place.parent, world.writeDeadlineMs * 1.5);
    const uuid = world.uuid();
    assert.deepEqual(await world.host.create(uuid, world.place), {
      kind: 'stuck',
      afterMs: world.writeDeadlineMs,
    });
    assert.equal((await look(world, uuid)).kind, 'busy');
    const elsewhere = world.uuid();
    assert.deepEqual(await world.host.create(elsewhere, world.otherParent), OK);
    await until('the write has returned', async () => (await look(world, uuid)).kind !== 'busy');
    assert.deepEqual((await presence(world, uuid)).place, world.place);
  },

  'a write under way is seen by the next agent': async (world) => {
    const delayMs = Math.min(1500, world.writeDeadlineMs * 0.8);
    await world.slowProbe(world.place.parent, delayMs);
    const uuid = world.uuid();
    const created = world.host.create(uuid, world.place);
    await until('the device is on the bus', async () => {
      const survey = await world.host.survey();
      return survey.kind === 'devices' && survey.devices.some((one) => one.uuid === uuid);
    });
    assert.equal((await look(world, uuid)).kind, 'busy');
    const next = await world.another();
    const seen = await next.observe(uuid, { place: world.place, use: false });
    assert.equal(seen.kind, 'busy');
    assert.deepEqual(await created, OK);
    assert.equal((await next.observe(uuid, { place: world.place, use: false })).kind, 'present');
  },
};
