/**
 * The steps on the fleet's registry: taking a UUID, and giving it back.
 *
 * Whether anything may be taken is asked right before a take and again after it: a take that raced with
 * the notice that the registry has lost writes is given back before anything is made of it.
 */

import type { Holder } from '../events/fact.ts';
import { messageOf } from '../events/message-of.ts';
import type { Uuid } from '../events/names.ts';
import type { Device } from '../store/device.ts';
import { RegistryUnavailable } from '../store/registry/registry.ts';
import { type Fenced, giveBack, markReleasing, take, type Wish } from '../store/registry/reserve.ts';
import { fencedMessage, holds, type Unknown } from '../store/registry/standing.ts';
import { type Acting, type Admission, about, intend, note, record } from './acting.ts';
import { AGAIN, conflict, type Outcome, quietly, waiting } from './outcome.ts';
import type { StepOf } from './step.ts';

/** Journals the claim, and when that is done asks the registry for the UUID. */
export async function claim(acting: Acting, device: Device, step: StepOf<'claim'>): Promise<Outcome> {
  const { generation, claim: wanted, replaces } = step;
  if (device.reservation === null) {
    if (acting.incarnation() === null) return notAdmitted(await acting.admission());
    return record(acting, device, { kind: 'claiming', v: 1, uuid: device.uuid, generation, claim: wanted });
  }
  const admission = await acting.admission();
  if (admission.kind !== 'admitted') return notAdmitted(admission);
  const { incarnation } = admission;
  const fence = device.fence?.revision ?? null;
  return reserve(acting, device, { claim: wanted, generation, replaces, incarnation, fence });
}

async function reserve(acting: Acting, device: Device, wish: Wish): Promise<Outcome> {
  const { uuid } = device;
  const answer = await take(acting.registry, uuid, wish);
  switch (answer.kind) {
    case 'held':
      return keep(acting, device, wish, answer.revision);
    case 'taken':
      return contested(acting, uuid, answer.holder);
    case 'leaving':
      return waiting('HolderLeaving', `${holds(answer.holder)}, and is on its way out`);
    case 'fenced':
      return fence(acting, device, answer);
    case 'unknown':
      return unanswered(answer, 'the registry did not answer to the claim');
    default:
      return answer satisfies never;
  }
}

/** A holder that was told to give the UUID up, and has not heard of it yet, is no rival but on its way out. */
async function contested(acting: Acting, uuid: Uuid, holder: Holder): Promise<Outcome> {
  const declared = await acting.declaredOn(holder.claim.host, uuid);
  switch (declared) {
    case 'standing':
      return conflict(holder);
    case 'withdrawn':
      return waiting('HolderLeaving', `${holds(holder)}, and was told to give it up`);
    case 'unreachable':
      return waiting(
        'RegistryUnreachable',
        `${holds(holder)}; whether it was withdrawn there could not be asked`,
      );
    default:
      return declared satisfies never;
  }
}

async function keep(acting: Acting, device: Device, wish: Wish, revision: number): Promise<Outcome> {
  const { uuid } = device;
  const admission = await acting.admission();
  if (admission.kind === 'rebuilding') await giveBack(acting.registry, uuid, wish, revision);
  if (admission.kind !== 'admitted') return notAdmitted(admission);
  acting.memory.untried(uuid);
  return note(acting, { kind: 'reserved', v: 1, uuid, generation: wish.generation, revision });
}

/**
 * How a step ends that would take a device away on the word of a journal of which it is not known yet whether it is
 * an older copy that was put back: what was withdrawn in it may be declared since. Undefined once that is known.
 */
export async function tooEarly(acting: Acting): Promise<Outcome | undefined> {
  return acting.hasReached() ? undefined : notAdmitted(await acting.admission());
}

/** The mark in the registry only tells others to wait; the way out does not depend on it. */
export async function beginRelease(
  acting: Acting,
  device: Device,
  cause: StepOf<'begin-release'>['cause'],
): Promise<Outcome> {
  const { reservation, uuid } = device;
  const early = await tooEarly(acting);
  if (early !== undefined) return early;
  const incarnation = acting.incarnation();
  const stopped = await intend(acting, device, { kind: 'releasing', v: 1, ...about(device), cause });
  if (stopped !== undefined || reservation === null || incarnation === null) return stopped ?? AGAIN;
  const { claim: ours, generation, revision } = reservation;
  if (revision !== null) {
    await markReleasing(acting.registry, uuid, { claim: ours, generation, incarnation }, revision);
  }
  return AGAIN;
}

/** Gives the UUID back whose device was observed gone. */
export async function release(acting: Acting, device: Device): Promise<Outcome> {
  const { reservation, uuid } = device;
  if (reservation === null) return AGAIN;
  const incarnation = acting.incarnation();
  if (incarnation === null) return notAdmitted(await acting.admission());
  const { claim: ours, revision } = reservation;
  const answer = await giveBack(acting.registry, uuid, { claim: ours, incarnation }, revision);
  switch (answer.kind) {
    case 'fenced':
      return fence(acting, device, answer);
    case 'given':
    case 'not-ours':
      return record(acting, device, { kind: 'gone', v: 1, ...about(device) });
    case 'unknown':
      return unanswered(answer, 'the registry did not answer to giving the UUID back');
    default:
      return answer satisfies never;
  }
}

function fence(acting: Acting, device: Device, { holder, revision }: Fenced): Promise<Outcome> {
  const message = fencedMessage(holder);
  return note(acting, { kind: 'fenced', v: 1, ...about(device), message, revision });
}

/** Who writes at the same time is done soon; a registry that cannot be reached may stay away. */
function unanswered({ cause }: Unknown, seen: string): Outcome {
  if (cause instanceof RegistryUnavailable) return waiting('RegistryUnreachable', seen);
  return quietly({ kind: 'requeue', why: messageOf(cause) });
}

function notAdmitted(admission: Admission): Outcome {
  switch (admission.kind) {
    case 'admitted':
      return AGAIN;
    case 'joining':
      return quietly(waiting('RegistryUnreachable', 'this agent is about to reach the registry'));
    case 'unreachable':
      return waiting('RegistryUnreachable', admission.message);
    case 'rebuilding':
      return waiting('RegistryRebuilding', admission.message);
    default:
      return admission satisfies never;
  }
}
