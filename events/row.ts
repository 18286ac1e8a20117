/**
 * The row of a device: what `get devices` shows, and what every fact about a device carries.
 *
 * Because each fact has the whole row, the last fact per subject is enough to show a
 * fleet. A refused claim is a row of its own beside the one that holds.
 */
import { z } from 'zod';
import { attribute, generation, hostId, parentName, typeName, uuid } from './names.ts';
import { terminalReason, waitingReason } from './reasons.ts';

export const deviceState = z.enum(['ready', 'waiting', 'conflict', 'failed', 'releasing', 'unmanaged']);

export const row = z.strictObject({
  uuid,
  host: hostId,
  parent: parentName,
  type: typeName,
  state: deviceState,
  reason: z.union([waitingReason, terminalReason]).nullable(),
  message: z.string().nullable(),
  generation: generation.nullable().describe('The declaration that the row speaks of; null when unmanaged'),
  attributes: z.array(attribute),
  set: z.string().nullable(),
});

export type DeviceState = z.infer<typeof deviceState>;
export type Row = z.infer<typeof row>;
