/**
 * Commands: acts of an operator that are not declarations.
 *
 * They travel on a stream of their own, so that a command never shadows what is
 * declared, and are audited like everything else. An agent keeps a command that it
 * does not know as `unsupported`.
 */
import { z } from 'zod';
import { cloudEvent, type EventMeta } from './declaration.ts';
import { hostId, uuid } from './names.ts';

export const RETRY_TYPE = 'io.mdevfleet.command.retry.v1';

export const retryData = z.strictObject({ host: hostId, uuid });

/** Re-arms a device whose generation ended in a conflict or a failure. */
export const retryEvent = cloudEvent.extend({ type: z.literal(RETRY_TYPE), data: retryData });

export type RetryData = z.infer<typeof retryData>;

/** A command as the rest of the program sees it. */
export type Command = { readonly command: 'retry'; readonly event: EventMeta; readonly data: RetryData };
