/**
 * The plan table as data: each rule says which cells it takes and what is planned for them.
 *
 * Rules do not overlap, so their order means nothing. Where a hold leaves, because it was withdrawn, replaced, or
 * declared again in the middle of its release, the rules are the same for all three.
 */
import type { Phase } from '../../store/device.ts';
import { APPLIED, type Cell, type Seen, WRITES, WRITES_AGAIN } from './plan-cells.ts';

export const readable = ({ seen }: Cell) => seen.kind !== 'unreadable' && seen.kind !== 'busy';
export const isEnded = ({ desired, ended }: Cell) =>
  desired === 'present' && (ended === 'conflict' || ended === 'failed');
/** Nothing is wanted of the UUID, and nothing held. */
const idle = ({ desired, held }: Cell) => desired !== 'present' && held === null;
/** Something is declared present, and its generation has not ended. */
const wanted = (cell: Cell) => readable(cell) && cell.desired === 'present' && !isEnded(cell);
export const fenced = ({ held }: Cell) => held?.phase === 'fenced';
/** A hold on its way out: withdrawn, replaced, or declared again in the middle of its release. */
const leaving = (cell: Cell) => {
  if (cell.held === null || !readable(cell)) return false;
  if (cell.desired === 'absent') return true;
  return wanted(cell) && !fenced(cell) && (cell.held.whose === 'other' || cell.held.phase === 'releasing');
};
/** A hold for what is declared. */
export const holding = (cell: Cell, ...phases: Phase[]) =>
  wanted(cell) && !leaving(cell) && cell.held !== null && phases.includes(cell.held.phase);
const free = (cell: Cell) => wanted(cell) && cell.held === null;

export const heldPlace = ({ held }: Cell) => (held?.whose === 'other' ? 'Q/U' : 'P/T');
const stands = ({ seen }: Cell, place: string) => seen.kind === 'present' && seen.at === place;
export const standsHere = (cell: Cell) => stands(cell, heldPlace(cell));
const elsewhere = (cell: Cell) => cell.seen.kind === 'present' && !standsHere(cell);
const is = ({ seen }: Cell, kind: Seen['kind']) => seen.kind === kind;
const room = ({ seen }: Cell, ...rooms: string[]) => seen.kind === 'absent' && rooms.includes(seen.room);
export const removable = ({ seen }: Cell) => seen.kind === 'present' && seen.removable;
export const inUse = ({ seen }: Cell) => seen.kind === 'present' && seen.use.kind === 'in-use';

const writes = ({ declared, held, fate }: Cell) => {
  const column = APPLIED.indexOf((held?.applied ?? 'nothing') as (typeof APPLIED)[number]);
  return (fate === 'changed' ? WRITES_AGAIN : WRITES)[declared]?.[column] ?? 'unknown';
};
/** The attribute a is watched and reads another value than it should. */
const readsOtherwise = ({ fate }: Cell, again: boolean) => fate === (again ? 'otherwise again' : 'otherwise');
const asDeclared = (cell: Cell) => writes(cell) === 'none';
const outOfReach = (cell: Cell) => writes(cell) === 'recreate';
const differs = (cell: Cell) => !asDeclared(cell) && !outOfReach(cell);
const wasWritten = ({ held }: Cell) => held !== null && held.applied !== 'nothing';

/** A cordon keeps new devices away, and not one that was whole under its hold. */
const isKeptAway = ({ cordoned, held }: Cell) => cordoned && held?.existed !== true;
/** Nothing was made yet, or what was made is gone and that is recorded. */
const mayMake = (cell: Cell) => holding(cell, 'reserved') && !wasWritten(cell) && !isKeptAway(cell);

export type Rule = {
  /** desired | reservation | observed, as in the table. */
  readonly row: string;
  readonly when: (cell: Cell) => boolean;
  readonly plan: string | ((cell: Cell) => string);
};

const configure = (cell: Cell) => `configure P/T: ${writes(cell)}`;
const cause = ({ desired }: Cell) => (desired === 'absent' ? 'Withdrawn' : 'Replaced');

