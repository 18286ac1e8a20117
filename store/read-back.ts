/**
 * Holds read back: what the journal says is held, against what the fleet's registry says.
 *
 * A hold that was taken by force, or that somebody else has by now, is recorded as fenced. One that the
 * registry has lost is told of first, so that nobody takes anything meanwhile, and then written again. The
 * registry is not written for anything else. What was decided upon anew while it was asked is asked again.
 *
 * A registry that lost writes may also have lost that a UUID was given back: then it holds more than the journal.
 */

import type { Fact, FactOf, Holder } from '../events/fact.ts';
import { type Generation, type HostId, sameClaim, type Uuid } from '../events/names.ts';
import type { Device, Reservation } from './device.ts';
import type { Journal } from './journal/journal.ts';
import { inLanes } from './lanes.ts';
import type { Registry } from './registry/registry.ts';
import { reassert } from './registry/reserve.ts';
import {
  type Checked,
  checkHold,
  fencedMessage,
  HoldUnreadable,
  holds,
  readHold,
  reading,
} from './registry/standing.ts';

/** Holds that one host asks for at a time. */
const IN_FLIGHT_MAX = 8;
/** Times that a hold is asked for when it is decided upon anew each time. */
const LOOKS_MAX = 4;

export type ReadBackOptions = {
  readonly journal: Journal;
  readonly registry: Registry;
  readonly incarnation: number;
  /** True for a journal that was made again from what the fleet has of it, and may lack that a UUID was reserved. */
  readonly isMadeAgain: boolean;
  /** Resolves when what is read from then on is not older than the call: a loss is believed only then. */
  readonly agreed: () => Promise<void>;
  /** The registry has lost an acknowledged write; resolves when the fleet knows of it. */
  readonly onLost: (what: string) => Promise<void>;
  /** True while the registry is rebuilding: a later revision proves nothing then, since numbers are given again. */
  readonly isRebuilding: () => boolean;
  /** True when that host has confirmed its own holds since the loss was noticed. */
  readonly isConfirmed: (host: HostId) => Promise<boolean>;
  /** The hold was lost, and it is not known yet whether the holder who stands there got the UUID since. */
  readonly onDisputed: (uuid: Uuid, holder: Holder) => void;
  /** Something durable was recorded about the UUID. */
  readonly onRecorded: (uuid: Uuid) => void;
};

/** The journal could not record what was found; nothing is lost, the same is found again. */
class ReadBackFailed extends Error {
  override readonly name = 'ReadBackFailed';
}

/**
 * Asks for every hold, or for those of these UUIDs. Throws what a registry throws that cannot be reached, or ReadBackFailed; holds
 * that were asked for by then need not be asked for again, but may be.
 */
export async function readBack(options: ReadBackOptions, only?: readonly Uuid[]): Promise<void> {
  const uuids = only ?? [...options.journal.devices()].filter(isHeld).map(({ uuid }) => uuid);
  await inLanes(uuids, IN_FLIGHT_MAX, (uuid) => check(options, uuid));
}

/**
 * Takes back into the journal what the registry holds in this host's name though the journal has given it back, or
 * was made again without it. From there it is used, or given back once its device was observed gone, like any
 * other. While this runs, nothing may be claimed. Throws like `readBack`.
 */
export async function takeBack(options: ReadBackOptions): Promise<void> {
  const free = [...options.journal.devices()].filter((device) => isUnheld(options, device));
  await inLanes(free, IN_FLIGHT_MAX, ({ uuid }) => takeBackOne(options, uuid));
}

/**
 * Nothing was ever made under a claim of which the answer is not known; but in a journal that was made again the
 * answer may be missing, and all that was done since.
 */
function isUnheld({ isMadeAgain }: ReadBackOptions, { reservation }: Device): boolean {
  return reservation === null || (isMadeAgain && reservation.phase === 'claiming');
}

