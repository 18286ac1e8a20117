/**
 * Values of the registry: a hold on a UUID, the identity that speaks for a host, and the fleet's own state.
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
  confirmed: z
    .int()
    .min(1)
    .optional()
    .describe('Revision of the fleet state under which all that this host holds was last read back'),
  vacant: z
    .strictObject({ as: z.enum(['forgotten', 'open']), by: z.string(), why: z.string(), at: z.string() })
    .optional()
    .describe('An operator took the word from it: for good, or for whoever speaks next'),
});

/** Whether UUIDs may be taken. `rebuilding`: acknowledged writes were lost, and hosts assert anew what they hold. */
export const fleetState = z.strictObject({
  v: z.literal(1),
  state: z.enum(['open', 'rebuilding']),
  by: z.string().describe('The host that noticed the loss, or the source of the act that opened'),
  what: z.string(),
  at: z.string().describe('Wall clock of whoever wrote it, RFC 3339'),
});

export type Hold = z.infer<typeof hold>;
export type Incarnation = z.infer<typeof incarnation>;
export type Vacant = NonNullable<Incarnation['vacant']>;
export type FleetState = z.infer<typeof fleetState>;

/** Writes a registry value. */
export function encodeValue(value: Hold | Incarnation | FleetState): Uint8Array {
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

/** Reads the fleet's state; throws when the registry holds something else under the key. */
export function decodeFleetState(bytes: Uint8Array): FleetState {
  return fleetState.parse(JSON.parse(new TextDecoder().decode(bytes)));
}
