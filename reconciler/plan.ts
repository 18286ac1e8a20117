/**
 * The planner: what is desired and held, against what was just observed, gives the next step
 * or the reason why there is none.
 *
 * Pure, and one step at a time: after every step everything is read afresh. Nothing that
 * destroys ever follows from what could not be read, and `remove` is planned only for a
 * complete device on the very place that this host holds.
 */
import { TERMINAL, WAITING, withHint } from '../events/guidance.ts';
import {
  type Attribute,
  type Claim,
  sameAttributes,
  sameClaim,
  sameGeneration,
  samePlace,
} from '../events/names.ts';
import type { WaitingReason } from '../events/reasons.ts';
import type { Cordon } from '../store/cordons.ts';
import type { Desired, Device, Fence, Reservation } from '../store/device.ts';
import { readings, writesBetween } from './attributes.ts';
import { noInstance } from './capacity.ts';
import { inUse } from './errno.ts';
import type { Look, Observed, Place, Room } from './host.ts';
import type { DriftCause, Plan, Step } from './step.ts';

/** What the planner looks at of a device. */
export type Known = Pick<Device, 'desired' | 'reservation' | 'terminal' | 'fence'> & {
  /** True while the device has not been seen since the machine booted anew. */
  readonly rebooted: boolean;
  /** True from when its changed attributes were written again until it was seen settled. */
  readonly rewritten: boolean;
  /** What keeps new devices from the declared parent; null if nothing does. */
  readonly cordon: Cordon | null;
};

type Present = Extract<Desired, { kind: 'present' }>;
type Seen = Extract<Observed, { kind: 'present' }>;

const SETTLED: Plan = { kind: 'settled' };
const FORGET: Plan = { kind: 'step', step: { do: 'forget' } };

/** The one next thing to do, or not to do, for a UUID. */
export function plan(known: Known, observed: Observed): Plan {
  const { desired, reservation } = known;
  if (desired?.kind === 'present') return unclear(observed) ?? planPresent(desired, known, observed);
  // Nothing is wanted and nothing held: whatever can or cannot be seen is not ours.
  if (reservation === null) return SETTLED;
  const withdrawn = desired === null ? SETTLED : planAbsent(reservation, observed, 'Withdrawn');
  return unclear(observed) ?? withdrawn;
}

/** What is seen is no ground to act on. */
function unclear(observed: Observed): Plan | undefined {
  switch (observed.kind) {
    case 'unreadable':
      return wait('HostUnreadable', observed.message);
    case 'busy':
      return wait('Busy', `process ${observed.pid} still writes for this UUID`);
    default:
      return undefined;
  }
}

/** Where to look for a UUID before planning, whether to find out if it is in use, and which attributes to read back. */
export function lookFor(known: Pick<Known, 'desired' | 'reservation'>): Look {
  const { desired, reservation } = known;
  const leaving = reservation !== null && !isFor(reservation, desired);
  const claim = leaving || desired?.kind !== 'present' ? reservation?.claim : desired.claim;
  const watched = reservation?.phase === 'active' && !leaving && reservation.changed.length === 0;
  const attributes = watched ? reservation.echoing : [];
  return { place: claim === undefined ? null : placeOf(claim), use: leaving, attributes };
}

/** True when the reservation is on its way to, or at, what is desired. */
function isFor(reservation: Reservation, desired: Desired | null): boolean {
  return (
    desired?.kind === 'present' &&
    reservation.phase !== 'releasing' &&
    sameClaim(reservation.claim, desired.claim)
  );
}

function planPresent(desired: Present, known: Known, observed: Observed): Plan {
  const { reservation, terminal } = known;
  if (terminal !== null && sameGeneration(terminal.generation, desired.generation)) {
    const { kind: end, reason, message, holder } = terminal;
    return { kind: 'terminal', end, reason, message, holder };
  }
  if (reservation === null) return planClaim(desired, observed, known.cordon);
  if (reservation.phase === 'fenced') return fenced(known.fence);
  if (!isFor(reservation, desired)) return planAbsent(reservation, observed, 'Replaced');
  if (reservation.phase === 'claiming') return step(claimStep(desired));
  return planHeld(desired, reservation, observed, known);
}

