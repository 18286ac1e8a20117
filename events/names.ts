/**
 * The names that travel in events: hosts, UUIDs, parents, types, attributes.
 *
 * Parents, types and attribute names end in paths that root writes to, so what is
 * accepted here is all that can ever reach the file system. A name is accepted or
 * refused, never normalised: two spellings of one name would be two keys.
 */
import { z } from 'zod';

/** Most characters in a host id: a DNS name's limit. */
export const HOST_ID_CHARS_MAX = 253;
/** Most characters in a parent, a type, or one segment of an attribute's name: a file name's limit. */
export const NAME_CHARS_MAX = 255;
/** Most segments in an attribute's name. */
export const ATTRIBUTE_SEGMENTS_MAX = 4;
/** Most bytes in an attribute's value: sysfs hands a driver one page, less the final zero. */
export const ATTRIBUTE_VALUE_BYTES_MAX = 4095;

/** Entries that the kernel itself puts into a device's or a parent's folder. */
const RESERVED = ['remove', 'uevent', 'power', 'driver', 'subsystem', 'iommu_group', 'mdev_type'];

const NAME_CHAR = '[A-Za-z0-9_.:-]';

/** One harmless path segment; as patterns these rules are part of the JSON Schema, too. */
const SEGMENT = `(?!(?:\\.|\\.\\.|${RESERVED.join('|')})(?!${NAME_CHAR}))${NAME_CHAR}{1,${NAME_CHARS_MAX}}`;

/** What names look like, as parts of larger patterns: none of them begins or ends one. */
export const PATTERNS = {
  uuid: '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}',
  /** Of any length. */
  hostId: '[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?',
  segment: SEGMENT,
  attributeName: `${SEGMENT}(?:/${SEGMENT}){0,${ATTRIBUTE_SEGMENTS_MAX - 1}}`,
} as const;

const NAME = new RegExp(`^${PATTERNS.segment}$`);
const ATTRIBUTE_NAME = new RegExp(`^${PATTERNS.attributeName}$`);
const HOST_ID = new RegExp(`^${PATTERNS.hostId}$`);
const UUID = new RegExp(`^${PATTERNS.uuid}$`);

/** True for a name that is one harmless path segment and none of the kernel's own entries. */
export function isSegment(name: string): boolean {
  return NAME.test(name);
}

function isAttributeValue(value: string): boolean {
  return !value.includes('\0') && new TextEncoder().encode(value).length <= ATTRIBUTE_VALUE_BYTES_MAX;
}

const segmentRule = 'letters, digits and _ . : - only, and none of the entries of the kernel itself';

/** A host's configured id: lower case, `[a-z0-9.-]`. */
export const hostId = z
  .string()
  .max(HOST_ID_CHARS_MAX)
  .regex(HOST_ID, 'a host id has lower-case letters, digits, dots and hyphens only')
  .describe('Configured id of a host');

/** 8-4-4-4-12 hexadecimal digits in lower case; any version, as the kernel takes it. */
export const uuid = z
  .string()
  .regex(UUID, 'a UUID is 8-4-4-4-12 hexadecimal digits in lower case')
  .describe('UUID of a mediated device');

/** A parent's name as it stands in /sys/class/mdev_bus. */
export const parentName = z
  .string()
  .regex(NAME, `not a parent's name: ${segmentRule}`)
  .describe('Parent device, as listed in /sys/class/mdev_bus');

/** A type's id as it stands in mdev_supported_types. */
export const typeName = z
  .string()
  .regex(NAME, `not a type's name: ${segmentRule}`)
  .describe('Type id, as listed in mdev_supported_types');

/** One attribute to be written below the device's folder, e.g. `assign_adapter` = `5`. */
export const attribute = z.strictObject({
  name: z.string().regex(ATTRIBUTE_NAME, `not an attribute's name: ${segmentRule}, in each segment`),
  value: z
    .string()
    .refine(isAttributeValue, `a value has no zero byte and at most ${ATTRIBUTE_VALUE_BYTES_MAX} bytes`)
    .describe(`At most ${ATTRIBUTE_VALUE_BYTES_MAX} bytes in UTF-8, none of them zero`),
});

/** One that is asked for now. An older declaration may have an empty value, and what was recorded of it stays legible. */
export const declaredAttribute = attribute.extend({
  value: attribute.shape.value.min(
    1,
    'a value is not empty: the kernel takes an empty write and does nothing',
  ),
});

/** What a UUID is declared to be: a device of this type, on this parent, on this host. */
export const claim = z.strictObject({ host: hostId, parent: parentName, type: typeName });

/** Position of a declaration: the stream's epoch, and its sequence in the stream. */
export const generation = z.strictObject({
  epoch: z.int().min(1),
  sequence: z.int().min(1),
});

export type HostId = z.infer<typeof hostId>;
export type Uuid = z.infer<typeof uuid>;
export type Attribute = z.infer<typeof attribute>;
export type Claim = z.infer<typeof claim>;
export type Generation = z.infer<typeof generation>;

/** True when both name the same host, parent and type. */
export function sameClaim(a: Claim, b: Claim): boolean {
  return a.host === b.host && samePlace(a, b);
}

/** True when both name the same parent and type, as of one host. */
export function samePlace(a: Omit<Claim, 'host'>, b: Omit<Claim, 'host'>): boolean {
  return a.parent === b.parent && a.type === b.type;
}

/** True when both stand for the same declaration. */
export function sameGeneration(a: Generation, b: Generation): boolean {
  return a.epoch === b.epoch && a.sequence === b.sequence;
}

/** True when both lists have the same names and values in the same order; order and repeats matter. */
export function sameAttributes(a: readonly Attribute[], b: readonly Attribute[]): boolean {
  return (
    a.length === b.length &&
    a.every((one, index) => one.name === b[index]?.name && one.value === b[index]?.value)
  );
}
