/**
 * The executor: carries out one step of a plan and says how it went.
 *
 * It makes no choices of its own. The order within a step is what keeps promises: the intent
 * is durable before the act, the act before its record. An intent that was decided on an
 * older state of the device is refused by the journal and decided again.
 */
import type { Fact } from '../events/fact.ts';
import type { Attribute, Generation } from '../events/names.ts';
import type { Device } from '../store/device.ts';
import type { AppendResult, Journal } from '../store/journal/journal.ts';
import type { Registry } from '../store/registry/registry.ts';
import { giveBack, markReleasing, take } from '../store/registry/reserve.ts';
import { appliedWith } from './attributes.ts';
import { describeWrite, ERRNO } from './errno.ts';
import type { Gate } from './gate.ts';
import type { Host, Place, WriteResult } from './host.ts';
import type { Memory } from './memory.ts';
import { AGAIN, conflict, holds, judge, type Outcome, waiting } from './outcome.ts';
import type { Step } from './step.ts';

/** What steps act on. */
export type Acting = {
  readonly journal: Journal;
  readonly registry: Registry;
  readonly host: Host;
  readonly gate: Gate;
  readonly memory: Memory;
  /** The incarnation under which this agent may write to the registry; null while it has none. */
  readonly incarnation: () => number | null;
};

/** Carries out one step for the device as it was planned on. */
export function execute(acting: Acting, device: Device, step: Step): Promise<Outcome> {
  switch (step.do) {
    case 'claim':
      return claim(acting, device, step);
    case 'create':
      return create(acting, device, step.place);
    case 'configure':
      return configure(acting, device, step);
    case 'activate':
      return activate(acting, device, step.generation);
    case 'record-drift':
      return drift(acting, device, step);
    case 'begin-release':
      return beginRelease(acting, device, step.cause);
    case 'remove':
      return remove(acting, device, step.place);
    case 'release':
      return release(acting, device);
    case 'forget':
      return record(acting, device, { kind: 'gone', v: 1, ...about(device) });
    default:
      return step satisfies never;
  }
}

type StepOf<D extends Step['do']> = Extract<Step, { do: D }>;

async function claim(acting: Acting, device: Device, step: StepOf<'claim'>): Promise<Outcome> {
  const incarnation = acting.incarnation();
  if (incarnation === null)
    return waiting('RegistryUnreachable', 'this agent has not reached the registry yet');
  if (device.reservation !== null) return reserve(acting, device, step, incarnation);
  const { generation, claim: wanted } = step;
  return record(acting, device, { kind: 'claiming', v: 1, uuid: device.uuid, generation, claim: wanted });
}

async function reserve(
  acting: Acting,
  device: Device,
  { claim: wanted, generation, replaces }: StepOf<'claim'>,
  incarnation: number,
): Promise<Outcome> {
  const { uuid } = device;
  const wish = { claim: wanted, generation, incarnation, replaces };
  const answer = await take(acting.registry, uuid, wish);
  switch (answer.kind) {
    case 'held':
      acting.memory.untried(uuid);
      return note(acting, { kind: 'reserved', v: 1, uuid, generation, revision: answer.revision });
    case 'taken':
      return conflict(answer.holder);
    case 'leaving':
      return waiting('HolderLeaving', `${holds(answer.holder)}, and is on its way out`);
    case 'fenced':
      return note(acting, { kind: 'fenced', v: 1, uuid, generation, message: holds(answer.holder) });
    case 'unknown':
      return waiting('RegistryUnreachable', 'the registry did not answer to the claim');
    default:
      return answer satisfies never;
  }
}

async function create(acting: Acting, device: Device, place: Place): Promise<Outcome> {
  const result = await write(acting, device, place, () => acting.host.create(device.uuid, place));
  if (result === 'changed') return AGAIN;
  if (result.kind === 'ok') {
    acting.memory.created(device.uuid);
    return AGAIN;
  }
  if (isOpen(result)) acting.memory.tried(device.uuid);
  return judge('create', result, place);
}

/** True when the write may have happened, or may still. */
function isOpen(result: WriteResult): boolean {
  return result.kind === 'stuck' || (result.kind === 'errno' && result.errno === ERRNO.helperEnded);
}

async function configure(
  acting: Acting,
  device: Device,
  { place, attributes }: StepOf<'configure'>,
): Promise<Outcome> {
  const { uuid, desired, reservation } = device;
  const { written, stopped } = await writeAll(acting, device, place, attributes);
  const isOwn = acting.memory.made(uuid) === 'created';
  if (stopped?.kind === 'terminal' && isOwn) return rollBack(acting, device, place, stopped);
  if (stopped !== undefined && written.length === 0) return stopped;
  const declared = desired?.kind === 'present' ? desired.attributes : [];
  const applied =
    stopped === undefined ? declared : appliedWith(reservation?.applied ?? [], written, declared);
  return note(acting, { kind: 'configured', v: 1, ...about(device), attributes: [...applied] });
}

