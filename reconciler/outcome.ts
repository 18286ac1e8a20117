/**
 * How a step went, and what a write that failed means for its device.
 */
import type { Holder } from '../events/fact.ts';
import type { WaitingReason } from '../events/reasons.ts';
import { describeWrite, meaningOf, type Operation } from './errno.ts';
import type { Place, WriteResult } from './host.ts';
import type { Plan, Wake } from './step.ts';

/** How a step went. */
export type Outcome =
  /** Done; look again. */
  | { readonly kind: 'again' }
  /** It will pass: try again with backoff. */
  | { readonly kind: 'requeue'; readonly why: string }
  | (Extract<Plan, { kind: 'waiting' | 'terminal' }> & { readonly errno: number | null });

export const AGAIN: Outcome = { kind: 'again' };

/** What a failed write means for the device. */
export function judge(
  operation: Operation,
  result: Exclude<WriteResult, { kind: 'ok' }>,
  place: Place,
): Outcome {
  const message = describeWrite(operation, result);
  if (result.kind === 'in-use') return waiting('InUse', message, 'timer');
  if (result.kind === 'stuck') return waiting('WriteStuck', message, 'timer');
  const { errno } = result;
  const meaning = meaningOf(operation, errno);
  switch (meaning) {
    case 'requeue':
    case 'look-again':
      return { kind: 'requeue', why: message };
    case 'no-capacity': {
      const where = `no instance of ${place.type} on ${place.parent}`;
      return waiting('NoCapacity', `${where}: ${message}`, 'timer', errno);
    }
    case 'in-use':
      return waiting('InUse', message, 'timer', errno);
    case 'not-permitted':
      return waiting('NotPermitted', message, 'timer', errno);
    case 'invalid':
    case 'other':
      return refusal(operation, meaning, message, errno);
    default:
      return meaning satisfies never;
  }
}

/** A declaration can be refused; a removal that fails only leaves the UUID held, and is tried again. */
function refusal(
  operation: Operation,
  meaning: 'invalid' | 'other',
  message: string,
  errno: number,
): Outcome {
  const failed = { kind: 'terminal', end: 'failed', message, holder: null, errno } as const;
  if (operation === 'attribute') return { ...failed, reason: 'AttributeRefused' };
  if (operation === 'create' && meaning === 'invalid') return { ...failed, reason: 'InvalidArgument' };
  return waiting('KernelError', message, 'timer', errno);
}

/** A reason to wait. */
export function waiting(
  reason: WaitingReason,
  message: string,
  wake: Wake,
  errno: number | null = null,
): Outcome {
  return { kind: 'waiting', reason, message, wake, errno };
}

/** The registry cannot be asked, or gave no answer. */
export function unreachable(message: string): Outcome {
  return waiting('RegistryUnreachable', message, 'registry');
}

/** Another claim holds the UUID. */
export function conflict(holder: Holder): Outcome {
  const cure = 'delete one of the two declarations; `mdevfleet retry` asks again for this one';
  const message = `${holds(holder)}; ${cure}`;
  return { kind: 'terminal', end: 'conflict', reason: 'UuidHeld', message, holder, errno: null };
}

/** Who holds the UUID, for people. */
export function holds({ claim: theirs, since }: Holder): string {
  return `held by host ${theirs.host} (${theirs.type} on ${theirs.parent}) since ${since}`;
}