/** What a journal lacks that was made again is no loss of the registry, and nobody needs to stop for it. */
async function takeBackOne(options: ReadBackOptions, uuid: Uuid): Promise<void> {
  if ((await heldInVain(options, uuid)) === undefined) return;
  if (!options.isMadeAgain) await options.agreed();
  const { version } = options.journal.latest(uuid);
  const held = await heldInVain(options, uuid);
  if (held === undefined) return;
  const { claim, generation } = held.hold;
  if (!options.isMadeAgain) await options.onLost(`that host ${claim.host} gave ${uuid} back`);
  const about = { v: 1, uuid, generation } as const;
  const facts: readonly Fact[] = [
    { kind: 'claiming', ...about, claim },
    { kind: 'reserved', ...about, revision: held.revision },
  ];
  await append(options, { uuid, version }, facts);
}

/** The hold that stands in this host's name though its journal has none. */
async function heldInVain(options: ReadBackOptions, uuid: Uuid): ReturnType<typeof readHold> {
  const { journal, registry } = options;
  const held = await reading(() => readHold(registry, uuid));
  if (held === undefined || 'cause' in held) {
    passOver(held?.cause);
    return undefined;
  }
  const { claim, phase } = held.hold;
  const isOurs = claim.host === journal.identity.host && phase !== 'fenced';
  return isOurs && isUnheld(options, journal.latest(uuid)) ? held : undefined;
}

/** A hold that a newer program wrote keeps nobody from asking for the others. */
function passOver(cause: unknown): void {
  if (cause !== undefined && !(cause instanceof HoldUnreadable)) throw cause;
}

type Held = Reservation & { readonly revision: number };
type HeldDevice = Device & { readonly reservation: Held };

function isHeld(device: Device): device is HeldDevice {
  const { reservation } = device;
  return reservation !== null && reservation.phase !== 'fenced' && reservation.revision !== null;
}

async function check(options: ReadBackOptions, uuid: Uuid): Promise<void> {
  const { journal, registry, incarnation } = options;
  for (let look = 0, isAgreed = false; look < LOOKS_MAX; look += 1) {
    const device = journal.latest(uuid);
    if (!isHeld(device)) return;
    const { claim, revision } = device.reservation;
    const checked = await checkHold(registry, uuid, { claim, incarnation }, revision);
    if (journal.latest(uuid).version !== device.version) continue;
    if (checked.kind === 'lost' && !isAgreed) {
      await options.agreed();
      isAgreed = true;
    } else if ((await conclude(options, device, checked)) === 'done') return;
  }
}

/** `again`: the device was decided upon anew. */
async function conclude(
  options: ReadBackOptions,
  device: HeldDevice,
  checked: Checked,
): Promise<'done' | 'again'> {
  switch (checked.kind) {
    case 'ours':
      return wasCutShort(device, checked) ? reasserted(options, device, checked.revision) : 'done';
    case 'fenced':
      if (isOwn(options, checked.holder)) return takeLater(options, device, checked.holder, checked.revision);
      if (options.isRebuilding() && !isTombstone(device, checked.holder)) return restore(options, device);
      if (isGivenBack(device, checked)) return 'done';
      return record(options, device, fenced(device, checked.revision, fencedMessage(checked.holder)));
    case 'lost':
      return isGivenBack(device, checked) ? 'done' : restore(options, device);
    case 'unknown':
      passOver(checked.cause);
      return 'done';
    default:
      return checked satisfies never;
  }
}

/** What stands there is this host's own, of a claim of which a journal that was made again knows nothing. */
function isOwn({ isMadeAgain, journal }: ReadBackOptions, holder: Holder | null): holder is Holder {
  return isMadeAgain && holder?.claim.host === journal.identity.host && holder.phase !== 'fenced';
}

/** The claim that the journal knows was given back, and the UUID taken for another. */
function takeLater(
  options: ReadBackOptions,
  device: HeldDevice,
  { claim }: Holder,
  revision: number,
): Promise<'done' | 'again'> {
  const about = { v: 1, uuid: device.uuid, generation: generationOf(device) } as const;
  return append(options, device, [
    { kind: 'claiming', ...about, claim },
    { kind: 'reserved', ...about, revision },
  ]);
}

