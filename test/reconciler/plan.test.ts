/**
 * The planner over its whole cross product.
 *
 * RULES is the plan table as data: a cell of the product that no rule takes, or more than one, fails, and so does
 * a rule that takes no cell. What the planner must never do is stated once more, apart from the rules.
 */
import { describe, expect, test } from 'vitest';
import type { Attribute, Claim, Generation } from '../../events/names.ts';
import type { Observed, Place, Room, Use } from '../../reconciler/host.ts';
import { type Known, lookFor, plan } from '../../reconciler/plan.ts';
import type { Plan } from '../../reconciler/step.ts';
import type { Desired, Phase, Reservation, Terminal } from '../../store/device.ts';

// The dimensions. `P/T` is the place that is declared; `Q/U` is that of another claim.

const HERE = { host: 'host-1', parent: 'P', type: 'T' };
const OTHER = { host: 'host-1', parent: 'Q', type: 'U' };
const NOW: Generation = { epoch: 2, sequence: 7 };
const OLDER: Generation = { epoch: 2, sequence: 5 };

/** Attributes as `a1 b2` for a=1, b=2 in this order; `-` for none. */
function list(short: string): readonly Attribute[] {
  if (short === '-') return [];
  return short.split(' ').map((one) => ({ name: one.slice(0, 1), value: one.slice(1) }));
}

/** What has to be written, by what is declared (rows) and what was applied (columns). `recreate`: no way there. */
const APPLIED = ['nothing', '-', 'a1', 'a1 b2', 'b2 a1', 'a9', 'c3'] as const;
const WRITES: Readonly<Record<string, readonly string[]>> = {
  '-': /*     */ ['none', 'none', 'recreate', 'recreate', 'recreate', 'recreate', 'recreate'],
  a1: /*      */ ['a1', 'a1', 'none', 'recreate', 'recreate', 'a1', 'recreate'],
  'a1 b2': /* */ ['a1 b2', 'a1 b2', 'b2', 'none', '-', 'a1 b2', 'recreate'],
};

type Held = { readonly phase: Phase; readonly whose: 'same' | 'other'; readonly applied: string };
type Ended = 'no' | 'conflict' | 'failed' | 'an older generation';
type Seen =
  | { readonly kind: 'unreadable' | 'busy' }
  | { readonly kind: 'incomplete' | 'removing'; readonly parent: string }
  | { readonly kind: 'absent'; readonly room: string }
  | { readonly kind: 'present'; readonly at: string; readonly removable: boolean; readonly use: Use };

type Cell = {
  readonly desired: 'none' | 'absent' | 'present';
  readonly declared: string;
  readonly held: Held | null;
  readonly ended: Ended;
  readonly seen: Seen;
  readonly rebooted: boolean;
};

const PHASES: readonly Phase[] = ['claiming', 'reserved', 'active', 'releasing', 'fenced'];
const ENDINGS: readonly Ended[] = ['no', 'conflict', 'failed', 'an older generation'];
const ROOMS: Readonly<Record<string, Room | null>> = {
  'not looked at': null,
  'no parent': { kind: 'parent-absent' },
  'no type': { kind: 'type-absent' },
  none: { kind: 'available', instances: 0 },
  some: { kind: 'available', instances: 3 },
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
      (['free', 'in-use', 'unknown'] as const).map(
        (use) => ({ kind: 'present', at, removable, use }) as const,
      ),
    ),
  ),
];

function* cells(): Generator<Cell> {
  for (const desire of DESIRES)
    for (const held of HOLDS)
      for (const ended of ENDINGS)
        for (const seen of SIGHTS)
          for (const rebooted of [false, true]) yield { ...desire, held, ended, seen, rebooted };
}

// From a cell to what the planner is given, and from its answer to a line.

function knownOf({ desired, declared, held, ended, rebooted }: Cell): Known {
  return {
    desired: desireOf(desired, declared),
    reservation: held && holdOf(held),
    terminal: ended === 'no' ? null : endOf(ended),
    rebooted,
  };
}

function desireOf(kind: Cell['desired'], declared: string): Desired | null {
  if (kind === 'none') return null;
  if (kind === 'absent') return { kind, generation: NOW };
  const attributes = list(declared);
  return { kind, generation: NOW, claim: HERE, attributes, set: null, replaces: OTHER };
}

function holdOf({ phase, whose, applied }: Held): Reservation {
  return {
    phase,
    claim: whose === 'same' ? HERE : OTHER,
    generation: OLDER,
    revision: phase === 'claiming' ? null : 3,
    applied: applied === 'nothing' ? null : list(applied),
    existed: phase === 'active',
  };
}

