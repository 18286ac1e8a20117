/**
 * Whether what a row says is so: the last word of an agent on a device, against the kernel and the registry.
 */
import { type Attribute, sameClaim } from '../../events/names.ts';
import type { Row } from '../../events/row.ts';
import type { Device } from '../../store/device.ts';
import type { Cast } from './fault.ts';
import type { Machine } from './machine.ts';
import { withdrawalOf } from './watched-facts.ts';

/** What is not true of the row, if anything. */
export function lieIn(cast: Cast, machine: Machine, device: Device, row: Row): string | undefined {
  const there = machine.kernel.device(row.uuid);
  const lie = (why: string): string =>
    `${row.uuid} says ${row.state} ${row.reason ?? ''}, but ${why}: the kernel has ${JSON.stringify(there ?? null)}`;
  switch (row.state) {
    case 'ready': {
      const same = there?.parent === row.parent && there.type === row.type && there.phase === 'complete';
      if (!same) return lie('it is not there');
      return areWritten(known(machine, device, row.attributes), there.attributes)
        ? undefined
        : lie('its attributes are others');
    }
    case 'unmanaged':
      return there === undefined ? lie('it is not there') : undefined;
    case 'waiting':
    case 'releasing':
      return isTrue(cast, machine, device, row) ? undefined : lie('that is not so');
    case 'conflict':
    case 'failed':
      return row.reason === null ? lie('it gives no reason') : undefined;
    default:
      return row.state satisfies never;
  }
}

/** Where somebody else has written, only what is watched is known to be as it was declared. */
function known({ meddled }: Machine, device: Device, declared: readonly Attribute[]): readonly Attribute[] {
  const watched = device.reservation?.echoing ?? [];
  return meddled.has(device.uuid) ? declared.filter(({ name }) => watched.includes(name)) : declared;
}

/** A list in which a name repeats was written in its order; else the last value of each name counts. */
function areWritten(declared: readonly Attribute[], written: readonly Attribute[]): boolean {
  const last = new Map(written.map(({ name, value }) => [name, value]));
  if (new Set(declared.map(({ name }) => name)).size === declared.length) {
    return declared.every(({ name, value }) => last.get(name) === value);
  }
  let at = 0;
  for (const { name, value } of written) {
    if (declared[at]?.name === name && declared[at]?.value === value) at += 1;
  }
  return at === declared.length;
}

/** Whether a reason to wait is a fact, as far as the world can tell. */
function isTrue({ server }: Cast, { kernel }: Machine, device: Device, row: Row): boolean {
  const there = kernel.device(row.uuid);
  const room = kernel.room({ parent: row.parent, type: row.type });
  switch (row.reason) {
    case 'NoCapacity':
      return room.kind === 'available' && room.instances === 0;
    case 'Unremovable':
      return there?.phase === 'complete' && !there.removable;
    case 'ForeignDevice': {
      const held = device.reservation?.claim ?? row;
      return there !== undefined && (there.parent !== held.parent || there.type !== held.type);
    }
    case 'NeedsRecreate':
      return there?.phase === 'complete';
    case 'HolderLeaving': {
      const hold = server.registry.holdOf(row.uuid)?.hold;
      const replaces = device.desired?.kind === 'present' ? device.desired.replaces : null;
      const named = hold !== undefined && replaces !== null && sameClaim(replaces, hold.claim);
      const leaves = hold !== undefined && withdrawalOf(server, hold.claim.host, row.uuid) !== undefined;
      return named || leaves || hold?.phase === 'releasing';
    }
    case null:
      // What is held stays held until somebody says something of it: the stream may have lost what was said.
      return device.desired === null;
    default:
      return false;
  }
}
