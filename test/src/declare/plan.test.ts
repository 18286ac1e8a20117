import { describe, expect, test } from 'vitest';
import type { Row } from '../../../events/row.ts';
import { diffAbsent, diffPresent, type Standings, type Wish } from '../../../src/declare/diff.ts';
import { planOf, type Seen } from '../../../src/declare/plan.ts';
import { removalsAllowed } from '../../../src/declare/removals.ts';
import { verdicts } from '../../../src/declare/settle.ts';
import { declaredBy, UUID, wishOf } from '../declared.ts';
import { cordonedOn, offersOf, rowOf } from '../look/fleet-seen.ts';

const HOST = offersOf('host-a', ['gpu0', 'gpu1']);

function wish(change: Partial<Wish> = {}): Wish {
  return wishOf({ parent: 'gpu0', type: 'nvidia-222', ...change });
}

function uuidOf(at: number): string {
  return UUID.replace(/..$/, String(10 + at));
}

function seenOf(change: Partial<Seen> = {}): Seen {
  return { standings: new Map(), offers: [HOST], rows: [], ...change };
}

function notesOf(one: Wish, seen = seenOf()): string {
  const plan = planOf(diffPresent([one], seen.standings), seen);
  return plan.changes.flatMap(({ notes }) => notes).join('; ');
}

describe('a plan tells why', () => {
  const labelled = { labels: { a: '1' } };
  test.each<[string, Standings, Wish, string]>([
    ['a new device', new Map(), wish(), 'is not declared yet'],
    ['other attributes', declaredBy(wish()), wish({ attributes: [{ name: 'a', value: '1' }] }), 'attributes'],
    ['other labels', declaredBy(wish()), wish(labelled), 'not the same labels'],
    ['another set', declaredBy(wish({ set: 'theirs' })), wish(labelled), 'not the same labels, set'],
    [
      'another place',
      declaredBy(wish()),
      wish({ parent: 'gpu1' }),
      'stands as nvidia-222 on gpu0 of host host-a',
    ],
    ['nothing', declaredBy(wish()), wish(), ''],
  ])('%s', (_, standings, one, why) => {
    const [change] = planOf(diffPresent([one], standings), seenOf({ standings })).changes;
    expect(change?.why).toContain(why);
    if (why === '') expect(change?.why).toBe('');
  });

  test('and marks what takes a device away', () => {
    const standings = declaredBy(wish());
    const seen = seenOf({ standings });
    const marks = (changes: Parameters<typeof planOf>[0]) =>
      planOf(changes, seen).changes.map(({ disruptive }) => disruptive);
    expect(marks(diffPresent([wish({ parent: 'gpu1' })], standings))).toEqual([true]);
    expect(marks(diffAbsent([wish()], standings))).toEqual([true]);
    expect(marks(diffPresent([wish({ labels: { a: '1' } })], standings))).toEqual([false]);
  });
});

