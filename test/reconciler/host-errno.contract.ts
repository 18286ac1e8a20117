/**
 * The kernel's answers to writes, each brought about through the port. That no row of the errno table is left out
 * without a reason is checked in host-errno.test.ts.
 */
import assert from 'node:assert/strict';
import { type Call, errnoName, type Operation } from '../../reconciler/errno.ts';
import { E as NUMBERS } from '../../reconciler/errno-numbers.ts';
import type { Place, WriteResult } from '../../reconciler/host.ts';
import { type Body, type HostWorld, look, made, presence, until } from './host-world.ts';

const E = { ...NUMBERS, NOMEM: 12, TIME: 62 } as const;

/** An answer, and what brings it about. */
type Case = {
  readonly operation: Operation;
  readonly errno: number;
  readonly call: Call;
  readonly by: string;
  readonly provoke: (world: HostWorld) => Promise<WriteResult>;
};

/** Long enough to act meanwhile; what is slow is waited for. */
const SLOW_MS = 500;

/** What the operation is answered while something else is so. */
function given(operation: Operation, errno: number, call: Call) {
  return (by: string, provoke: Case['provoke']): Case => ({ operation, errno, call, by, provoke });
}

const taken = given('create', E.EXIST, 'write');
const noPlace = given('create', E.NOENT, 'open');

/** A driver's answer to a probe is told unchanged but for one, and leaves nothing behind. */
function probeAnswers(errno: number, told: number = errno): Case {
  return given(
    'create',
    told,
    'write',
  )(`a driver whose probe answers ${errnoName(errno)}`, async (world) => {
    await world.failProbe(world.place.parent, errno);
    const uuid = world.uuid();
    const answer = await world.host.create(uuid, world.place);
    assert.deepEqual(await look(world, uuid), {
      kind: 'absent',
      room: { kind: 'available', instances: world.capacity, taken: null },
    });
    return answer;
  });
}

async function createAgain(world: HostWorld, place: Place): Promise<WriteResult> {
  const uuid = await made(world);
  const before = await presence(world, uuid);
  const answer = await world.host.create(uuid, place);
  assert.deepEqual(await presence(world, uuid), before);
  return answer;
}

const creating: readonly Case[] = [
  taken('a device of the same type', (world) => createAgain(world, world.place)),
  taken('a device of another type', (world) => createAgain(world, world.otherType)),
  taken('a device on another parent', (world) => createAgain(world, world.otherParent)),
  taken('a create that has not finished', async (world) => {
    const { uuid, finished } = await createdBehind(world);
    const answer = await world.host.create(uuid, world.otherParent);
    assert.equal(await finished, 0);
    return answer;
  }),
  taken('a removal that has not finished', async (world) => {
    const { uuid, finished } = await removedBehind(world);
    const answer = await world.host.create(uuid, world.otherParent);
    assert.equal(await finished, 0);
    return answer;
  }),
  given(
    'create',
    E.NOSPC,
    'write',
  )('a pool with nothing left', (world) => createBeyond(world, world.place, world.capacity)),
  given(
    'create',
    E.USERS,
    'write',
  )('a parent with as many devices as the core allows', (world) =>
    createBeyond(world, world.limited, world.limitedCapacity),
  ),
  noPlace('no such type', (world) =>
    world.host.create(world.uuid(), { ...world.place, type: 'no-such-type' }),
  ),
  noPlace('no such parent', (world) =>
    world.host.create(world.uuid(), { ...world.place, parent: 'no-such-parent' }),
  ),
  noPlace('a parent that has gone', async (world) => {
    await world.unplug(world.place.parent);
    return world.host.create(world.uuid(), world.place);
  }),
  ...[E.PERM, E.IO, E.NOMEM, E.BUSY, E.NODEV, E.INVAL, E.TIME].map((errno) => probeAnswers(errno)),
  probeAnswers(E.PROBE_DEFER, E.AGAIN),
];

/** The create that comes after as many as there is room for. */
async function createBeyond(world: HostWorld, place: Place, room: number): Promise<WriteResult> {
  for (let count = 0; count < room; count += 1) {
    assert.deepEqual(await world.host.create(world.uuid(), place), { kind: 'ok' });
  }
  const uuid = world.uuid();
  const answer = await world.host.create(uuid, place);
  assert.equal((await look(world, uuid)).kind, 'absent');
  return answer;
}

/** A device that another program is creating, or removing. */
type Underway = { readonly uuid: string; readonly finished: Promise<number> };

async function createdBehind(world: HostWorld): Promise<Underway> {
  await world.slowProbe(world.place.parent, SLOW_MS);
  const uuid = world.uuid();
  const finished = world.createBehind(uuid, world.place);
  await until('the device shows', async () => (await look(world, uuid)).kind === 'incomplete');
  return { uuid, finished };
}

