import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Attribute } from '../../events/names.ts';
import { appliedWith, writesBetween } from '../../reconciler/attributes.ts';

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

function repeats(attributes: readonly Attribute[]): boolean {
  return new Set(attributes.map(({ name }) => name)).size < attributes.length;
}
