/**
 * What every step of the executor acts on, and how it writes and records.
 *
 * An intent that was decided on an older state of the device is refused by the journal; a write
 * that waited for its turn is not made if the device was decided upon anew meanwhile.
 */
import type { Fact } from '../events/fact.ts';
import type { Generation, HostId, Uuid } from '../events/names.ts';
import type { DeclaredOn } from '../store/declared-on.ts';
import type { Device } from '../store/device.ts';
import type { AppendResult, Journal } from '../store/journal/journal.ts';
import type { Registry } from '../store/registry/registry.ts';
import type { Gate } from './gate.ts';
import type { Hooks } from './hooks.ts';
import type { Host, Place, WriteResult } from './host.ts';
import type { Memory } from './memory.ts';
import { AGAIN, type Outcome } from './outcome.ts';

/** What steps act on. */
export type Acting = {
  readonly journal: Journal;
  readonly registry: Registry;
  readonly host: Host;
  readonly gate: Gate;
  readonly memory: Memory;
  /** Who is asked before a device is made or removed; nobody if missing. */
  readonly hooks?: Hooks;
  /** The incarnation under which this agent may write to the registry; null while it has none. */
  readonly incarnation: () => number | null;
  /** True once the fleet was reached since the agent started: its journal is not an older copy that was put back. */
  readonly hasReached: () => boolean;
  /** True when the journal was begun from what the fleet has of it: it may lack that a UUID was given back. */
  readonly isMadeAgain: () => boolean;
  /** Asks whether a UUID may be taken now; the answer is not older than the question. */
  readonly admission: () => Promise<Admission>;
  /** What stands declared of the UUID on another host. */
  readonly declaredOn: (host: HostId, uuid: Uuid) => Promise<DeclaredOn>;
  /** Who else may have the UUID, while that is not known for certain: nothing is changed then. Null for nobody. */
  readonly dispute: (uuid: Uuid) => string | null;
};

/**
 * Whether this agent may take UUIDs, and under which incarnation. `joining`: not yet, but soon, and nobody
 * needs to be told. `rebuilding`: the registry has lost writes, and nobody takes anything.
 */
export type Admission =
  | { readonly kind: 'admitted'; readonly incarnation: number }
  | { readonly kind: 'joining' }
  | { readonly kind: 'unreachable' | 'rebuilding'; readonly message: string };

/** Writes below a parent when its turn comes, unless the device was decided upon anew while it waited. */
export function write(
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
export async function record(acting: Acting, device: Device, fact: Fact): Promise<Outcome> {
  return (await intend(acting, device, fact)) ?? AGAIN;
}

/** Records an intent before its act. Undefined once it is durable; else how the step ends, without the act. */
export async function intend(acting: Acting, device: Device, fact: Fact): Promise<Outcome | undefined> {
  const expected = { uuid: device.uuid, version: device.version };
  const result = await acting.journal.append({ facts: [fact], expected });
  return result.kind === 'durable' ? undefined : ofAppend(result);
}

/** Records what has happened: true whatever was decided meanwhile. */
export async function note(acting: Acting, fact: Fact): Promise<Outcome> {
  return ofAppend(await acting.journal.append({ facts: [fact] }));
}

function ofAppend(result: AppendResult): Outcome {
  return result.kind === 'failed' ? { kind: 'requeue', why: 'the journal could not be written' } : AGAIN;
}

/** UUID and generation of a fact about a device that is desired or held. */
export function about(device: Device): { uuid: string; generation: Generation } {
  const generation = device.desired?.generation ?? device.reservation?.generation;
  if (generation === undefined)
    throw new Error(`a step was planned for ${device.uuid}, of which nothing is known`);
  return { uuid: device.uuid, generation };
}
