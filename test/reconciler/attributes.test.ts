import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Attribute } from '../../events/names.ts';
import { appliedWith, readings, singles, writesBetween } from '../../reconciler/attributes.ts';

/** `a1 b2` is a=1, then b=2. */
function list(short: string): readonly Attribute[] {
  if (short === '') return [];
  return short.split(' ').map((one) => ({ name: one.slice(0, 1), value: one.slice(1) }));
}

function show(attributes: readonly Attribute[] | undefined): string | undefined {
  return attributes?.map(({ name, value }) => name + value).join(' ');
}

type Case = { applied: string; declared: string; writes: string | undefined; why: string };

const CASES: readonly Case[] = [
  { applied: '', declared: '', writes: '', why: 'nothing was, and nothing is wanted' },
  { applied: '', declared: 'b1 a2', writes: 'b1 a2', why: 'a new device gets all, in the declared order' },
  { applied: 'a1 b2', declared: 'a1 b2', writes: '', why: 'nothing differs' },
  {
    applied: 'a1',
    declared: 'a1 b2 b2',
    writes: 'b2 b2',
    why: 'what is new at the end is added, repeats too',
  },
  { applied: 'a1 a2', declared: 'a1 a2 a3', writes: 'a3', why: 'a list of assignments only grows' },
  { applied: 'a1 b2', declared: 'a1 b3', writes: 'b3', why: 'a value is written over' },
  { applied: 'a1', declared: 'b2 a1', writes: 'b2', why: 'a name may come in anywhere, if none repeats' },
  { applied: 'b2 a1', declared: 'a1 b2', writes: '', why: 'order means nothing, if no name repeats' },
  { applied: 'a1 b2', declared: 'a1', writes: undefined, why: 'a name cannot be taken back' },
  { applied: 'a1', declared: '', writes: undefined, why: 'nor can the only one' },
  { applied: 'a1 a2', declared: 'a1', writes: undefined, why: 'nor an assignment' },
  { applied: 'a1 a2', declared: 'a1 a3', writes: undefined, why: 'nor can an assignment be changed' },
  { applied: 'a1', declared: 'b2 a1 a3', writes: undefined, why: 'order matters where names repeat' },
];

describe('the writes between two lists of attributes', () => {
  test.each(CASES)('from [$applied] to [$declared]: $why', ({ applied, declared, writes }) => {
    expect(show(writesBetween(list(applied), list(declared)))).toBe(writes);
  });

  const attributes = fc.array(
    fc.record({ name: fc.constantFrom('a', 'b', 'c'), value: fc.constantFrom('1', '2') }),
    { maxLength: 4 },
  );

  test('lead from the one to the other, on a device that keeps the last value of a name', () => {
    fc.assert(
      fc.property(attributes, attributes, (applied, declared) => {
        const writes = writesBetween(applied, declared);
        if (writes === undefined) return;
        const after = new Map([...applied, ...writes].map(({ name, value }) => [name, value]));
        expect(after).toEqual(new Map(declared.map(({ name, value }) => [name, value])));
      }),
    );
  });

  test('lead from the one to the other, on a device that keeps every assignment in order', () => {
    fc.assert(
      fc.property(attributes, attributes, (applied, declared) => {
        fc.pre(repeats(applied) || repeats(declared));
        const writes = writesBetween(applied, declared);
        if (writes !== undefined) expect([...applied, ...writes]).toEqual(declared);
      }),
    );
  });

  test('are only ever writes that were declared, and none twice that was applied and is unchanged', () => {
    fc.assert(
      fc.property(attributes, attributes, (applied, declared) => {
        const writes = writesBetween(applied, declared) ?? [];
        for (const one of writes) expect(declared).toContainEqual(one);
        expect(writesBetween(declared, declared)).toEqual([]);
        expect(writesBetween([], declared)).toEqual(declared);
      }),
    );
  });

  test('may stop anywhere: the rest of them is what is left to write', () => {
    fc.assert(
      fc.property(attributes, attributes, fc.nat(4), (applied, declared, count) => {
        const writes = writesBetween(applied, declared);
        fc.pre(writes !== undefined);
        const sofar = appliedWith(applied, writes.slice(0, count), declared);
        expect(writesBetween(sofar, declared)).toEqual(writes.slice(count));
      }),
    );
  });

  test('exist wherever no name repeats and none is taken back', () => {
    fc.assert(
      fc.property(attributes, attributes, (applied, declared) => {
        fc.pre(!repeats(applied) && !repeats(declared));
        const kept = applied.every(({ name }) => declared.some((one) => one.name === name));
        expect(writesBetween(applied, declared) !== undefined).toBe(kept);
      }),
    );
  });
});

