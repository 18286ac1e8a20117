/**
 * What a paused host does: it looks, and records what it sees, and changes nothing.
 *
 * A pause does not cut off a write that is under way. What was decided before it is carried
 * out after `resume`, if it is still wanted then.
 */
import type { EventMeta } from '../events/declaration.ts';
import { WAITING, withHint } from '../events/guidance.ts';
import type { Plan, Step } from './step.ts';

/** Steps that only record what was observed. */
const RECORDING: ReadonlySet<Step['do']> = new Set(['activate', 'record-drift']);

/** The plan as a host follows it that may have lost the UUID to somebody, who is described, or has not. */
export function underDispute(plan: Plan, dispute: string | null): Plan {
  if (dispute === null || plan.kind !== 'step' || RECORDING.has(plan.step.do)) return plan;
  const { wake } = WAITING.RegistryRebuilding;
  const message = withHint(dispute, WAITING.RegistryRebuilding);
  return { kind: 'waiting', reason: 'RegistryRebuilding', message, wake };
}

/** The plan as a host follows it that was paused by that event, or was not. */
export function underPause(plan: Plan, paused: EventMeta | null): Plan {
  if (paused === null || plan.kind !== 'step' || RECORDING.has(plan.step.do)) return plan;
  const seen = `the host was paused by ${paused.source} at ${paused.time}, before: ${plan.step.do}`;
  const { wake } = WAITING.Paused;
  return { kind: 'waiting', reason: 'Paused', message: withHint(seen, WAITING.Paused), wake };
}
