/**
 * The world in which the contract of a host is tested, and the words in which its tests speak.
 *
 * A world stands for one machine with one agent's host on it, and for everybody else who works on
 * that machine.
 */
import assert from 'node:assert/strict';
import type { Attribute, Uuid } from '../../events/names.ts';
import { sleep } from '../../reconciler/clock.ts';
import { systemClock } from '../../reconciler/clock-system.ts';
import { type Meaning, meaningOf, type Operation } from '../../reconciler/errno.ts';
import type { Host, Observed, Place, WriteResult } from '../../reconciler/host.ts';

export type HostWorld = {
  readonly host: Host;
  /** Time after which the host's writes are stuck. */
  readonly writeDeadlineMs: number;
  /** A place with room for `capacity` devices, and no device yet. */
  readonly place: Place;
  readonly capacity: number;
  /** Another type on the same parent, from the same pool. */
  readonly otherType: Place;
  readonly otherParent: Place;
  /** What one device of `otherType` takes of the `capacity`. */
  readonly otherUnits: number;
  /** A place with room for `limitedCapacity` devices, which the mdev core itself counts. */
  readonly limited: Place;
  readonly limitedCapacity: number;
  /** What a device at `place` takes, what it refuses with EINVAL, and what can only be read. */
  readonly attribute: Attribute;
  readonly refused: Attribute;
  readonly readOnly: Attribute;
  /** One that a device at `place` takes, and that cannot be read. */
  readonly writeOnly: Attribute;
  /** One whose name leads over a link in the device's folder. */
  linked(uuid: Uuid): Attribute;
  /** A UUID that was not used before. */
  uuid(): Uuid;
  /** Another agent's host on the same machine. */
  another(): Promise<Host>;
  /** Writes to `create` and `remove` as another program does; resolve with the kernel's errno, 0 for ok. */
  createBehind(uuid: Uuid, place: Place): Promise<number>;
  removeBehind(uuid: Uuid): Promise<number>;
  /** Opens the device as a virtual machine does; the function returned closes it. */
  hold(uuid: Uuid): Promise<() => Promise<void>>;
  unplug(parent: string): Promise<void>;
  plug(parent: string): Promise<void>;
  /** From now on, creates on (removes from) the parent take so long. */
  slowProbe(parent: string, delayMs: number): Promise<void>;
  slowRemove(parent: string, delayMs: number): Promise<void>;
  slowAttribute(parent: string, delayMs: number): Promise<void>;
  /** A write to an attribute of the device has reached its driver since that was made slow. */
  isWritten(uuid: Uuid): boolean;
  /** From now on, creates on the parent (writes to attributes of its devices) fail with this errno. */
  failProbe(parent: string, errno: number): Promise<void>;
  failAttribute(parent: string, errno: number): Promise<void>;
  close(): Promise<void>;
};

/** A test of the contract. */
export type Body = (world: HostWorld) => Promise<void>;

const TRIES_MAX = 4000;

/** A new device at the world's place. */
export async function made(world: HostWorld): Promise<Uuid> {
  const uuid = world.uuid();
  assert.deepEqual(await world.host.create(uuid, world.place), { kind: 'ok' });
  return uuid;
}

/** What the host sees of the device, asked for all it can tell. */
export function look(world: HostWorld, uuid: Uuid, place: Place = world.place): Promise<Observed> {
  return world.host.observe(uuid, { place, use: true });
}

/** The device, which must be there. */
export async function presence(
  world: HostWorld,
  uuid: Uuid,
): Promise<Extract<Observed, { kind: 'present' }>> {
  const seen = await look(world, uuid);
  assert.ok(seen.kind === 'present', `expected a device, but it is ${JSON.stringify(seen)}`);
  return seen;
}

/** How many devices of the other type that leaves room for. */
export function others({ otherUnits }: HostWorld, left: number): number {
  return Math.floor(left / otherUnits);
}

/** Room at a place, asked for with a UUID that is nowhere. */
export async function instancesAt(world: HostWorld, place: Place): Promise<number> {
  const seen = await look(world, world.uuid(), place);
  assert.ok(seen.kind === 'absent' && seen.room?.kind === 'available', JSON.stringify(seen));
  return seen.room.instances;
}

/** The write must have failed, and with this meaning. */
export function means(meaning: Meaning, operation: Operation, result: WriteResult): void {
  assert.ok(result.kind === 'errno', `expected an errno, but it is ${JSON.stringify(result)}`);
  assert.equal(meaningOf(operation, result.errno, result.call), meaning, JSON.stringify(result));
}

/** Waits for what others bring about. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    if (await isSo()) return;
    await sleep(systemClock, 5);
  }
  assert.fail(`it did not come to pass that ${what}`);
}