async function removedBehind(world: HostWorld): Promise<Underway> {
  const uuid = await made(world);
  await world.slowRemove(world.place.parent, SLOW_MS);
  const finished = world.removeBehind(uuid);
  await until('the device is off the bus', async () => (await look(world, uuid)).kind === 'removing');
  return { uuid, finished };
}

/** Both of the writes to a device that stands already. */
type OnDevice = (world: HostWorld, uuid: string, place: Place) => Promise<WriteResult>;

const remove: OnDevice = ({ host }, uuid, place) => host.remove(uuid, place);
const setAttribute: OnDevice = ({ host, attribute }, uuid, place) =>
  host.setAttribute(uuid, place, attribute);

/** What both are answered for a device that is not, or not wholly, there: nothing is written. */
function notThere(operation: Operation, write: OnDevice): readonly Case[] {
  const absent = given(operation, E.NOENT, 'open');
  return [
    absent('no such device', (world) => write(world, world.uuid(), world.place)),
    absent('a device that has gone', async (world) => {
      const uuid = await made(world);
      assert.equal(await world.removeBehind(uuid), 0);
      return write(world, uuid, world.place);
    }),
    absent('a device on another parent', async (world) => write(world, await made(world), world.otherParent)),
    absent('a parent that has gone', async (world) => {
      const uuid = await made(world);
      await world.unplug(world.place.parent);
      return write(world, uuid, world.place);
    }),
    absent('a create that has not finished', async (world) => {
      const { uuid, finished } = await createdBehind(world);
      const answer = await write(world, uuid, world.place);
      assert.equal(await finished, 0);
      assert.equal((await presence(world, uuid)).removable, true);
      return answer;
    }),
    absent('a removal that has not finished', async (world) => {
      const { uuid, finished } = await removedBehind(world);
      const answer = await write(world, uuid, world.place);
      assert.equal(await finished, 0);
      return answer;
    }),
    given(
      operation,
      E.STALE,
      'open',
    )('a device of another type', async (world) => {
      return write(world, await made(world), world.otherType);
    }),
  ];
}

const removing: readonly Case[] = [
  ...notThere('remove', remove),
  given(
    'remove',
    E.NOENT,
    'open',
  )('a device whose remove file is gone', async (world) => {
    const { uuid, finished } = await createdBehind(world);
    assert.equal(await world.removeBehind(uuid), E.AGAIN);
    assert.equal(await finished, 0);
    assert.equal((await presence(world, uuid)).removable, false);
    return world.host.remove(uuid, world.place);
  }),
];

/** A driver's answer to a write is told unchanged. */
function driverAnswers(errno: number): Case {
  return given(
    'attribute',
    errno,
    'write',
  )(`a driver that answers ${errnoName(errno)}`, async (world) => {
    const uuid = await made(world);
    await world.failAttribute(world.place.parent, errno);
    return world.host.setAttribute(uuid, world.place, world.attribute);
  });
}

const attributes: readonly Case[] = [
  ...notThere('attribute', setAttribute),
  given(
    'attribute',
    E.ACCES,
    'open',
  )('an attribute that can only be read', async (world) =>
    world.host.setAttribute(await made(world), world.place, world.readOnly),
  ),
  given(
    'attribute',
    E.LOOP,
    'open',
  )('a name that leads over a link', async (world) => {
    const uuid = await made(world);
    return world.host.setAttribute(uuid, world.place, world.linked(uuid));
  }),
  given(
    'attribute',
    E.INVAL,
    'write',
  )('a value that the driver refuses', async (world) =>
    world.host.setAttribute(await made(world), world.place, world.refused),
  ),
  given(
    'attribute',
    E.INVAL,
    'write',
  )('an empty value', async (world) =>
    world.host.setAttribute(await made(world), world.place, { ...world.attribute, value: '' }),
  ),
  ...[E.PERM, E.IO, E.AGAIN, E.BUSY, E.NODEV, E.PROBE_DEFER].map(driverAnswers),
];

export const CASES: readonly Case[] = [...creating, ...removing, ...attributes];

/** A test for each case, to be run on every kernel. */
export const answering: Readonly<Record<string, Body>> = Object.fromEntries(
  CASES.map(({ operation, errno, call, by, provoke }) => [
    `${operation}: ${errnoName(errno)} for ${by}`,
    async (world) => {
      const answer = await provoke(world);
      assert.ok(answer.kind === 'errno', `expected an errno, but it is ${JSON.stringify(answer)}`);
      assert.deepEqual({ errno: answer.errno, call: answer.call }, { errno, call });
    },
  ]),
);
