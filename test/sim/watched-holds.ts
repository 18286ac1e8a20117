/**
 * What must hold at every moment: a UUID has one holder, who holds it in the registry, and exists nowhere else.
 */
import { sameClaim } from '../../events/names.ts';
import type { Machine } from './machine.ts';
import type { ServerRegistry } from './server-registry.ts';
import type { World } from './world.ts';

/** Looks, if anything happened that could break it. */
export function checkHolds(world: World, machines: readonly Machine[], registry: ServerRegistry): void {
  if (!world.stirred) return;
  world.stirred = false;
  checkOnce(world, machines, registry);
  for (const machine of machines) {
    if (machine.isPutBack) continue;
    checkDevices(world, machine, registry);
    checkReservations(world, machine, registry);
  }
}

/**
 * No UUID exists on two hosts, but where somebody made one by hand; an agent whose journal was put back goes by
 * that until it reaches the fleet.
 */
function checkOnce(world: World, machines: readonly Machine[], { given }: ServerRegistry): void {
  const at = new Map<string, string>();
  for (const machine of machines) {
    if (machine.isPutBack) continue;
    for (const { uuid } of machine.kernel.devices()) {
      if (machine.foreign.has(uuid) || given.has(uuid)) continue;
      const other = at.get(uuid);
      if (other !== undefined) world.violation(`${uuid} exists on ${other} and ${machine.name}`);
      at.set(uuid, machine.name);
    }
  }
}

/** A device of an agent exists only while its host holds the UUID. */
function checkDevices(world: World, machine: Machine, registry: ServerRegistry): void {
  for (const { uuid } of machine.kernel.devices()) {
    if (machine.foreign.has(uuid) || registry.disputed.has(uuid)) continue;
    const holder = registry.holdOf(uuid)?.hold.claim.host;
    if (holder !== machine.name) {
      world.violation(`${uuid} exists on ${machine.name}, but is held by ${holder ?? 'nobody'}`);
    }
  }
}

/**
 * What a journal says is reserved, the registry says too; so no two journals can say it. One that was made again may lack
 * what was not forwarded, until its holds are read back.
 */
function checkReservations(world: World, machine: Machine, registry: ServerRegistry): void {
  for (const { uuid, reservation } of machine.disk.projections().devices.values()) {
    if (registry.disputed.has(uuid)) continue;
    if (reservation?.phase !== 'reserved' && reservation?.phase !== 'active') continue;
    const hold = registry.holdOf(uuid)?.hold;
    const isHeld = hold?.phase === 'held' && sameClaim(hold.claim, reservation.claim);
    if (isHeld) machine.unproved.delete(uuid);
    if (isHeld || machine.unproved.has(uuid)) continue;
    const claims = `${JSON.stringify(reservation.claim)}, registry: ${JSON.stringify(hold ?? null)}`;
    world.violation(`${machine.name}: ${uuid} is ${reservation.phase} in its journal only: ${claims}`);
  }
}
