/**
 * Writes around which a host's hooks are asked and told.
 *
 * They are asked before the write waits for its turn below the parent, so that one who takes long holds up his own
 * device only. What was seen before he was asked may not be so any more: the write is made only if the same
 * is planned again. While they are told, the device goes on: a pass that waited for them would take what somebody else
 * puts in its place meanwhile for what it has made.
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
  const { hooks, memory } = acting;
  if (hooks === undefined) return act();
  const change = changeOf(device, step);
  await memory.told(device.uuid);
  const answer = await hooks.before(change);
  if (answer.kind === 'refused') return { kind: 'kept', message: answer.message };
  const result = (await isStillPlanned(acting, device, step)) ? await act() : 'changed';
  const state = result !== 'changed' && result.kind === 'ok' ? 'success' : 'failure';
  memory.tell(device.uuid, () => hooks.after(change, answer, state));
  return result;
}

/** A device that was just made was taken back without asking: that is told, too. */
export function tellTakenBack(
  { hooks, memory }: Acting,
  device: Device,
  place: Place,
  result: WriteResult,
): void {
  if (hooks === undefined) return;
  const change = changeOf(device, { do: 'remove', place });
  const state = result.kind === 'ok' ? 'success' : 'failure';
  memory.tell(device.uuid, () => hooks.after(change, { kind: 'allowed', by: null }, state));
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