function planClaim(desired: Present, observed: Observed, cordon: Cordon | null): Plan {
  const standsInTheWay = inTheWay(observed, desired.claim);
  // What stands there already is not made, but taken over.
  const kept = observed.kind === 'present' ? undefined : cordoned(desired.claim, cordon);
  return standsInTheWay ?? kept ?? step(claimStep(desired));
}

function claimStep({ claim, generation, replaces }: Present): Step {
  return { do: 'claim', claim, generation, replaces };
}

/** What keeps a claim from its place: another device of that UUID, or one that comes or goes. */
function inTheWay(observed: Observed, claim: Claim): Plan | undefined {
  switch (observed.kind) {
    case 'incomplete':
      return createInProgress(observed.parent);
    case 'removing':
      return removalInProgress(observed.parent);
    case 'present':
      return samePlace(observed.place, claim) ? undefined : foreign(observed);
    default:
      return undefined;
  }
}

function planHeld(desired: Present, reservation: Reservation, observed: Observed, known: Known): Plan {
  const standsInTheWay = inTheWay(observed, desired.claim);
  if (standsInTheWay !== undefined) return standsInTheWay;
  const { rebooted, rewritten } = known;
  const made = wasMade(reservation);
  if (observed.kind === 'present' && !(made && (rebooted || isAnother(observed, reservation)))) {
    return planWhole(desired, reservation, observed, rewritten);
  }
  const room = observed.kind === 'absent' ? observed.room : null;
  if (!made) {
    // Whatever was whole under this hold is made again: a cordon keeps only new ones away.
    const kept = reservation.existed ? undefined : cordoned(desired.claim, known.cordon);
    return kept ?? planCreate(desired.claim, room);
  }
  const cause = driftCause(observed, rebooted);
  return step({ do: 'record-drift', generation: desired.generation, cause });
}

/**
 * What was written to a device is lost with it, also when it went before it was active. No device outlives
 * its boot: one that stands there after the next was made by somebody else, without what was written.
 */
function wasMade({ phase, applied }: Reservation): boolean {
  return phase === 'active' || applied !== null;
}

/** Somebody removed the device and made one of the same UUID at its place, while nobody looked. */
function isAnother(observed: Seen, { identity }: Reservation): boolean {
  return identity !== null && observed.identity !== null && observed.identity !== identity;
}

function driftCause(observed: Observed, rebooted: boolean): DriftCause {
  if (rebooted) return 'Rebooted';
  if (observed.kind !== 'absent') return 'Removed';
  return observed.parentReturned || observed.room?.kind === 'parent-absent' ? 'ParentGone' : 'Removed';
}

/** The device stands where it should: bring its attributes in line, then it is active, and they are watched. */
function planWhole(
  desired: Present,
  reservation: Reservation,
  { attributes: read, identity }: Seen,
  rewritten: boolean,
): Plan {
  const { phase, changed, echoing } = reservation;
  const applied = reservation.applied ?? [];
  if (changed.length > 0 || !sameAttributes(applied, desired.attributes)) {
    return planAttributes(desired, applied, changed);
  }
  if (phase !== 'active') return step({ do: 'activate', generation: desired.generation, identity });
  const { other: attributes } = readings(echoing, applied, read);
  if (attributes.length === 0) return SETTLED;
  // What does not even keep its value until the next look would be written for ever.
  if (rewritten) return step({ do: 'unwatch', attributes });
  return step({ do: 'record-change', generation: desired.generation, attributes });
}

/** Nothing may be left to write: another order of the same values is recorded all the same. */
function planAttributes(desired: Present, applied: readonly Attribute[], changed: readonly string[]): Plan {
  const attributes = writesBetween(applied, desired.attributes, changed);
  if (attributes === undefined) {
    return wait('NeedsRecreate', 'the attributes cannot be changed on a live device');
  }
  return step({ do: 'configure', place: placeOf(desired.claim), attributes });
}

