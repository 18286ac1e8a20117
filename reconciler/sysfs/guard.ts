/**
 * The guard: something is done to a device only while nobody uses it.
 *
 * A vfio device is opened by way of its group's node, which one process can have open at a time: while the guard
 * has it, nobody else can begin to use the device, and if somebody does already, opening it fails. Group numbers are used
 * again, so it is checked afterwards that the open group is this device's.
 *
 * Kernels from 6.6 on may have a node for each device as well, or instead. The guard never opens that one, since a removal
 * would wait for the guard itself; who has it open is read off /proc (docs/decisions/0009-in-use.md).
 */
import { closeSync, constants, lstatSync, openSync, readdirSync, realpathSync } from 'node:fs';
import { basename } from 'node:path';
import { E, isErrno } from '../errno-numbers.ts';
import { usersOf } from './device-users.ts';
import { type Answer, type Guarded, refusal } from './order.ts';

/** The nodes by which a device can be opened: its group's, and its own. */
type Nodes = { readonly group: string | null; readonly own: readonly string[] };

/** Answers what `act` does, or why it was not done. Throws what the system answers to the guard itself. */
export function guarded(guard: Guarded, act: () => Answer): Answer {
  const { device, nodes: folder } = guard;
  const nodes = nodesOf(device);
  // Without a vfio device there is nothing that anybody could have open.
  if (nodes === null) return act();
  const fd = nodes.group === null ? null : openGroup(`${folder}/${nodes.group}`);
  if (fd === 'busy') return { kind: 'in-use', by: usersOf(guard.proc, pathsOf(nodes)).users };
  try {
    const refused = refusedByUse(guard, nodes, fd !== null);
    if (refused !== null) return refused;
    if (groupOf(device) !== nodes.group) return refusal(E.STALE, 'open', `${device}/iommu_group`);
    return act();
  } finally {
    if (fd !== null) closeSync(fd);
  }
}

/** Who has a node of the device's own open. Where its group cannot be opened, that is all that can be known. */
function refusedByUse(
  { device, nodes: folder, proc }: Guarded,
  nodes: Nodes,
  isOpen: boolean,
): Answer | null {
  if (
    !isOpen &&
    (nodes.own.length === 0 || !nodes.own.every((name) => exists(`${folder}/devices/${name}`)))
  ) {
    const { group } = nodes;
    return refusal(E.NOENT, 'open', group === null ? `${device}/iommu_group` : `${folder}/${group}`);
  }
  if (nodes.own.length === 0) return null;
  const { users, isComplete } = usersOf(proc, pathsOf(nodes));
  if (users.length > 0) return { kind: 'in-use', by: users };
  return isOpen || isComplete ? null : refusal(E.ACCES, 'open', `${proc}/<pid>/fd`);
}

/** Null when the device has no vfio device. */
function nodesOf(device: string): Nodes | null {
  const folder = `${device}/vfio-dev`;
  const group = groupOf(device);
  if (!exists(folder)) return group === null ? null : { group, own: [] };
  // A device with a node has a number for it.
  return { group, own: readdirSync(folder).filter((name) => exists(`${folder}/${name}/dev`)) };
}

function groupOf(device: string): string | null {
  try {
    return basename(realpathSync.native(`${device}/iommu_group`));
  } catch (error) {
    if (isErrno(error, E.NOENT)) return null;
    throw error;
  }
}

function pathsOf({ group, own }: Nodes): readonly string[] {
  const devices = own.map((name) => `vfio/devices/${name}`);
  return group === null ? devices : [`vfio/${group}`, ...devices];
}

/** Null when it has no node here. */
function openGroup(file: string): number | 'busy' | null {
  try {
    return openSync(file, constants.O_RDWR);
  } catch (error) {
    if (isErrno(error, E.BUSY)) return 'busy';
    if (isErrno(error, E.NOENT)) return null;
    throw error;
  }
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