/** An agent before this one has written the hold again, and ended before it could record that. */
function wasCutShort({ reservation }: HeldDevice, { revision }: { readonly revision: number }): boolean {
  return reservation.phase !== 'releasing' && revision > reservation.revision;
}

/** On its way out a hold may be given back already, and taken by another, though the journal does not know it yet. */
function isGivenBack(
  { reservation }: HeldDevice,
  { revision, holder }: Extract<Checked, { kind: 'fenced' | 'lost' }>,
): boolean {
  const isLater = revision > reservation.revision && !isTombstone({ reservation }, holder);
  return reservation.phase === 'releasing' && isLater;
}

function isTombstone({ reservation }: Pick<HeldDevice, 'reservation'>, holder: Holder | null): boolean {
  return holder?.phase === 'fenced' && holder.claim.host === reservation.claim.host;
}

async function restore(options: ReadBackOptions, device: HeldDevice): Promise<'done' | 'again'> {
  const { registry, incarnation, onLost } = options;
  const { uuid, reservation } = device;
  const { claim, generation, phase } = reservation;
  await onLost(`the hold of ${uuid} by host ${claim.host}, written at revision ${reservation.revision}`);
  const owner = { claim, generation, incarnation };
  const answer = await reassert(registry, uuid, owner, phase === 'releasing' ? 'releasing' : 'held');
  switch (answer.kind) {
    case 'held':
      return reasserted(options, device, answer.revision);
    case 'taken': {
      if (!(await isSettled(options, answer.holder))) return disputed(options, device, answer.holder);
      const message = `the registry lost this host's hold, and the UUID was taken since: ${holds(answer.holder)}`;
      return record(options, device, fenced(device, answer.revision, message));
    }
    case 'unknown':
      throw answer.cause;
    default:
      return answer satisfies never;
  }
}

/**
 * A registry that went back may show a holder who has long given the UUID back. Its host takes that back first
 * thing; what still stands there once it has confirmed is so, and what an operator wrote is so anyway.
 */
async function isSettled({ isConfirmed }: ReadBackOptions, { phase, claim }: Holder): Promise<boolean> {
  return phase === 'fenced' || isConfirmed(claim.host);
}

function disputed({ onDisputed }: ReadBackOptions, { uuid }: HeldDevice, holder: Holder): 'done' {
  onDisputed(uuid, holder);
  return 'done';
}

/** A hold that was given back while it was written again must not stay behind. */
async function reasserted(
  options: ReadBackOptions,
  device: HeldDevice,
  revision: number,
): Promise<'done' | 'again'> {
  const { uuid, reservation } = device;
  const { generation } = reservation;
  const end = await record(options, device, { kind: 'reasserted', v: 1, uuid, generation, revision });
  const now = options.journal.latest(uuid).reservation;
  const isKept = now !== null && sameClaim(now.claim, reservation.claim) && now.phase !== 'claiming';
  if (end === 'again' && !isKept) await options.registry.erase(uuid, revision);
  return end;
}

function fenced(device: HeldDevice, revision: number, message: string): FactOf<'fenced'> {
  return { kind: 'fenced', v: 1, uuid: device.uuid, generation: generationOf(device), message, revision };
}

function generationOf({ desired, reservation }: HeldDevice): Generation {
  return desired?.generation ?? reservation.generation;
}

function record(
  options: ReadBackOptions,
  device: HeldDevice,
  fact: FactOf<'fenced'> | FactOf<'reasserted'>,
): Promise<'done' | 'again'> {
  return append(options, device, [fact]);
}

async function append(
  { journal, onRecorded }: ReadBackOptions,
  { uuid, version }: Pick<Device, 'uuid' | 'version'>,
  facts: readonly Fact[],
): Promise<'done' | 'again'> {
  const result = await journal.append({ facts, expected: { uuid, version } });
  if (result.kind === 'stale') return 'again';
  if (result.kind === 'failed') {
    throw new ReadBackFailed(`the journal could not record what became of ${uuid}`, { cause: result.cause });
  }
  onRecorded(uuid);
  return 'done';
}
