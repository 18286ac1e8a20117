/**
 * Declarations: the desired-state events that operators publish.
 *
 * On the wire a declaration is a CloudEvent 1.0 in JSON, structured mode, so that
 * any NATS client can publish one. Inside, it is one of two plain shapes. The
 * schemas here are the only description of the wire; JSON Schema is generated from them.
 */
import { z } from 'zod';
import { claim, declaredAttribute, hostId, parentName, typeName, uuid } from './names.ts';

/** Most attributes in one declaration. */
export const ATTRIBUTES_MAX = 256;
/** Most labels in one declaration. */
export const LABELS_MAX = 64;
/** Most characters in a label's key or value, a set's name, an event's id or source. */
export const TEXT_CHARS_MAX = 256;

const text = z.string().min(1).max(TEXT_CHARS_MAX);

export const labels = z
  .record(text, z.string().max(TEXT_CHARS_MAX))
  .refine((one) => Object.keys(one).length <= LABELS_MAX, `at most ${LABELS_MAX} labels`)
  .meta({ maxProperties: LABELS_MAX });

export const presentData = z.strictObject({
  uuid,
  host: hostId,
  parent: parentName,
  type: typeName,
  attributes: z.array(declaredAttribute).max(ATTRIBUTES_MAX).optional(),
  set: text.optional().describe('Name of the DeviceSet that declared it'),
  labels: labels.optional(),
  replaces: claim.optional().describe('The claim that this one takes the place of'),
});

export const absentData = z.strictObject({ uuid, host: hostId });

/** Attributes of a CloudEvent that every event of ours has; extension attributes are let through. */
export const cloudEvent = z.looseObject({
  specversion: z.literal('1.0'),
  id: text,
  source: text,
  type: text,
  time: z.iso.datetime({ offset: true }),
  subject: z.string(),
  datacontenttype: z.literal('application/json').optional(),
  data: z.unknown(),
});

export const PRESENT_TYPE = 'io.mdevfleet.device.present.v1';
export const ABSENT_TYPE = 'io.mdevfleet.device.absent.v1';

export const presentEvent = cloudEvent.extend({ type: z.literal(PRESENT_TYPE), data: presentData });
export const absentEvent = cloudEvent.extend({ type: z.literal(ABSENT_TYPE), data: absentData });

/** Who sent an event, and when, as the event itself says; who its signature proves it to be, if it bears one. */
export const eventMeta = z.strictObject({
  id: z.string(),
  source: z.string(),
  time: z.string(),
  signer: z
    .string()
    .optional()
    .describe('NKey of the user whose signature the event bears; without it, the source is only claimed'),
});

export type CloudEvent = z.infer<typeof cloudEvent>;
export type Labels = z.infer<typeof labels>;
export type PresentData = z.infer<typeof presentData>;
export type AbsentData = z.infer<typeof absentData>;
export type EventMeta = z.infer<typeof eventMeta>;

/** A declaration as the rest of the program sees it. */
export type Declaration =
  | { readonly desired: 'present'; readonly event: EventMeta; readonly data: PresentData }
  | { readonly desired: 'absent'; readonly event: EventMeta; readonly data: AbsentData };
