/**
 * The cross product that the planner is tested over: every desire, hold, ending and sight of a UUID.
 *
 * `P/T` is the place that is declared here; `Q/U` is that of another claim. A cell is in words; what the planner is
 * given is made from it, and what it answers is put into a line.
 */
import type { Attribute, Generation } from '../../events/names.ts';
import type { Observed, Place, Room, Use } from '../../reconciler/host.ts';
import type { Known } from '../../reconciler/plan.ts';
import type { Plan } from '../../reconciler/step.ts';
import type { Desired, Phase, Reservation, Terminal } from '../../store/device.ts';

export const HERE = { host: 'host-1', parent: 'P', type: 'T' };
export const OTHER = { host: 'host-1', parent: 'Q', type: 'U' };
const NOW: Generation = { epoch: 2, sequence: 7 };
const OLDER: Generation = { epoch: 2, sequence: 5 };

/** Attributes as `a1 b2` for a=1, b=2 in this order; `-` for none. */
function list(short: string): readonly Attribute[] {
  if (short === '-') return [];
  return short.split(' ').map((one) => ({ name: one.slice(0, 1), value: one.slice(1) }));
}

/** What has to be written, by what is declared (rows) and what was applied (columns). `recreate`: no way there. */
export const APPLIED = ['nothing', '-', 'a1', 'a1 b2', 'b2 a1', 'a9', 'c3'] as const;
export const WRITES: Readonly<Record<string, readonly string[]>> = {
  '-': /*     */ ['none', 'none', 'recreate', 'recreate', 'recreate', 'recreate', 'recreate'],
  a1: /*      */ ['a1', 'a1', 'none', 'recreate', 'recreate', 'a1', 'recreate'],
  'a1 b2': /* */ ['a1 b2', 'a1 b2', 'b2', 'none', '-', 'a1 b2', 'recreate'],
};

/** The same where somebody has changed a and that is recorded: it is written again. */
export const WRITES_AGAIN: Readonly<Record<string, readonly string[]>> = {
  '-': /*     */ ['', '', 'recreate', 'recreate', 'recreate', 'recreate', ''],
  a1: /*      */ ['', '', 'a1', 'recreate', 'recreate', 'a1', ''],
  'a1 b2': /* */ ['', '', 'a1 b2', 'a1', 'a1', 'a1 b2', ''],
};

/**
 * What became of the attribute a where it was applied. `unread`: it is watched, and cannot be read. `otherwise`: it
 * reads another value than was applied; `again`: and that right after it was written again. `changed`: that it had
 * another value is recorded.
 */
const FATES = ['unwatched', 'kept', 'unread', 'otherwise', 'otherwise again', 'changed'] as const;
export type Fate = (typeof FATES)[number];

/** `existed`: the device was whole under the hold, if it is not now. */
export type Held = {
  readonly phase: Phase;
  readonly whose: 'same' | 'other';
  readonly applied: string;
  readonly existed?: true;
};
type Ended = 'no' | 'conflict' | 'failed' | 'an older generation';
export type Seen =
  | { readonly kind: 'unreadable' | 'busy' }
  | { readonly kind: 'incomplete' | 'removing'; readonly parent: string }
  | { readonly kind: 'absent'; readonly room: string }
  | {
      readonly kind: 'present';
      readonly at: string;
      readonly removable: boolean;
      readonly use: Use;
      /** Not the device that was whole under the hold. */
      readonly isAnother?: true;
    };

export type Cell = {
  readonly desired: 'none' | 'absent' | 'present';
  readonly declared: string;
  readonly held: Held | null;
  readonly ended: Ended;
  readonly seen: Seen;
  readonly fate: Fate;
  readonly rebooted: boolean;
  /** The declared parent is kept from new devices. */
  readonly cordoned: boolean;
};

const PHASES: readonly Phase[] = ['claiming', 'reserved', 'active', 'releasing', 'fenced'];
const ENDINGS: readonly Ended[] = ['no', 'conflict', 'failed', 'an older generation'];
const ROOMS: Readonly<Record<string, Room | null>> = {
  'not looked at': null,
  'no parent': { kind: 'parent-absent' },
  'no type': { kind: 'type-absent' },
  none: { kind: 'available', instances: 0, taken: { count: 0, first: [] } },
  some: { kind: 'available', instances: 3, taken: null },
};

const DESIRES = [
  { desired: 'none', declared: '-' },
  { desired: 'absent', declared: '-' },
  ...Object.keys(WRITES).map((declared) => ({ desired: 'present', declared }) as const),
] as const;

const HOLDS: readonly (Held | null)[] = [
  null,
  ...PHASES.flatMap((phase) =>
    (['same', 'other'] as const).flatMap((whose) => APPLIED.map((applied) => ({ phase, whose, applied }))),
  ),
  { phase: 'reserved', whose: 'same', applied: 'nothing', existed: true },
];

const USES: readonly Use[] = [
  { kind: 'free' },
  { kind: 'in-use', by: [{ pid: 4711, command: 'qemu-system-x86' }] },
  { kind: 'unknown' },
];

const SIGHTS: readonly Seen[] = [
  { kind: 'unreadable' },
  { kind: 'busy' },
  ...['P', 'Q'].flatMap((parent) => [
    { kind: 'incomplete', parent } as const,
    { kind: 'removing', parent } as const,
  ]),
  ...Object.keys(ROOMS).map((room) => ({ kind: 'absent', room }) as const),
  ...['P/T', 'P/U', 'Q/U'].flatMap((at) =>
    [true, false].flatMap((removable) =>
      USES.map((use) => ({ kind: 'present', at, removable, use }) as const),
    ),
  ),
  { kind: 'present', at: 'P/T', removable: true, use: { kind: 'free' }, isAnother: true },
];

