/**
 * Writes around which a host's hooks are asked and told.
 *
 * They are asked before the write waits for its turn below the parent, so that one who takes long holds up his own
 * device only. What was seen before he was asked may not be so any more: the write is made only if the same
 * is planned again.
 */
import { samePlace } from '../events/names.ts';
import type { Device } from '../store/device.ts';
import type { Acting } from './acting.ts';
import type { HookedChange } from './hooks.ts';
import type { Place, WriteResult } from './host.ts';
import { plannedNow } from './planned.ts';
import type { StepOf } from './step.ts';

export type HookedStep = StepOf<'create' | 'remove'>;

/** `kept`: nothing was written, since somebody who was asked refused. */
export type HookedResult = WriteResult | 'changed' | { readonly kind: 'kept'; readonly message: string };

/** Does what the step says, if nobody refuses; `act` writes. */
export async function hooked(
  acting: Acting,
  device: Device,
  step: HookedStep,
  act: () => Promise<WriteResult | 'changed'>,
): Promise<HookedResult> {
  const { hooks } = acting;
  if (hooks === undefined) return act();
  const change = changeOf(device, step);
  const answer = await hooks.before(change);
  if (answer.kind === 'refused') return { kind: 'kept', message: answer.message };
  const result = (await isStillPlanned(acting, device, step)) ? await act() : 'changed';
  await hooks.after(change, answer, result !== 'changed' && result.kind === 'ok' ? 'success' : 'failure');
  return result;
}

/** A device that was just made was taken back without asking: that is told, too. */
export async function tellTakenBack(
  { hooks }: Acting,
  device: Device,
  place: Place,
  result: WriteResult,
): Promise<void> {
  const change = changeOf(device, { do: 'remove', place });
  await hooks?.after(change, { kind: 'allowed', by: null }, result.kind === 'ok' ? 'success' : 'failure');
}

async function isStillPlanned(acting: Acting, { uuid, version }: Device, step: HookedStep): Promise<boolean> {
  const { device, next } = await plannedNow(acting, uuid);
  if (device.version !== version || next.kind !== 'step') return false;
  return next.step.do === step.do && samePlace(next.step.place, step.place);
}

function changeOf({ uuid, desired }: Device, { do: what, place }: HookedStep): HookedChange {
  const isStart = what === 'create';
  const attributes = isStart && desired?.kind === 'present' ? desired.attributes : [];
  return { action: isStart ? 'start' : 'stop', uuid, place, attributes };
}