describe('a plan foresees', () => {
  test.each<[string, Partial<Wish>, string]>([
    ['a host that nobody heard of', { host: 'host-b' }, 'nothing was ever reported by host host-b'],
    ['a mistyped host', { host: 'host-aa' }, 'did you mean host-a?'],
    [
      'a parent that is not there',
      { parent: 'gpu2' },
      'ParentAbsent: host host-a has no parent gpu2; did you mean',
    ],
    [
      'a type that is not offered',
      { type: 'nvidia-22' },
      'TypeAbsent: gpu0 offers no nvidia-22; did you mean',
    ],
  ])('%s', (_, change, note) => {
    expect(notesOf(wish(change))).toContain(note);
  });

  test.each<[string, Partial<Row>, string]>([
    ['a device of nobody in another place', { parent: 'gpu1' }, 'ForeignDevice: '],
    ['one that it takes over', {}, 'is taken over'],
  ])('%s', (_, change, note) => {
    const rows = [rowOf({ state: 'unmanaged', generation: null, set: null, ...change })];
    expect(notesOf(wish(), seenOf({ rows }))).toContain(note);
  });

  test('that a UUID is declared elsewhere by another set', () => {
    const standings = declaredBy(wish({ set: 'theirs', host: 'host-z' }));
    expect(notesOf(wish(), seenOf({ standings }))).toContain('one of the two will be in conflict');
  });

  test('that a cordoned parent gets nothing new; what stands there is not new', () => {
    const offers = [cordonedOn(HOST, 'gpu0')];
    expect(notesOf(wish(), seenOf({ offers }))).toContain('Cordoned: gpu0 was cordoned by alice');
    expect(notesOf(wish({ parent: 'gpu1' }), seenOf({ offers }))).toBe('');
    const standings = declaredBy(wish());
    const changed = wish({ labels: { a: '1' } });
    expect(notesOf(changed, seenOf({ offers, standings, rows: [rowOf()] }))).toBe('');
  });

  test('what room is left, across types, and that not all fit', () => {
    const rows = [rowOf({ uuid: uuidOf(0) }), rowOf({ uuid: uuidOf(1), type: 'nvidia-223' })];
    const seen = seenOf({ rows });
    const planned = (count: number) => {
      const wishes = Array.from({ length: count }, (_, at) => wish({ uuid: uuidOf(5 + at) }));
      return planOf(diffPresent(wishes, seen.standings), seen);
    };
    const where = { host: 'host-a', parent: 'gpu0', type: 'nvidia-222', capacity: 4 };
    expect(planned(1).rooms).toEqual([{ ...where, before: 1, after: 0 }]);
    expect(planned(1).changes.flatMap(({ notes }) => notes)).toEqual([]);
    expect(planned(2).rooms).toEqual([{ ...where, before: 1, after: -1 }]);
    expect(planned(2).changes[0]?.notes).toEqual(['NoCapacity: not all fit on gpu0']);
  });

  test('that room comes back with what leaves', () => {
    const standings = declaredBy(wish());
    const seen = seenOf({ standings, rows: [rowOf()] });
    const plan = planOf(diffPresent([wish({ parent: 'gpu1' })], standings), seen);
    expect(plan.rooms.map(({ parent, before, after }) => [parent, before, after])).toEqual([
      ['gpu0', 3, 4],
      ['gpu1', 4, 3],
    ]);
  });
});

describe('what has become of a declaration', () => {
  const awaited = { host: 'host-a', uuid: UUID, desired: 'present', sequence: 7 } as const;
  const at = (sequence: number) => ({ generation: { epoch: 1, sequence } });

  test.each<[string, readonly Row[], string, string | null]>([
    ['nothing was reported', [], 'waiting', 'NotReported'],
    ['an older one was ready', [rowOf(at(6))], 'waiting', 'NotReported'],
    ['it is ready', [rowOf(at(7))], 'settled', null],
    ['it waits', [rowOf({ ...at(7), state: 'waiting', reason: 'NoCapacity' })], 'waiting', 'NoCapacity'],
    [
      'it was refused',
      [rowOf(at(6)), rowOf({ ...at(7), state: 'conflict', reason: 'ClaimDiffers' })],
      'terminal',
      'ClaimDiffers',
    ],
    [
      'it failed',
      [rowOf({ ...at(7), state: 'failed', reason: 'InvalidArgument' })],
      'terminal',
      'InvalidArgument',
    ],
  ])('%s', (_, rows, state, reason) => {
    expect(verdicts([awaited], rows)).toMatchObject([{ host: 'host-a', uuid: UUID, state, reason }]);
  });

  test.each<[string, readonly Row[], string]>([
    ['still there', [rowOf()], 'waiting'],
    ['gone', [], 'settled'],
    ["somebody's that never was ours", [rowOf({ state: 'unmanaged' })], 'settled'],
  ])('withdrawn, and %s', (_, rows, state) => {
    expect(verdicts([{ ...awaited, desired: 'absent' }], rows)).toMatchObject([{ state }]);
  });
});

test.each<[string, number, number | null]>([
  ['0', 50, 0],
  ['12', 50, 12],
  ['10%', 55, 5],
  ['100%', 55, 55],
  ['101%', 55, null],
  ['-1', 55, null],
  ['ten', 55, null],
])('--max-removals %s of %i allows %j', (text, of, allowed) => {
  expect(removalsAllowed(text, of)).toBe(allowed);
});