export function* cells(): Generator<Cell> {
  for (const desire of DESIRES)
    for (const held of HOLDS)
      for (const ended of ENDINGS)
        for (const view of views(held))
          for (const state of statesOf(desire)) yield { ...desire, held, ended, ...view, ...state };
}

/** What attributes are declared has nothing to do with a cordon. */
function statesOf(
  desire: Pick<Cell, 'desired' | 'declared'>,
): readonly Pick<Cell, 'rebooted' | 'cordoned'>[] {
  const mayBeCordoned = desire.desired === 'present' && desire.declared === '-';
  return [false, true].flatMap((rebooted) =>
    (mayBeCordoned ? [false, true] : [false]).map((cordoned) => ({ rebooted, cordoned })),
  );
}

function views(held: Held | null): readonly Pick<Cell, 'seen' | 'fate'>[] {
  return SIGHTS.flatMap((seen) => fatesOf(held, seen).map((fate) => ({ seen, fate })));
}

/** Only what was applied, to a device that is there, can have been changed. */
function fatesOf(held: Held | null, seen: Seen): readonly Fate[] {
  return held?.applied.includes('a') === true && seen.kind === 'present' ? FATES : ['unwatched'];
}

// From a cell to what the planner is given, and from its answer to a line.

export function knownOf({ desired, declared, held, ended, fate, rebooted, cordoned }: Cell): Known {
  return {
    desired: desireOf(desired, declared),
    reservation: held && holdOf(held, fate),
    terminal: ended === 'no' ? null : endOf(ended),
    fence: null,
    rebooted,
    rewritten: fate === 'otherwise again',
    cordon: cordoned ? { parent: 'P', by: { id: 'e', source: 'alice', time: 'noon' } } : null,
  };
}

export function desireOf(kind: Cell['desired'], declared: string): Desired | null {
  if (kind === 'none') return null;
  if (kind === 'absent') return { kind, generation: NOW };
  const attributes = list(declared);
  return { kind, generation: NOW, claim: HERE, attributes, set: null, replaces: OTHER };
}

export function holdOf({ phase, whose, applied, existed }: Held, fate: Fate = 'unwatched'): Reservation {
  return {
    phase,
    claim: whose === 'same' ? HERE : OTHER,
    generation: OLDER,
    revision: phase === 'claiming' ? null : 3,
    applied: applied === 'nothing' ? null : list(applied),
    echoing: fate === 'unwatched' ? [] : ['a'],
    changed: fate === 'changed' ? ['a'] : [],
    identity: phase === 'active' ? 'one' : null,
    existed: phase === 'active' || existed === true,
  };
}

function endOf(ended: Exclude<Ended, 'no'>): Terminal {
  const kind = ended === 'conflict' ? 'conflict' : 'failed';
  const reason = ended === 'conflict' ? 'UuidHeld' : 'AttributeRefused';
  const generation = ended === 'an older generation' ? OLDER : NOW;
  return { generation, kind, claim: HERE, reason, message: 'as recorded', holder: null };
}

export function observedOf({ seen, held, fate }: Pick<Cell, 'seen' | 'held' | 'fate'>): Observed {
  switch (seen.kind) {
    case 'unreadable':
      return { kind: 'unreadable', errno: 5, message: 'reading answered EIO' };
    case 'busy':
      return { kind: 'busy', pid: 4711 };
    case 'absent':
      return { kind: 'absent', room: ROOMS[seen.room] ?? null };
    case 'present': {
      const identity = seen.isAnother ? 'another' : 'one';
      return { ...seen, place: placeOf(seen.at), identity, iommuGroup: 1, attributes: readOf(held, fate) };
    }
    default:
      return seen;
  }
}

function readOf(held: Held | null, fate: Fate): readonly Attribute[] {
  if (fate === 'unread') return [];
  if (fate.startsWith('otherwise')) return list('a7');
  return held === null || held.applied === 'nothing' ? [] : list(held.applied);
}

export function placeOf(at: string): Place {
  const [parent = '', type = ''] = at.split('/');
  return { parent, type };
}

export function at({ parent, type }: Place): string {
  return `${parent}/${type}`;
}

function show(attributes: readonly Attribute[]): string {
  return attributes.length === 0 ? '-' : attributes.map(({ name, value }) => name + value).join(' ');
}

/** A plan in a line: what it is, why, and what may end a wait. */
export function brief(what: Plan): string {
  switch (what.kind) {
    case 'settled':
      return 'settled';
    case 'waiting':
      return `wait ${what.reason} (${what.wake})`;
    case 'terminal':
      return `${what.end} ${what.reason}`;
    case 'step':
      return briefStep(what.step);
    default:
      return what satisfies never;
  }
}

function briefStep(step: Extract<Plan, { kind: 'step' }>['step']): string {
  switch (step.do) {
    case 'claim':
      return `claim ${at(step.claim)} at ${step.generation.sequence}, for ${step.replaces?.parent}`;
    case 'create':
    case 'remove':
      return `${step.do} ${at(step.place)}`;
    case 'configure':
      return `configure ${at(step.place)}: ${show(step.attributes)}`;
    case 'activate':
      return `activate at ${step.generation.sequence}`;
    case 'record-drift':
      return `drift ${step.cause} at ${step.generation.sequence}`;
    case 'record-change':
      return `drift AttributesChanged at ${step.generation.sequence}: ${step.attributes.join(' ')}`;
    case 'unwatch':
      return `unwatch ${step.attributes.join(' ')}`;
    case 'begin-release':
      return `begin-release ${step.cause}`;
    default:
      return step.do;
  }
}
