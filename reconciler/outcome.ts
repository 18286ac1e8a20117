/**
 * How a step went, and what a write that failed means for its device.
 */
import type { Holder } from '../events/fact.ts';
import { TERMINAL, WAITING, withHint } from '../events/guidance.ts';
import type { WaitingReason } from '../events/reasons.ts';
import { holds } from '../store/registry/standing.ts';
import { consequence, describeWrite, ERRNO, meaningOf, type Operation } from './errno.ts';
import type { WriteResult } from './host.ts';
import type { Plan } from './step.ts';

/** How a step went. */
export type Outcome =
  /** Done; look again. */
  | { readonly kind: 'again' }
  /** It will pass: try again with backoff. */
  | ({ readonly kind: 'requeue'; readonly why: string } & Quiet)
  | (Extract<Plan, { kind: 'waiting' | 'terminal' }> & { readonly errno: number | null } & Quiet);

/** What is quiet is no news for anybody, however often it happens. */
type Quiet = { readonly quiet?: true };

export const AGAIN: Outcome = { kind: 'again' };

/** What a failed write means for the device. */
export function judge(operation: Operation, result: Exclude<WriteResult, { kind: 'ok' }>): Outcome {
  const message = describeWrite(operation, result);
  if (result.kind === 'no-attribute') return refused(message, ERRNO.absent);
  if (result.kind === 'in-use') return wait('InUse', message, null);
  if (result.kind === 'stuck') return wait('WriteStuck', message, null);
  const { errno, call } = result;
  const meaning = meaningOf(operation, errno, call);
  if (meaning === 'requeue' || meaning === 'look-again') return { kind: 'requeue', why: message };
  const { kind, reason } = consequence(operation, meaning);
  if (kind === 'terminal') return { kind, end: 'failed', reason, message, holder: null, errno };
  return wait(reason, message, errno);
}

/** The device stands, and does not take an attribute. */
export function refused(message: string, errno: number): Outcome {
  const reason = 'AttributeRefused';
  return { kind: 'terminal', end: 'failed', reason, message, holder: null, errno };
}

function wait(reason: WaitingReason, message: string, errno: number | null): Outcome {
  return { kind: 'waiting', reason, message, wake: WAITING[reason].wake, errno };
}

/** A reason to wait: what was seen just now, to which the way out is added. */
export function waiting(reason: WaitingReason, seen: string): Outcome {
  return wait(reason, withHint(seen, WAITING[reason]), null);
}

/** The same outcome, of which nothing is recorded. */
export function quietly<O extends Outcome>(outcome: O): O {
  return { ...outcome, quiet: true };
}

/** Another claim holds the UUID. */
export function conflict(holder: Holder): Outcome {
  const message = withHint(holds(holder), TERMINAL.UuidHeld);
  return { kind: 'terminal', end: 'conflict', reason: 'UuidHeld', message, holder, errno: null };
}