function endOf(ended: Exclude<Ended, 'no'>): Terminal {
  const kind = ended === 'conflict' ? 'conflict' : 'failed';
  const reason = ended === 'conflict' ? 'UuidHeld' : 'AttributeRefused';
  const generation = ended === 'an older generation' ? OLDER : NOW;
  return { generation, kind, claim: HERE, reason, message: 'as recorded', holder: null };
}

function observedOf(seen: Seen): Observed {
  switch (seen.kind) {
    case 'unreadable':
      return { kind: 'unreadable', errno: 5, message: 'reading answered EIO' };
    case 'busy':
      return { kind: 'busy', pid: 4711 };
    case 'absent':
      return { kind: 'absent', room: ROOMS[seen.room] ?? null };
    case 'present':
      return { ...seen, place: placeOf(seen.at), iommuGroup: 1 };
    default:
      return seen;
  }
}

function placeOf(at: string): Place {
  const [parent = '', type = ''] = at.split('/');
  return { parent, type };
}

function at({ parent, type }: Place): string {
  return `${parent}/${type}`;
}

function show(attributes: readonly Attribute[]): string {
  return attributes.length === 0 ? '-' : attributes.map(({ name, value }) => name + value).join(' ');
}

/** A plan in a line: what it is, why, and what may end a wait. */
function brief(what: Plan): string {
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
    case 'begin-release':
      return `begin-release ${step.cause}`;
    default:
      return step.do;
  }
}

// The words of the table.

const readable = ({ seen }: Cell) => seen.kind !== 'unreadable' && seen.kind !== 'busy';
const isEnded = ({ desired, ended }: Cell) =>
  desired === 'present' && (ended === 'conflict' || ended === 'failed');
/** Something is declared present, and its generation has not ended. */
const wanted = (cell: Cell) => readable(cell) && cell.desired === 'present' && !isEnded(cell);
const fenced = ({ held }: Cell) => held?.phase === 'fenced';
/** A hold on its way out: withdrawn, replaced, or declared again in the middle of its release. */
const leaving = (cell: Cell) => {
  if (cell.held === null || !readable(cell)) return false;
  if (cell.desired === 'absent') return true;
  return wanted(cell) && !fenced(cell) && (cell.held.whose === 'other' || cell.held.phase === 'releasing');
};
/** A hold for what is declared. */
const holding = (cell: Cell, ...phases: Phase[]) =>
  wanted(cell) && !leaving(cell) && cell.held !== null && phases.includes(cell.held.phase);
const free = (cell: Cell) => wanted(cell) && cell.held === null;

const heldPlace = ({ held }: Cell) => (held?.whose === 'other' ? 'Q/U' : 'P/T');
const stands = ({ seen }: Cell, place: string) => seen.kind === 'present' && seen.at === place;
const standsHere = (cell: Cell) => stands(cell, heldPlace(cell));
const elsewhere = (cell: Cell) => cell.seen.kind === 'present' && !standsHere(cell);
const is = ({ seen }: Cell, kind: Seen['kind']) => seen.kind === kind;
const room = ({ seen }: Cell, ...rooms: string[]) => seen.kind === 'absent' && rooms.includes(seen.room);
const removable = ({ seen }: Cell) => seen.kind === 'present' && seen.removable;
const inUse = ({ seen }: Cell) => seen.kind === 'present' && seen.use === 'in-use';

const writes = ({ declared, held }: Cell) => {
  const column = APPLIED.indexOf((held?.applied ?? 'nothing') as (typeof APPLIED)[number]);
  return WRITES[declared]?.[column] ?? 'unknown';
};
const asDeclared = (cell: Cell) => writes(cell) === 'none';
const outOfReach = (cell: Cell) => writes(cell) === 'recreate';
const differs = (cell: Cell) => !asDeclared(cell) && !outOfReach(cell);
const wasWritten = ({ held }: Cell) => held !== null && held.applied !== 'nothing';

type Rule = {
  /** desired | reservation | observed, as in the table. */
  readonly row: string;
  readonly when: (cell: Cell) => boolean;
  readonly plan: string | ((cell: Cell) => string);
};

const configure = (cell: Cell) => `configure P/T: ${writes(cell)}`;
const cause = ({ desired }: Cell) => (desired === 'absent' ? 'Withdrawn' : 'Replaced');