function cordoned({ parent }: Claim, cordon: Cordon | null): Plan | undefined {
  if (cordon === null) return undefined;
  const what = cordon.parent === null ? 'all parents of this host were' : `parent ${parent} was`;
  return wait('Cordoned', `${what} cordoned by ${cordon.by.source} at ${cordon.by.time}`);
}

function planCreate(claim: Claim, room: Room | null): Plan {
  const { parent, type } = claim;
  switch (room?.kind) {
    case 'parent-absent':
      return wait('ParentAbsent', `there is no parent ${parent} on this host`);
    case 'type-absent':
      return wait('TypeAbsent', `parent ${parent} offers no type ${type}`);
    case 'available':
      return room.instances > 0
        ? step({ do: 'create', place: placeOf(claim) })
        : wait('NoCapacity', noInstance(claim, room.taken));
    case undefined:
      return step({ do: 'create', place: placeOf(claim) });
    default:
      return room satisfies never;
  }
}

/** The way out of a hold: remove what stands there, and give the UUID back once it is gone. */
function planAbsent(reservation: Reservation, observed: Observed, cause: 'Withdrawn' | 'Replaced'): Plan {
  switch (observed.kind) {
    case 'incomplete':
      return createInProgress(observed.parent);
    case 'removing':
      return removalInProgress(observed.parent);
    case 'present':
      return planRemoval(reservation, observed, cause);
    default:
      return planGone(reservation, cause);
  }
}

/**
 * Nothing stands there. A hold that was ever ours is journaled as releasing before it is given back:
 * after a crash in between, it must not be taken for one that still holds.
 */
function planGone({ phase }: Reservation, cause: 'Withdrawn' | 'Replaced'): Plan {
  if (phase === 'fenced') return FORGET;
  return step(
    phase === 'claiming' || phase === 'releasing' ? { do: 'release' } : { do: 'begin-release', cause },
  );
}

function planRemoval(reservation: Reservation, seen: Seen, cause: 'Withdrawn' | 'Replaced'): Plan {
  if (!samePlace(seen.place, reservation.claim)) {
    // What was held is not ours any more, and cannot stand here too: a UUID exists once on a host.
    if (reservation.phase === 'fenced') return FORGET;
    return wait('ForeignDevice', `a device that is not ours stands at ${at(seen.place)}`);
  }
  if (reservation.phase === 'claiming') return step({ do: 'release' });
  if (!seen.removable) {
    return wait('Unremovable', `the device on ${seen.place.parent} has no remove file any more`);
  }
  if (seen.use.kind === 'in-use') return wait('InUse', inUse(seen.use.by));
  const leaving = reservation.phase === 'releasing' || reservation.phase === 'fenced';
  return step(leaving ? { do: 'remove', place: seen.place } : { do: 'begin-release', cause });
}

function createInProgress(parent: string): Plan {
  return wait('CreateInProgress', `its create on ${parent} has not finished`);
}

function removalInProgress(parent: string): Plan {
  return wait('RemovalInProgress', `its removal from ${parent} has not finished`);
}

function foreign(seen: Seen): Plan {
  const message = withHint(`the UUID exists on this host at ${at(seen.place)}`, TERMINAL.ForeignDevice);
  return { kind: 'terminal', end: 'conflict', reason: 'ForeignDevice', message, holder: null };
}

function fenced(fence: Fence | null): Plan {
  const message = withHint(fence?.message ?? 'the UUID was taken from this host by force', TERMINAL.Fenced);
  return { kind: 'terminal', end: 'failed', reason: 'Fenced', message, holder: null };
}

function step(what: Step): Plan {
  return { kind: 'step', step: what };
}

/** A reason to wait: what was seen just now, to which the way out is added. */
function wait(reason: WaitingReason, seen: string): Plan {
  const guidance = WAITING[reason];
  return { kind: 'waiting', reason, message: withHint(seen, guidance), wake: guidance.wake };
}

function placeOf({ parent, type }: Claim): Place {
  return { parent, type };
}

function at({ parent, type }: Place): string {
  return `${parent}, type ${type}`;
}