describe('the writes where somebody has changed what was applied', () => {
  const CHANGED = [
    { applied: 'a1 b2', declared: 'a1 b2', writes: 'a1', why: 'only what was changed is written again' },
    { applied: 'a1 b2', declared: 'a1 b3', writes: 'a1 b3', why: 'and what is declared anew' },
    { applied: 'b2 a1', declared: 'a1 b2', writes: 'a1', why: 'in whatever order' },
    { applied: 'b1 b2 a1', declared: 'b1 b2 a1', writes: 'a1', why: 'what repeats is not repeated' },
    { applied: 'a1 b1 b2', declared: 'a1 b1 b2 b3', writes: 'a1 b3', why: 'but what is new of it is added' },
    { applied: 'a1 b1 b2', declared: 'a1 b2', writes: undefined, why: 'nor is anything taken back' },
  ];

  test.each(CHANGED)('a in [$applied], to [$declared]: $why', ({ applied, declared, writes }) => {
    expect(show(writesBetween(list(applied), list(declared), ['a']))).toBe(writes);
  });

  test('leave a list as declared, and may stop anywhere', () => {
    const values = fc.constantFrom('1', '2');
    const attributes = fc.array(fc.record({ name: fc.constantFrom('b', 'c'), value: values }), {
      maxLength: 3,
    });
    fc.assert(
      fc.property(attributes, attributes, fc.nat(3), fc.nat(4), (before, added, at, count) => {
        const applied = [...before.slice(0, at), { name: 'a', value: '1' }, ...before.slice(at)];
        const declared = [...applied, ...added];
        const writes = writesBetween(applied, declared, ['a']) ?? [];
        expect(writes.filter(({ name }) => name === 'a')).toHaveLength(1);
        const now = appliedWith(applied, writes, declared, ['a']);
        expect(writesBetween(now, declared)).toEqual([]);
        const sofar = appliedWith(applied, writes.slice(0, count), declared, ['a']);
        const rest = writesBetween(sofar, declared)?.filter(({ name }) => name !== 'a');
        expect(rest).toEqual(writes.slice(count).filter(({ name }) => name !== 'a'));
      }),
    );
  });
});

describe('reading back', () => {
  test.each([
    ['5', '5\n', true],
    [' 5 ', '5', true],
    ['255', '0xff\n', true],
    ['0xFF', '255', true],
    ['0x0a', '0XA', true],
    ['007', '7', true],
    ['99999999999999999999', '99999999999999999998', false],
    ['5', '6', false],
    ['on', '[on] off', false],
    ['-1', '0xffffffff', false],
    ['x', '', false],
    ['10', '0x10', false],
  ])('%j reads as %j: %j', (value, read, same) => {
    const [listed, seen] = [[{ name: 'a', value }], [{ name: 'a', value: read }]];
    const expected = same ? { same: ['a'], other: [] } : { same: [], other: ['a'] };
    expect(readings(['a'], listed, seen)).toEqual(expected);
  });

  test('nothing can be told of what was not read', () => {
    expect(readings(['a'], list('a1'), [])).toEqual({ same: [], other: [] });
  });

  test('only names that stand there once can be compared', () => {
    expect(singles(list('a1 b1 a2 c3'))).toEqual(['b', 'c']);
  });
});

function repeats(attributes: readonly Attribute[]): boolean {
  return new Set(attributes.map(({ name }) => name)).size < attributes.length;
}