export const RULES: readonly Rule[] = [
  { row: 'none, absent | none | anything, also unreadable', when: (c) => idle(c), plan: 'settled' },
  {
    row: 'any | any | unreadable',
    when: (c) => !idle(c) && is(c, 'unreadable'),
    plan: 'wait HostUnreadable (timer)',
  },
  {
    row: 'any | any | a helper still writes',
    when: (c) => !idle(c) && is(c, 'busy'),
    plan: 'wait Busy (timer)',
  },
  {
    row: 'none | any of ours | anything',
    when: (c) => !idle(c) && readable(c) && c.desired === 'none',
    plan: 'settled',
  },
  {
    row: 'present, ended | any | anything',
    when: (c) => readable(c) && isEnded(c),
    plan: ({ ended }) => (ended === 'conflict' ? 'conflict UuidHeld' : 'failed AttributeRefused'),
  },

  { row: 'present | none | elsewhere', when: (c) => free(c) && elsewhere(c), plan: 'conflict ForeignDevice' },
  {
    row: 'present | none | absent, or there',
    when: (c) => free(c) && ((is(c, 'absent') && !c.cordoned) || standsHere(c)),
    plan: 'claim P/T at 7, for Q',
  },
  {
    row: 'present | none | absent, on a cordoned parent',
    when: (c) => free(c) && is(c, 'absent') && c.cordoned,
    plan: 'wait Cordoned (command)',
  },
  {
    row: 'present | none | being created',
    when: (c) => free(c) && is(c, 'incomplete'),
    plan: 'wait CreateInProgress (device)',
  },
  {
    row: 'present | none | being removed',
    when: (c) => free(c) && is(c, 'removing'),
    plan: 'wait RemovalInProgress (device)',
  },

  { row: 'present | fenced | anything', when: (c) => wanted(c) && fenced(c), plan: 'failed Fenced' },
  {
    row: 'present | claiming | anything',
    when: (c) => holding(c, 'claiming'),
    plan: 'claim P/T at 7, for Q',
  },

  {
    row: 'present | reserved, active | being created',
    when: (c) => holding(c, 'reserved', 'active') && is(c, 'incomplete'),
    plan: 'wait CreateInProgress (device)',
  },
  {
    row: 'present | reserved, active | being removed',
    when: (c) => holding(c, 'reserved', 'active') && is(c, 'removing'),
    plan: 'wait RemovalInProgress (device)',
  },
  {
    row: 'present | reserved, active | elsewhere',
    when: (c) => holding(c, 'reserved', 'active') && elsewhere(c),
    plan: 'conflict ForeignDevice',
  },
  {
    row: 'present | reserved, of a device that was written to | absent',
    when: (c) => holding(c, 'reserved') && wasWritten(c) && is(c, 'absent'),
    plan: ({ seen, rebooted }) => `drift ${driftCause(seen, rebooted)} at 7`,
  },
  {
    row: 'present | reserved | absent, no parent',
    when: (c) => mayMake(c) && room(c, 'no parent'),
    plan: 'wait ParentAbsent (parent)',
  },
  {
    row: 'present | reserved | absent, no such type',
    when: (c) => mayMake(c) && room(c, 'no type'),
    plan: 'wait TypeAbsent (parent)',
  },
  {
    row: 'present | reserved | absent, no instance left',
    when: (c) => mayMake(c) && room(c, 'none'),
    plan: 'wait NoCapacity (timer)',
  },
  {
    row: 'present | reserved | absent',
    when: (c) => mayMake(c) && room(c, 'some', 'not looked at'),
    plan: 'create P/T',
  },
  {
    row: 'present | reserved, never whole | absent, on a cordoned parent',
    when: (c) => holding(c, 'reserved') && !wasWritten(c) && isKeptAway(c) && is(c, 'absent'),
    plan: 'wait Cordoned (command)',
  },
  {
    row: 'present | reserved, active | there, other attributes',
    when: (c) => holding(c, 'reserved', 'active') && standsHere(c) && !isLost(c) && differs(c),
    plan: configure,
  },
  {
    row: 'present | reserved, active | there, attributes that only a new device gets',
    when: (c) => holding(c, 'reserved', 'active') && standsHere(c) && !isLost(c) && outOfReach(c),
    plan: 'wait NeedsRecreate (timer)',
  },
  {
    row: 'present | reserved | there, as declared',
    when: (c) => holding(c, 'reserved') && standsHere(c) && !isLost(c) && asDeclared(c),
    plan: 'activate at 7',
  },
  {
    row: 'present | active | there, as declared',
    when: (c) =>
      holding(c, 'active') && standsHere(c) && !isLost(c) && asDeclared(c) && !c.fate.startsWith('otherwise'),
    plan: 'settled',
  },
  {
    row: 'present | active | there, as declared, but an attribute reads otherwise than it did',
    when: (c) =>
      holding(c, 'active') && standsHere(c) && !isLost(c) && asDeclared(c) && readsOtherwise(c, false),
    plan: 'drift AttributesChanged at 7: a',
  },
  {
    row: 'present | active | there, as declared, but an attribute does not keep what was just written again',
    when: (c) =>
      holding(c, 'active') && standsHere(c) && !isLost(c) && asDeclared(c) && readsOtherwise(c, true),
    plan: 'unwatch a',
  },
  {
    row: 'present | reserved, active | there, but the one of before is lost',
    when: (c) => holding(c, 'reserved', 'active') && standsHere(c) && isLost(c),
    plan: ({ seen, rebooted }) => `drift ${driftCause(seen, rebooted)} at 7`,
  },
  {
    row: 'present | active | absent',
    when: (c) => holding(c, 'active') && is(c, 'absent'),
    plan: ({ seen, rebooted }) => `drift ${driftCause(seen, rebooted)} at 7`,
  },

  {
    row: 'leaving | any | being created',
    when: (c) => leaving(c) && is(c, 'incomplete'),
    plan: 'wait CreateInProgress (device)',
  },
  {
    row: 'leaving | any | being removed',
    when: (c) => leaving(c) && is(c, 'removing'),
    plan: 'wait RemovalInProgress (device)',
  },
  {
    row: 'leaving | any of ours | elsewhere',
    when: (c) => leaving(c) && elsewhere(c) && !fenced(c),
    plan: 'wait ForeignDevice (device)',
  },
  {
    row: 'leaving | fenced | elsewhere',
    when: (c) => leaving(c) && elsewhere(c) && fenced(c),
    plan: 'forget',
  },
  {
    row: 'leaving | claiming | there, but not made by this claim',
    when: (c) => leaving(c) && standsHere(c) && c.held?.phase === 'claiming',
    plan: 'release',
  },
  {
    row: 'leaving | not claiming | there, not removable',
    when: (c) => leaving(c) && standsHere(c) && c.held?.phase !== 'claiming' && !removable(c),
    plan: 'wait Unremovable (parent)',
  },
  {
    row: 'leaving | not claiming | there, in use',
    when: (c) => leaving(c) && standsHere(c) && c.held?.phase !== 'claiming' && removable(c) && inUse(c),
    plan: 'wait InUse (timer)',
  },
  {
    row: 'leaving | reserved, active | there',
    when: (c) => leaving(c) && standsHere(c) && removable(c) && !inUse(c) && isPhase(c, 'reserved', 'active'),
    plan: (c) => `begin-release ${cause(c)}`,
  },
  {
    row: 'leaving | releasing, fenced | there',
    when: (c) =>
      leaving(c) && standsHere(c) && removable(c) && !inUse(c) && isPhase(c, 'releasing', 'fenced'),
    plan: (c) => `remove ${heldPlace(c)}`,
  },
  {
    row: 'leaving | reserved, active | absent',
    when: (c) => leaving(c) && is(c, 'absent') && isPhase(c, 'reserved', 'active'),
    plan: (c) => `begin-release ${cause(c)}`,
  },
  {
    row: 'leaving | claiming, releasing | absent',
    when: (c) => leaving(c) && is(c, 'absent') && isPhase(c, 'claiming', 'releasing'),
    plan: 'release',
  },
  {
    row: 'leaving | fenced | absent',
    when: (c) => leaving(c) && is(c, 'absent') && fenced(c),
    plan: 'forget',
  },
];

export function isPhase({ held }: Cell, ...phases: Phase[]): boolean {
  return held !== null && phases.includes(held.phase);
}

/** A device was made, or written to, in a boot that is over; or was whole, and another stands in its place. */
function isLost(c: Cell): boolean {
  const isAnother = c.seen.kind === 'present' && c.seen.isAnother === true;
  return (c.rebooted && (isPhase(c, 'active') || wasWritten(c))) || (isAnother && isPhase(c, 'active'));
}

function driftCause(seen: Seen, rebooted: boolean): string {
  if (rebooted) return 'Rebooted';
  return seen.kind === 'absent' && seen.room === 'no parent' ? 'ParentGone' : 'Removed';
}