const RULES: readonly Rule[] = [
  { row: 'any | any | unreadable', when: (c) => is(c, 'unreadable'), plan: 'wait HostUnreadable (timer)' },
  { row: 'any | any | a helper still writes', when: (c) => is(c, 'busy'), plan: 'wait Busy (timer)' },
  { row: 'none | any | anything', when: (c) => readable(c) && c.desired === 'none', plan: 'settled' },
  {
    row: 'present, ended | any | anything',
    when: (c) => readable(c) && isEnded(c),
    plan: ({ ended }) => (ended === 'conflict' ? 'conflict UuidHeld' : 'failed AttributeRefused'),
  },
  {
    row: 'absent | none | anything',
    when: (c) => readable(c) && c.desired === 'absent' && c.held === null,
    plan: 'settled',
  },

  { row: 'present | none | elsewhere', when: (c) => free(c) && elsewhere(c), plan: 'conflict ForeignDevice' },
  {
    row: 'present | none | absent, or there',
    when: (c) => free(c) && (is(c, 'absent') || standsHere(c)),
    plan: 'claim P/T at 7, for Q',
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
    when: (c) => holding(c, 'reserved') && !wasWritten(c) && room(c, 'no parent'),
    plan: 'wait ParentAbsent (parent)',
  },
  {
    row: 'present | reserved | absent, no such type',
    when: (c) => holding(c, 'reserved') && !wasWritten(c) && room(c, 'no type'),
    plan: 'wait TypeAbsent (parent)',
  },
  {
    row: 'present | reserved | absent, no instance left',
    when: (c) => holding(c, 'reserved') && !wasWritten(c) && room(c, 'none'),
    plan: 'wait NoCapacity (device)',
  },
  {
    row: 'present | reserved | absent',
    when: (c) => holding(c, 'reserved') && !wasWritten(c) && room(c, 'some', 'not looked at'),
    plan: 'create P/T',
  },
  {
    row: 'present | reserved, active | there, other attributes',
    when: (c) => holding(c, 'reserved', 'active') && standsHere(c) && differs(c),
    plan: configure,
  },
  {
    row: 'present | reserved, active | there, attributes that only a new device gets',
    when: (c) => holding(c, 'reserved', 'active') && standsHere(c) && outOfReach(c),
    plan: 'wait NeedsRecreate (timer)',
  },
  {
    row: 'present | reserved | there, as declared',
    when: (c) => holding(c, 'reserved') && standsHere(c) && asDeclared(c),
    plan: 'activate at 7',
  },
  {
    row: 'present | active | there, as declared',
    when: (c) => holding(c, 'active') && standsHere(c) && asDeclared(c),
    plan: 'settled',
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
    row: 'leaving | any | elsewhere',
    when: (c) => leaving(c) && elsewhere(c),
    plan: 'wait ForeignDevice (device)',
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

function isPhase({ held }: Cell, ...phases: Phase[]): boolean {
  return held !== null && phases.includes(held.phase);
}

function driftCause(seen: Seen, rebooted: boolean): string {
  if (rebooted) return 'Rebooted';
  return seen.kind === 'absent' && seen.room === 'no parent' ? 'ParentGone' : 'Removed';
}

// The tests.

const ALL = [...cells()];
const planned = (cell: Cell) => plan(knownOf(cell), observedOf(cell.seen));
const stepOf = (cell: Cell) => {
  const what = planned(cell);
  return what.kind === 'step' ? what.step : undefined;
};

/** The first cells that are wrong, each in a line; an empty list when all is well. */
function wrong(check: (cell: Cell) => string | undefined): readonly string[] {
  const found: string[] = [];
  for (const cell of ALL) {
    const what = check(cell);
    if (what !== undefined) found.push(`${JSON.stringify(cell)}: ${what}`);
    if (found.length === 5) break;
  }
  return found;
}

describe('the plan table', () => {
  test('takes every cell with exactly one rule', () => {
    const doubtful = wrong((cell) => {
      const rules = RULES.filter(({ when }) => when(cell)).map(({ row }) => row);
      return rules.length === 1 ? undefined : `taken by ${rules.length} rules (${rules.join('; ')})`;
    });
    expect(doubtful).toEqual([]);
  });

  test('has no rule that takes no cell', () => {
    expect(RULES.filter(({ when }) => !ALL.some(when)).map(({ row }) => row)).toEqual([]);
  });

  test.each(RULES)('$row', ({ when, plan: expected }) => {
    const surprises = wrong((cell) => {
      if (!when(cell)) return undefined;
      const want = typeof expected === 'string' ? expected : expected(cell);
      const got = brief(planned(cell));
      return got === want ? undefined : `planned ${got}, the table says ${want}`;
    });
    expect(surprises).toEqual([]);
  });
});

const DESTRUCTIVE: readonly string[] = ['remove', 'begin-release', 'release', 'forget'];

describe('whatever the table says', () => {
  test('nothing destructive follows from what cannot be told', () => {
    const unclear: readonly Seen['kind'][] = ['unreadable', 'busy', 'incomplete', 'removing'];
    const found = wrong((cell) => {
      const step = stepOf(cell);
      return step && unclear.includes(cell.seen.kind) && DESTRUCTIVE.includes(step.do) ? step.do : undefined;
    });
    expect(found).toEqual([]);
  });

  test('nothing is written at all while sysfs cannot be read or a helper writes', () => {
    const found = wrong((cell) => (readable(cell) ? undefined : stepOf(cell)?.do));
    expect(found).toEqual([]);
  });

  test('a device is removed only at the very place that is held, on its way out, removable and not in use', () => {
    const found = wrong((cell) => {
      const step = stepOf(cell);
      if (step?.do !== 'remove') return undefined;
      const right =
        at(step.place) === heldPlace(cell) &&
        standsHere(cell) &&
        isPhase(cell, 'releasing', 'fenced') &&
        removable(cell) &&
        !inUse(cell);
      return right ? undefined : 'removed';
    });
    expect(found).toEqual([]);
  });

  test('a device is created only from reserved, where none is seen', () => {
    const found = wrong((cell) => {
      if (stepOf(cell)?.do !== 'create') return undefined;
      const right = holding(cell, 'reserved') && cell.held?.whose === 'same' && cell.seen.kind === 'absent';
      return right ? undefined : 'created';
    });
    expect(found).toEqual([]);
  });

  test('a UUID is given back only when no device of this host can be there', () => {
    const found = wrong((cell) => {
      const what = stepOf(cell)?.do;
      if (what !== 'release' && what !== 'forget') return undefined;
      return cell.seen.kind === 'absent' || cell.held?.phase === 'claiming' ? undefined : what;
    });
    expect(found).toEqual([]);
  });

  test('nothing is done to a device of a UUID that is not declared, or of a generation that has ended', () => {
    const found = wrong((cell) => (cell.desired === 'none' || isEnded(cell) ? stepOf(cell)?.do : undefined));
    expect(found).toEqual([]);
  });

  test('a fenced host creates nothing and changes nothing', () => {
    const harmless: readonly unknown[] = [undefined, 'remove', 'forget'];
    const found = wrong((cell) => {
      const what = stepOf(cell)?.do;
      return fenced(cell) && !harmless.includes(what) ? what : undefined;
    });
    expect(found).toEqual([]);
  });

  test('it is a pure function of what it is given', () => {
    const found = wrong((cell) => {
      const known = deepFreeze(knownOf(cell));
      const observed = deepFreeze(observedOf(cell.seen));
      const [first, second] = [plan(known, observed), plan(known, observed)];
      return JSON.stringify(first) === JSON.stringify(second) ? undefined : 'two answers';
    });
    expect(found).toEqual([]);
  });
});

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const part of Object.values(value)) deepFreeze(part);
  return Object.freeze(value);
}

