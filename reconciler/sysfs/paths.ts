/**
 * Where things stand below /sys and /dev.
 *
 * Root writes to these paths, so each name that goes into one is checked here again,
 * whoever checked it before: a name that leads elsewhere is a bug, not an input.
 */
import { strict as assert } from 'node:assert';
import { type Attribute, isSegment, type Uuid, uuid as uuidSchema } from '../../events/names.ts';
import type { Place } from '../host.ts';

/** Links to all mediated devices that are on the bus. */
export function busFolder(root: string): string {
  return `${root}/bus/mdev/devices`;
}

/** The device's link on the bus. */
export function busLink(root: string, uuid: Uuid): string {
  return `${busFolder(root)}/${checkedUuid(uuid)}`;
}

/** Links to all parents that are registered. */
export function parentsFolder(root: string): string {
  return `${root}/class/mdev_bus`;
}

export function parentFolder(root: string, parent: string): string {
  return `${parentsFolder(root)}/${checkedName(parent)}`;
}

export function typeFolder(root: string, { parent, type }: Place): string {
  return `${parentFolder(root, parent)}/mdev_supported_types/${checkedName(type)}`;
}

export function createFile(root: string, place: Place): string {
  return `${typeFolder(root, place)}/create`;
}

/** The device's folder by way of its parent, so that the path fails on any other parent. */
export function deviceFolder(root: string, parent: string, uuid: Uuid): string {
  return `${parentFolder(root, parent)}/${checkedUuid(uuid)}`;
}

/** An attribute whose name stays below its device's folder. */
export function checkedAttribute(attribute: Attribute): Attribute {
  const { name } = attribute;
  assert(name.split('/').every(isSegment), `not an attribute's name: ${JSON.stringify(name)}`);
  return attribute;
}

/** A name that is one harmless segment of a path. */
export function checkedName(name: string): string {
  assert(isSegment(name), `not a name of a parent or type: ${JSON.stringify(name)}`);
  return name;
}

function checkedUuid(uuid: Uuid): Uuid {
  assert(uuidSchema.safeParse(uuid).success, `not a UUID: ${JSON.stringify(uuid)}`);
  return uuid;
}
