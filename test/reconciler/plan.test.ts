/**
 * The planner over its whole cross product.
 *
 * A cell that no rule of the table takes, or more than one, fails, and so does a rule that takes no cell. What the
 * planner must never do is stated once more, apart from the rules.
 */
import { describe, expect, test } from 'vitest';
import { TERMINAL, WAITING } from '../../events/guidance.ts';
import type { Claim } from '../../events/names.ts';
import { lookFor, plan } from '../../reconciler/plan.ts';
import {
  at,
  brief,
  type Cell,
  cells,
  desireOf,
  HERE,
  type Held,
  holdOf,
  knownOf,
  OTHER,
  observedOf,
  placeOf,
  type Seen,
} from './plan-cells.ts';
import {
  fenced,
  heldPlace,
  holding,
  inUse,
  isEnded,
  isPhase,
  RULES,
  readable,
  removable,
  standsHere,
} from './plan-rules.ts';

const ALL = [...cells()];
const planned = (cell: Cell) => plan(knownOf(cell), observedOf(cell));
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

  test('on a cordoned parent no device is made that was not whole there before, and none is asked for', () => {
    const found = wrong((cell) => {
      const what = stepOf(cell)?.do;
      if (!cell.cordoned || cell.held?.phase === 'claiming') return undefined;
      const isNew = cell.seen.kind === 'absent' && cell.held?.existed !== true;
      return isNew && (what === 'create' || what === 'claim') ? what : undefined;
    });
    expect(found).toEqual([]);
  });

  test('a UUID is given back only when no device of this host can be there', () => {
    const found = wrong((cell) => {
      const what = stepOf(cell)?.do;
      if (what !== 'release') return undefined;
      return cell.seen.kind === 'absent' || cell.held?.phase === 'claiming' ? undefined : what;
    });
    expect(found).toEqual([]);
  });

  test('a hold is forgotten only once it is fenced, with no device at its place', () => {
    const found = wrong((cell) => {
      if (stepOf(cell)?.do !== 'forget') return undefined;
      const isGone = cell.seen.kind === 'absent' || (cell.seen.kind === 'present' && !standsHere(cell));
      return fenced(cell) && isGone ? undefined : 'forgotten';
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

  test('a reason ends with its way out, and wakes as its guidance says', () => {
    const found = wrong((cell) => {
      const what = planned(cell);
      if (what.kind === 'waiting') {
        const { hint, wake } = WAITING[what.reason];
        return what.message.endsWith(`; ${hint}`) && what.wake === wake ? undefined : what.message;
      }
      if (what.kind !== 'terminal' || isEnded(cell)) return undefined;
      return what.message.endsWith(`; ${TERMINAL[what.reason].hint}`) ? undefined : what.message;
    });
    expect(found).toEqual([]);
  });

  test('it is a pure function of what it is given', () => {
    const found = wrong((cell) => {
      const known = deepFreeze(knownOf(cell));
      const observed = deepFreeze(observedOf(cell));
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
    expect(look).toEqual({ place: place && placeOf(at(place)), use, attributes: [] });
  });

  test('it reads back what is watched, and only where that matters', () => {
    const found = wrong((cell) => {
      const watched = holding(cell, 'active') || (isEnded(cell) && isPhase(cell, 'active'));
      const asked = lookFor(knownOf(cell)).attributes ?? [];
      if (!watched && asked.length > 0) return `asked for ${asked.join(' ')}`;
      const what = stepOf(cell)?.do;
      const needs = what === 'record-change' || what === 'unwatch';
      return needs && asked.length === 0 ? 'would not have read it' : undefined;
    });
    expect(found).toEqual([]);
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
