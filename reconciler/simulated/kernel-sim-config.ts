/**
 * What a simulated kernel consists of, and how it misbehaves: one plain JSON object.
 */
import { z } from 'zod';
import { parentName, typeName, uuid } from '../../events/names.ts';

/** Milliseconds: a number, or the two ends of a range from which each use draws anew. */
const duration = z.union([z.number().min(0), z.tuple([z.number().min(0), z.number().min(0)])]);

const errno = z.int().min(1).max(4095);

function isPattern(source: string): boolean {
  try {
    return new RegExp(source) instanceof RegExp;
  } catch {
    return false;
  }
}

const attribute = z.strictObject({
  name: z.string().min(1),
  /** Regular expression; a value that it does not match is refused. */
  accepts: z.string().refine(isPattern, 'not a regular expression').default(''),
  /** The answer to a value that is refused; EINVAL unless given. */
  errno: errno.default(22),
  /** `back`: what was written last; `nothing`: it is write-only; `otherwise`: never what was written. */
  reads: z.enum(['back', 'nothing', 'otherwise']).default('back'),
  /** Nobody can open it for writing, not even root. */
  readOnly: z.boolean().default(false),
});

const type = z.strictObject({
  name: typeName,
  /** What the file `name` of the type reads; it has none unless given. */
  title: z.string().optional(),
  /** What one device takes from its parent's pool. */
  units: z.int().min(1).default(1),
  attributes: z.array(attribute).default([]),
});

const parent = z.strictObject({
  name: parentName,
  driver: z.string().optional(),
  /** The pool on which all types of the parent draw; when it is empty, probe answers ENOSPC. */
  units: z.int().min(0).default(8),
  /** The core's own limit, of devices of any type; beyond it, create answers EUSERS. */
  instancesMax: z.int().min(0).optional(),
  /** False for a parent that is to be plugged in later. */
  registered: z.boolean().default(true),
  types: z.array(type).min(1),
});

/**
 * Makes an operation slow, or fail. It counts the operations that match it: `first: 3` stands
 * for the first three, `every: 5` for each fifth.
 */
const fault = z.strictObject({
  on: z.enum(['probe', 'remove', 'attribute', 'observe', 'read']),
  uuid: uuid.optional(),
  parent: parentName.optional(),
  delayMs: duration.optional(),
  errno: errno.optional(),
  first: z.int().min(1).optional(),
  every: z.int().min(1).optional(),
});

export const kernelConfig = z.strictObject({
  parents: z.array(parent),
  /** From the reservation of the UUID until the device is on the bus. */
  reserveMs: duration.default(0),
  /** From there until the create returns. */
  probeMs: duration.default(1),
  removeMs: duration.default(1),
  attributeMs: duration.default(0),
  faults: z.array(fault).default([]),
});

/** As written by people; everything that has a default may be left out. */
export type KernelConfigInput = z.input<typeof kernelConfig>;
export type KernelConfig = z.output<typeof kernelConfig>;
export type ParentConfig = z.output<typeof parent>;
export type TypeConfig = z.output<typeof type>;
export type AttributeConfig = z.output<typeof attribute>;
export type Fault = z.output<typeof fault>;
export type Duration = z.output<typeof duration>;