/** Writes in order until one write fails. What was written by then is recorded, and the rest tried again. */
async function writeAll(
  acting: Acting,
  device: Device,
  place: Place,
  attributes: readonly Attribute[],
): Promise<{ readonly written: readonly Attribute[]; readonly stopped?: Outcome }> {
  const written: Attribute[] = [];
  for (const attribute of attributes) {
    const act = () => acting.host.setAttribute(device.uuid, place, attribute);
    const result = await write(acting, device, place, act);
    if (result === 'changed') return { written, stopped: AGAIN };
    if (result.kind !== 'ok') return { written, stopped: judge('attribute', result, place) };
    written.push(attribute);
  }
  return { written };
}

/** Removes a device that this agent has just made; the first error stays the one that is told. */
async function rollBack(
  acting: Acting,
  device: Device,
  place: Place,
  first: Extract<Outcome, { kind: 'terminal' }>,
): Promise<Outcome> {
  const result = await acting.gate.through(place.parent, () => acting.host.remove(device.uuid, place));
  if (result.kind === 'ok') return first;
  return {
    ...first,
    message: `${first.message}; taking the device back failed too: ${describeWrite('remove', result)}`,
  };
}

async function activate(acting: Acting, device: Device, generation: Generation): Promise<Outcome> {
  const made = acting.memory.made(device.uuid);
  const how = made === 'created' ? 'created' : made === 'untried' ? 'adopted' : 'unknown';
  acting.memory.seen(device.uuid);
  return note(acting, { kind: 'active', v: 1, uuid: device.uuid, generation, how });
}

async function drift(acting: Acting, device: Device, step: StepOf<'record-drift'>): Promise<Outcome> {
  const { generation, cause } = step;
  const fact = { kind: 'drift', v: 1, uuid: device.uuid, generation, cause } as const;
  const stopped = await intend(acting, device, fact);
  if (stopped === undefined) acting.memory.lost(device.uuid);
  return stopped ?? AGAIN;
}

/** The mark in the registry only tells others to wait; the way out does not depend on it. */
async function beginRelease(
  acting: Acting,
  device: Device,
  cause: StepOf<'begin-release'>['cause'],
): Promise<Outcome> {
  const { reservation, uuid } = device;
  const incarnation = acting.incarnation();
  const stopped = await intend(acting, device, { kind: 'releasing', v: 1, ...about(device), cause });
  if (stopped !== undefined || reservation === null || incarnation === null) return stopped ?? AGAIN;
  const { claim: ours, generation, revision } = reservation;
  if (revision !== null) {
    await markReleasing(acting.registry, uuid, { claim: ours, generation, incarnation }, revision);
  }
  return AGAIN;
}

async function remove(acting: Acting, device: Device, place: Place): Promise<Outcome> {
  const result = await write(acting, device, place, () => acting.host.remove(device.uuid, place));
  return result === 'changed' || result.kind === 'ok' ? AGAIN : judge('remove', result, place);
}

async function release(acting: Acting, device: Device): Promise<Outcome> {
  const { reservation, uuid } = device;
  if (reservation === null) return AGAIN;
  const incarnation = acting.incarnation();
  if (incarnation === null) return waiting('RegistryUnreachable', 'the UUID cannot be given back yet');
  const { claim: ours, revision } = reservation;
  const answer = await giveBack(acting.registry, uuid, { claim: ours, incarnation }, revision);
  if (answer.kind === 'unknown')
    return waiting('RegistryUnreachable', 'the registry did not answer to giving the UUID back');
  return record(acting, device, { kind: 'gone', v: 1, ...about(device) });
}

/** Writes below a parent when its turn comes, unless the device was decided upon anew while it waited. */
function write(
  acting: Acting,
  device: Device,
  place: Place,
  act: () => Promise<WriteResult>,
): Promise<WriteResult | 'changed'> {
  return acting.gate.through<WriteResult | 'changed'>(place.parent, async () => {
    const current = acting.journal.device(device.uuid).version === device.version;
    return current ? act() : 'changed';
  });
}

/** Records an intent, or what was decided: refused, and decided again, when the device was decided upon anew. */
async function record(acting: Acting, device: Device, fact: Fact): Promise<Outcome> {
  return (await intend(acting, device, fact)) ?? AGAIN;
}

/** Records an intent before its act. Undefined once it is durable; else how the step ends, without the act. */
async function intend(acting: Acting, device: Device, fact: Fact): Promise<Outcome | undefined> {
  const expected = { uuid: device.uuid, version: device.version };
  const result = await acting.journal.append({ facts: [fact], expected });
  return result.kind === 'durable' ? undefined : ofAppend(result);
}

/** Records what has happened: true whatever was decided meanwhile. */
async function note(acting: Acting, fact: Fact): Promise<Outcome> {
  return ofAppend(await acting.journal.append({ facts: [fact] }));
}

function ofAppend(result: AppendResult): Outcome {
  return result.kind === 'failed' ? { kind: 'requeue', why: 'the journal could not be written' } : AGAIN;
}

/** UUID and generation of a fact about a device that is desired or held. */
function about(device: Device): { uuid: string; generation: Generation } {
  const generation = device.desired?.generation ?? device.reservation?.generation;
  if (generation === undefined)
    throw new Error(`a step was planned for ${device.uuid}, of which nothing is known`);
  return { uuid: device.uuid, generation };
}
