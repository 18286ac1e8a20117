/**
 * Values of the registry: a hold on a UUID, and the identity that speaks for a host.
 */
import { z } from 'zod';
import { machine } from '../../events/fact.ts';
import { claim, generation } from '../../events/names.ts';

/** Who holds a UUID. `fenced` is a tombstone: taken away by force, not free. */
export const hold = z.strictObject({
  v: z.literal(1),
  claim,
  phase: z.enum(['held', 'releasing', 'fenced']),
  generation,
  incarnation: z.int().min(1),
});

/** Which journal on which machine speaks for a host. */
export const incarnation = z.strictObject({
  v: z.literal(1),
  journal: z.string(),
  machine,
  incarnation: z.int().min(1),
});

export type Hold = z.infer<typeof hold>;
export type Incarnation = z.infer<typeof incarnation>;

/** Writes a registry value. */
export function encodeValue(value: Hold | Incarnation): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

/** Reads a hold; throws when the registry holds something else under the key. */
export function decodeHold(bytes: Uint8Array): Hold {
  return hold.parse(JSON.parse(new TextDecoder().decode(bytes)));
}

/** Reads an identity; throws when the registry holds something else under the key. */
export function decodeIncarnation(bytes: Uint8Array): Incarnation {
  return incarnation.parse(JSON.parse(new TextDecoder().decode(bytes)));
}