describe('where it looks', () => {
  type Case = {
    readonly what: string;
    readonly desired: Cell['desired'];
    readonly held: Omit<Held, 'applied'> | null;
    readonly place: Claim | null;
    readonly use: boolean;
  };
  const CASES: readonly Case[] = [
    {
      what: 'nowhere for what is neither declared nor held',
      desired: 'none',
      held: null,
      place: null,
      use: false,
    },
    {
      what: 'nowhere for what is withdrawn and given back',
      desired: 'absent',
      held: null,
      place: null,
      use: false,
    },
    { what: 'at the declared place', desired: 'present', held: null, place: HERE, use: false },
    {
      what: 'at the declared place while it is held',
      desired: 'present',
      held: { phase: 'active', whose: 'same' },
      place: HERE,
      use: false,
    },
    {
      what: 'at the place of the old claim, and at its use, while that leaves',
      desired: 'present',
      held: { phase: 'active', whose: 'other' },
      place: OTHER,
      use: true,
    },
    {
      what: 'at the held place, and at its use, once withdrawn',
      desired: 'absent',
      held: { phase: 'releasing', whose: 'same' },
      place: HERE,
      use: true,
    },
    {
      what: 'at the use of a device whose release began before it was declared again',
      desired: 'present',
      held: { phase: 'releasing', whose: 'same' },
      place: HERE,
      use: true,
    },
  ];

  test.each(CASES)('$what', ({ desired, held, place, use }) => {
    const reservation = held && holdOf({ ...held, applied: 'nothing' });
    const look = lookFor({ desired: desireOf(desired, '-'), reservation });
    expect(look).toEqual({ place: place && placeOf(at(place)), use });
  });

  test('it knows whether a device is in use wherever it would remove it', () => {
    const found = wrong((cell) => {
      const step = stepOf(cell);
      const look = lookFor(knownOf(cell));
      return step?.do === 'remove' && !look.use ? 'would not have looked' : undefined;
    });
    expect(found).toEqual([]);
  });
});
