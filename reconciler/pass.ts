/**
 * A pass: one turn of the loop for one UUID.
 *
 * Everything is read afresh before each step. A pass ends when there is nothing (more) to do
 * now, and says when to look again. Only transitions are recorded: a device that waits for a
 * year adds nothing to the journal.
 */
import type { Fact } from '../events/fact.ts';
import type { Wake } from '../events/guidance.ts';
import { type Generation, sameGeneration, type Uuid } from '../events/names.ts';
import type { WaitingReason } from '../events/reasons.ts';
import type { Device } from '../store/device.ts';
import type { Acting } from './acting.ts';
import { execute } from './execute.ts';
import type { ReconcilerLimits } from './limits.ts';
import type { Outcome } from './outcome.ts';
import { plannedNow } from './planned.ts';
import type { Plan } from './step.ts';

/** How a pass ended, and so when the next one is due. */
export type PassEnd =
  | { readonly kind: 'settled' }
  | { readonly kind: 'terminal' }
  | { readonly kind: 'waiting'; readonly reason: WaitingReason; readonly wake: Wake }
  | { readonly kind: 'requeue'; readonly why: string };

/** How often this UUID was tried since it last settled, from 0, and what may be recorded of it now. */
export type Attempt = { readonly count: number; readonly mayRecordWaiting: boolean };

type Verdict = Exclude<Plan, { kind: 'step' }> | Exclude<Outcome, { kind: 'again' }>;

/** Reasons that usually pass at once; they are recorded only when they do not. */
const TRANSIENT: ReadonlySet<WaitingReason> = new Set([
  'CreateInProgress',
  'RemovalInProgress',
  'HolderLeaving',
  'KernelBusy',
]);

/** Runs one pass; never throws for anything that the kernel, the registry or the journal answers. */
export async function runPass(
  acting: Acting,
  limits: ReconcilerLimits,
  uuid: Uuid,
  attempt: Attempt,
): Promise<PassEnd & { readonly steps: number }> {
  for (let steps = 0; steps < limits.stepsPerPassMax; steps += 1) {
    const { verdict, planned } = await turn(acting, uuid);
    if (verdict === 'again') continue;
    return { ...(await conclude(acting, limits, planned, attempt, verdict)), steps };
  }
  return { kind: 'requeue', why: 'more steps than one pass may have', steps: limits.stepsPerPassMax };
}

/** Plans once and carries out the step, if there is one; `planned` is what was planned on. */
async function turn(acting: Acting, uuid: Uuid): Promise<{ verdict: Verdict | 'again'; planned: Device }> {
  const { device: planned, next } = await plannedNow(acting, uuid);
  if (next.kind !== 'step') return { verdict: next, planned };
  const outcome = await execute(acting, planned, next.step);
  return { verdict: outcome.kind === 'again' ? 'again' : outcome, planned };
}

/** Records a verdict, if it is news. It speaks of the device as it was planned on, and is void for any other. */
async function conclude(
  acting: Acting,
  limits: ReconcilerLimits,
  planned: Device,
  attempt: Attempt,
  verdict: Verdict,
): Promise<PassEnd> {
  const { uuid, version } = planned;
  if (acting.journal.latest(uuid).version !== version) return { kind: 'requeue', why: 'decided upon anew' };
  if (verdict.kind === 'settled' && planned.reservation !== null) acting.memory.seen(uuid);
  const fact = transition(planned, verdict, attempt, limits);
  if (fact === undefined) return endOf(verdict);
  const result = await acting.journal.append({ facts: [fact], expected: { uuid, version } });
  if (result.kind === 'durable') return endOf(verdict);
  const why = result.kind === 'stale' ? 'decided upon anew' : 'the journal could not be written';
  return { kind: 'requeue', why };
}

function endOf(verdict: Verdict): PassEnd {
  switch (verdict.kind) {
    case 'waiting':
      return { kind: 'waiting', reason: verdict.reason, wake: verdict.wake };
    case 'requeue':
      return { kind: 'requeue', why: verdict.why };
    default:
      return { kind: verdict.kind };
  }
}

/** The fact that a verdict adds to what is recorded, if it is news. */
function transition(
  device: Device,
  verdict: Verdict,
  attempt: Attempt,
  limits: ReconcilerLimits,
): Fact | undefined {
  const generation = device.desired?.generation ?? device.reservation?.generation;
  if (generation === undefined || 'quiet' in verdict) return undefined;
  const about = { v: 1, uuid: device.uuid, generation } as const;
  switch (verdict.kind) {
    case 'settled':
      return device.waiting === null ? undefined : { kind: 'settled', ...about };
    case 'terminal':
      return ending(device, verdict, generation);
    case 'waiting':
      return waitingFact(device, verdict, attempt, limits, generation);
    case 'requeue':
      return persistent(device, verdict.why, attempt, limits, generation);
    default:
      return verdict satisfies never;
  }
}

function ending(
  device: Device,
  verdict: Extract<Verdict, { kind: 'terminal' }>,
  generation: Generation,
): Fact | undefined {
  const { terminal, desired, uuid } = device;
  if (terminal !== null && sameGeneration(terminal.generation, generation)) return undefined;
  if (desired?.kind !== 'present') return undefined;
  const { reason, message, holder } = verdict;
  const about = { v: 1, uuid, generation, reason, message } as const;
  const errno = 'errno' in verdict ? verdict.errno : null;
  return verdict.end === 'conflict'
    ? { kind: 'conflict', ...about, claim: desired.claim, holder }
    : { kind: 'failed', ...about, errno };
}

function waitingFact(
  device: Device,
  verdict: Extract<Verdict, { kind: 'waiting' }>,
  attempt: Attempt,
  limits: ReconcilerLimits,
  generation: Generation,
): Fact | undefined {
  const { reason, message } = verdict;
  const early = TRANSIENT.has(reason) && attempt.count < limits.transientAttemptsMin;
  if (early || !attempt.mayRecordWaiting || device.waiting?.reason === reason) return undefined;
  const errno = 'errno' in verdict ? verdict.errno : null;
  return { kind: 'waiting', v: 1, uuid: device.uuid, generation, reason, message, errno };
}

/** What is requeued again and again is shown as a reason to wait. */
function persistent(
  device: Device,
  why: string,
  attempt: Attempt,
  limits: ReconcilerLimits,
  generation: Generation,
): Fact | undefined {
  const verdict = { kind: 'waiting', reason: 'KernelBusy', message: why, wake: 'timer' } as const;
  return waitingFact(device, verdict, attempt, limits, generation);
}
