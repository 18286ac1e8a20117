/**
 * Reads what sysfs shows of mediated devices, in this process.
 *
 * Only links and names are read here. The kernel answers those from memory, without a lock that
 * a driver could hold, so they neither hang nor take long, and asking synchronously costs two
 * microseconds where the thread pool costs a hundred. Files behind which a driver's code
 * runs are read by a helper instead. While devices come and go, what was read a moment ago may
 * be gone: that is AGAIN, and only the absence of a device's own link is its absence.
 */
import { lstatSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { isSegment, type Uuid, uuid as uuidSchema } from '../../events/names.ts';
import { E, isErrno } from '../errno-numbers.ts';
import {
  type Observed,
  type Place,
  type Room,
  STANDING_MAX,
  type Standing,
  type Survey,
  type Surveyed,
  type Taken,
} from '../host.ts';
import { busFolder, busLink, deviceFolder, parentFolder, parentsFolder, typeFolder } from './paths.ts';
import { AGAIN, type Again, NoAnswer, unreadable } from './unreadable.ts';

type Seen<K extends Observed['kind']> = Extract<Observed, { kind: K }>;

/** What links and names alone tell of a device. */
export type Sighting =
  | Pick<Seen<'absent'>, 'kind'>
  | Seen<'incomplete' | 'removing'>
  | Omit<Seen<'present'>, 'use' | 'attributes'>;

/**
 * Looks for a device: on the bus and, if it is not there, in the folder of the parent named.
 * @throws what the system answers, when that is no answer to the question
 */
export function sight(root: string, uuid: Uuid, parent: string | null): Sighting | Again {
  const link = busLink(root, uuid);
  const folder = target(link);
  if (folder === null) return offBus(root, uuid, parent);
  const seen = onBus(folder);
  // A device that came, went or came back meanwhile was seen in parts.
  return target(link) === folder && isComplete(folder) === (seen.kind === 'present') ? seen : AGAIN;
}

function onBus(folder: string): Sighting {
  const parent = parentOf(folder);
  const type = target(`${folder}/mdev_type`);
  if (type === null || !exists(type)) return { kind: 'incomplete', parent };
  return {
    kind: 'present',
    place: { parent, type: basename(type) },
    identity: identityOf(folder),
    iommuGroup: groupOf(folder),
    removable: exists(`${folder}/remove`),
  };
}

/** The kernel gives each folder of sysfs a number that no other has until the next boot. Null when it is gone by now. */
function identityOf(folder: string): string | null {
  return statSync(folder, { bigint: true, throwIfNoEntry: false })?.ino.toString() ?? null;
}

function isComplete(folder: string): boolean {
  const type = target(`${folder}/mdev_type`);
  return type !== null && exists(type);
}

/** The number of the group; null when the device has none. */
export function groupOf(folder: string): number | null {
  const group = target(`${folder}/iommu_group`);
  return group === null ? null : Number(basename(group));
}

function offBus(root: string, uuid: Uuid, parent: string | null): Sighting | Again {
  if (!exists(busFolder(root))) mustBeSysfs(root);
  if (parent === null || !isInParent(root, uuid, parent)) return { kind: 'absent' };
  return exists(busLink(root, uuid)) ? AGAIN : { kind: 'removing', parent };
}

/**
 * A removal that has not finished is seen in the parent's folder only. A parent that is going
 * away is no longer listed, but its folder stands while a device in it is in use, so it is looked for
 * where else parents stand: on their own bus, or in their own class.
 */
function isInParent(root: string, uuid: Uuid, parent: string): boolean {
  if (exists(parentFolder(root, parent))) return exists(deviceFolder(root, parent, uuid));
  const buses = list(`${root}/bus`).map((bus) => `${root}/bus/${bus}/devices`);
  const classes = list(`${root}/class`).map((one) => `${root}/class/${one}`);
  return [...buses, ...classes].some((folder) => exists(`${folder}/${parent}/${uuid}`));
}

/** The part of the room at a place that names tell; null when the place is there. */
export function missing(root: string, place: Place): Exclude<Room, { kind: 'available' }> | null {
  if (exists(typeFolder(root, place))) return null;
  return exists(parentFolder(root, place.parent)) ? { kind: 'type-absent' } : { kind: 'parent-absent' };
}

/** What stands in a parent's folder, a device whose removal has not finished too: it still takes its instance. */
export function standing(root: string, parent: string): Taken {
  const folder = parentFolder(root, parent);
  const uuids = list(folder).filter(isUuid).sort();
  return { count: uuids.length, first: uuids.slice(0, STANDING_MAX).map((uuid) => standingIn(folder, uuid)) };
}

/** All of them, by UUID. */
export function standingOn(root: string, parent: string): readonly Standing[] {
  const folder = parentFolder(root, parent);
  return list(folder)
    .filter(isUuid)
    .sort()
    .map((uuid) => standingIn(folder, uuid));
}

function standingIn(folder: string, uuid: Uuid): Standing {
  const type = target(`${folder}/${uuid}/mdev_type`);
  return { uuid, type: type === null ? null : basename(type) };
}

/** Types that a parent offers and that a declaration can name, by id. */
export function typesOf(root: string, parent: string): readonly string[] {
  return list(`${parentFolder(root, parent)}/mdev_supported_types`)
    .filter(isSegment)
    .sort();
}

/** Name of the driver to which a parent is bound; null for one that has none, as virtual ones do. */
export function driverOf(root: string, parent: string): string | null {
  const driver = target(`${parentFolder(root, parent)}/driver`);
  return driver === null ? null : basename(driver);
}

/** UUIDs on the bus. */
export function devicesOnBus(root: string): readonly Uuid[] {
  const names = list(busFolder(root));
  if (names.length === 0 && !exists(busFolder(root))) mustBeSysfs(root);
  return names.filter(isUuid);
}

function isUuid(name: string): boolean {
  return uuidSchema.safeParse(name).success;
}

/** True while the device is on the bus. */
export function isOnBus(root: string, uuid: Uuid): boolean {
  return exists(busLink(root, uuid));
}

/** A number that no other registration of the parent has; null while it is not registered. */
export function registrationOf(root: string, parent: string): number | null {
  // The kernel makes a new link each time, and uses no number of a link twice.
  return lstatSync(parentFolder(root, parent), { throwIfNoEntry: false })?.ino ?? null;
}

/** Names of registered parents. */
export function parents(root: string): readonly string[] {
  return list(parentsFolder(root));
}

/** A device as a survey shows it; null when it has gone meanwhile. */
export function surveyed(root: string, uuid: Uuid): Surveyed | null {
  const folder = target(busLink(root, uuid));
  if (folder === null) return null;
  const type = target(`${folder}/mdev_type`);
  return { uuid, parent: parentOf(folder), type: type === null ? null : basename(type) };
}

/** Every device on the bus, in one go, by whoever only wants to look. */
export function surveySysfs(root: string): Survey {
  try {
    const devices = devicesOnBus(root).flatMap((uuid) => surveyed(root, uuid) ?? []);
    return { kind: 'devices', devices };
  } catch (error) {
    return unreadable(error);
  }
}

/** A device's folder stands in its parent's. */
function parentOf(folder: string): string {
  return basename(dirname(folder));
}

/** An empty folder in the place of /sys must not look like a host without devices. */
function mustBeSysfs(root: string): void {
  if (exists(`${root}/bus`) && exists(`${root}/class`)) return;
  throw new NoAnswer(`${root} is not a sysfs: mount one there, or name the folder where it is mounted`);
}

/** Where a link leads, as an absolute path; null when there is no link. */
function target(link: string): string | null {
  try {
    return resolve(dirname(link), readlinkSync(link));
  } catch (error) {
    if (isErrno(error, E.NOENT)) return null;
    throw error;
  }
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function list(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (isErrno(error, E.NOENT)) return [];
    throw error;
  }
}
