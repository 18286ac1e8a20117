/**
 * The executor: carries out one step of a plan and says how it went.
 *
 * It makes no choices of its own. The order within a step is what keeps promises: the intent
 * is durable before the act, the act before its record. An intent that was decided on an
 * older state of the device is refused by the journal and decided again.
 */
import type { Uuid } from '../events/names.ts';
import type { Device } from '../store/device.ts';
import { type Acting, about, intend, note, record, write } from './acting.ts';
import { noInstance } from './capacity.ts';
import { configure, recordChange, unwatch } from './configure.ts';
import { ERRNO } from './errno.ts';
import { beginRelease, claim, release, tooEarly } from './holding.ts';
import { hooked } from './hooked.ts';
import type { Place, WriteResult } from './host.ts';
import { AGAIN, judge, type Outcome, waiting } from './outcome.ts';
import type { Step, StepOf } from './step.ts';

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
      return activate(acting, device, step);
    case 'record-drift':
      return drift(acting, device, step);
    case 'record-change':
      return recordChange(acting, device, step);
    case 'unwatch':
      return unwatch(acting, device, step.attributes);
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

async function create(acting: Acting, device: Device, place: Place): Promise<Outcome> {
  const early = acting.isMadeAgain() ? await tooEarly(acting) : undefined;
  if (early !== undefined) return early;
  const result = await hooked(acting, device, { do: 'create', place }, () =>
    write(acting, device, place, () => acting.host.create(device.uuid, place)),
  );
  if (result === 'changed') return AGAIN;
  if (result.kind === 'kept') return waiting('HookRefused', result.message);
  if (result.kind === 'ok') {
    acting.memory.created(device.uuid);
    return AGAIN;
  }
  if (isOpen(result)) acting.memory.tried(device.uuid);
  const outcome = judge('create', result);
  return isFull(outcome) ? sayWhoTakes(acting, device.uuid, place, outcome) : outcome;
}

type Waiting = Extract<Outcome, { kind: 'waiting' }>;

function isFull(outcome: Outcome): outcome is Waiting {
  return outcome.kind === 'waiting' && outcome.reason === 'NoCapacity';
}

/** The hint had promised an instance, so what takes the room was not looked at before. */
async function sayWhoTakes(acting: Acting, uuid: Uuid, place: Place, outcome: Waiting): Promise<Outcome> {
  const seen = await acting.host.observe(uuid, { place, use: false, taken: true });
  const room = seen.kind === 'absent' ? seen.room : null;
  const none = noInstance(place, room?.kind === 'available' ? room.taken : null);
  return { ...outcome, message: `${none}; ${outcome.message}` };
}

/** True when the write may have happened, or may still. */
function isOpen(result: WriteResult): boolean {
  if (result.kind !== 'errno') return result.kind === 'stuck';
  return result.errno === ERRNO.helperEnded || result.errno === ERRNO.interrupted;
}

async function activate(acting: Acting, device: Device, step: StepOf<'activate'>): Promise<Outcome> {
  const { generation, identity } = step;
  const made = acting.memory.made(device.uuid);
  const how = made === 'created' ? 'created' : made === 'untried' ? 'adopted' : 'unknown';
  acting.memory.seen(device.uuid);
  const which = identity === null ? {} : { identity };
  return note(acting, { kind: 'active', v: 1, uuid: device.uuid, generation, how, ...which });
}

async function drift(acting: Acting, device: Device, step: StepOf<'record-drift'>): Promise<Outcome> {
  const { generation, cause } = step;
  const fact = { kind: 'drift', v: 1, uuid: device.uuid, generation, cause } as const;
  const stopped = await intend(acting, device, fact);
  if (stopped === undefined) acting.memory.lost(device.uuid);
  return stopped ?? AGAIN;
}

async function remove(acting: Acting, device: Device, place: Place): Promise<Outcome> {
  const early = await tooEarly(acting);
  if (early !== undefined) return early;
  const result = await hooked(acting, device, { do: 'remove', place }, () =>
    write(acting, device, place, () => acting.host.remove(device.uuid, place)),
  );
  if (result !== 'changed' && result.kind === 'kept') return waiting('HookRefused', result.message);
  return result === 'changed' || result.kind === 'ok' ? AGAIN : judge('remove', result);
}
