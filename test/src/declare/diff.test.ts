import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Attribute } from '../../../events/names.ts';
import {
  type Change,
  claimOf,
  diffAbsent,
  diffPresent,
  keyOf,
  type Standings,
  type Wish,
} from '../../../src/declare/diff.ts';
import { declaredBy, published, UUID, wishOf } from '../declared.ts';

function only(changes: readonly Change[]): Change {
  const [change, ...rest] = changes;
  if (change === undefined || rest.length > 0) throw new Error(`${changes.length} changes`);
  return change;
}

describe('what is published', () => {
  test('all that nobody declared', () => {
    expect(only(diffPresent([wishOf()], new Map()))).toMatchObject({
      action: 'declare',
      ends: [],
      publications: [{ desired: 'present', data: wishOf(), expected: 0 }],
    });
  });

  test('nothing that stands as it should', () => {
    const wish = wishOf({ attributes: [{ name: 'a', value: '1' }], labels: { x: '1', y: '2' } });
    const same = wishOf({ ...wish, labels: { y: '2', x: '1' } });
    expect(only(diffPresent([same], declaredBy(wish)))).toMatchObject({
      action: 'unchanged',
      publications: [],
    });
    expect(only(diffPresent([wishOf({ attributes: [] })], declaredBy(wishOf()))).publications).toEqual([]);
  });

  test.each<[string, Partial<Wish>]>([
    ['attributes', { attributes: [{ name: 'a', value: '1' }] }],
    ['labels', { labels: { a: '1' } }],
  ])('what differs in its %s', (_, change) => {
    expect(only(diffPresent([wishOf(change)], declaredBy(wishOf())))).toMatchObject({
      action: 'update',
      ends: [],
      publications: [{ desired: 'present', expected: 1 }],
    });
  });

  test('the order of attributes is a difference', () => {
    const attributes = [
      { name: 'a', value: '1' },
      { name: 'a', value: '2' },
    ];
    const change = only(
      diffPresent([wishOf({ attributes: attributes.toReversed() })], declaredBy(wishOf({ attributes }))),
    );
    expect(change.action).toBe('update');
  });

  test('what was withdrawn, and what cannot be read', () => {
    const withdrawn = published(declaredBy(wishOf()), diffAbsent([wishOf()], declaredBy(wishOf())));
    const unreadable: Standings = new Map([[keyOf(wishOf()), { sequence: 7, declaration: null }]]);
    expect(only(diffPresent([wishOf()], withdrawn)).publications).toMatchObject([{ expected: 2 }]);
    expect(only(diffPresent([wishOf()], unreadable)).publications).toMatchObject([{ expected: 7 }]);
  });
});

describe('another place for a UUID of the same set', () => {
  const there = wishOf({ parent: 'other' });

  test('on its host: one declaration that names what it replaces', () => {
    expect(only(diffPresent([wishOf()], declaredBy(there)))).toMatchObject({
      action: 'replace',
      ends: [claimOf(there)],
      publications: [{ desired: 'present', data: { replaces: claimOf(there) }, expected: 1 }],
    });
  });

  test('on another host: the successor first, then the withdrawal', () => {
    expect(only(diffPresent([wishOf({ host: 'host-b' })], declaredBy(wishOf())))).toMatchObject({
      action: 'move',
      ends: [claimOf(wishOf())],
      publications: [
        { desired: 'present', data: { host: 'host-b', replaces: claimOf(wishOf()) }, expected: 0 },
        { desired: 'absent', data: { host: 'host-a', uuid: UUID }, expected: 1 },
      ],
    });
  });

  test('a move that was cut short goes on with the withdrawal alone', () => {
    const standings = declaredBy(wishOf());
    const [move] = diffPresent([wishOf({ host: 'host-b' })], standings);
    const half = published(standings, [
      { ...only([move as Change]), publications: move?.publications.slice(0, 1) ?? [] },
    ]);
    expect(only(diffPresent([wishOf({ host: 'host-b' })], half)).publications).toMatchObject([
      { desired: 'absent', data: { host: 'host-a' } },
    ]);
  });

  test('no move while the manifest lists both places', () => {
    const both = [wishOf(), wishOf({ host: 'host-b' })];
    const changes = diffPresent(both, declaredBy(wishOf()));
    expect(changes.map(({ action, ends }) => [action, ends])).toEqual([
      ['unchanged', []],
      ['declare', []],
    ]);
    expect(changes[1]?.warnings.join()).toContain('host-a');
  });

  test('two successors withdraw the old place once', () => {
    const wishes = [wishOf({ host: 'host-b' }), wishOf({ host: 'host-c' })];
    const standings = declaredBy(wishOf());
    const after = published(standings, diffPresent(wishes, standings));
    expect(after.get(keyOf(wishOf()))?.declaration?.desired).toBe('absent');
  });

  test('of several old places the first declared is named, and all are withdrawn', () => {
    const standings = declaredBy(wishOf({ host: 'host-c' }), wishOf({ host: 'host-b' }));
    const change = only(diffPresent([wishOf()], standings));
    expect(change.publications).toMatchObject([
      { data: { replaces: { host: 'host-c' } } },
      { desired: 'absent', data: { host: 'host-c' } },
      { desired: 'absent', data: { host: 'host-b' } },
    ]);
  });
});

describe("another set's UUID is published without touching theirs", () => {
  test.each<[string, Partial<Wish>, RegExp]>([
    ['on another host', { host: 'host-b' }, /on host host-b too/],
    ['on this host, elsewhere', { type: 'mtty-1' }, /in another place/],
    ['on this host, the same', {}, /set web takes it over/],
  ])('%s', (_, change, warning) => {
    const theirs = wishOf({ set: 'theirs', ...change });
    const { ends, publications, warnings } = only(diffPresent([wishOf()], declaredBy(theirs)));
    expect(ends).toEqual([]);
    expect(publications).toHaveLength(1);
    expect(publications[0]?.data).not.toHaveProperty('replaces');
    expect(warnings).toEqual([expect.stringMatching(warning)]);
  });

  test('nor what was declared without a set', () => {
    const { set: _set, ...bare } = wishOf({ host: 'host-b' });
    expect(only(diffPresent([wishOf()], declaredBy(bare))).warnings.join()).toContain('without a set');
  });
});

describe('withdrawals', () => {
  test('what stands is withdrawn, what was withdrawn is not', () => {
    const standings = declaredBy(wishOf());
    const change = only(diffAbsent([wishOf()], standings));
    expect(change).toMatchObject({ action: 'withdraw', publications: [{ desired: 'absent', expected: 1 }] });
    expect(only(diffAbsent([wishOf()], published(standings, [change]))).action).toBe('unchanged');
  });

  test('a UUID that nobody declared is withdrawn all the same: a hold may be left over', () => {
    expect(only(diffAbsent([wishOf()], new Map())).publications).toMatchObject([{ expected: 0 }]);
  });
});

describe('for all manifests and all that was declared before', () => {
  const place = {
    uuid: fc.constantFrom(UUID, UUID.replace(/1$/, '2')),
    host: fc.constantFrom('host-a', 'host-b', 'host-c'),
    parent: fc.constantFrom('p1', 'p2'),
    type: fc.constant('t1'),
    set: fc.constantFrom('web', 'batch'),
    attributes: fc.constantFrom<Attribute[]>([], [{ name: 'a', value: '1' }]),
  };
  const wish: fc.Arbitrary<Wish> = fc.record(place);
  const manifest = fc.uniqueArray(wish, { selector: keyOf, maxLength: 5 });
  const history = fc.array(manifest, { maxLength: 3 });

  const standingsAfter = (manifests: readonly (readonly Wish[])[]) =>
    manifests.reduce<Standings>(
      (standings, wishes) => published(standings, diffPresent(wishes, standings)),
      new Map(),
    );

  test('after it is published, every wish stands and no difference is left', () => {
    fc.assert(
      fc.property(history, manifest, (before, wishes) => {
        const standings = standingsAfter([...before, wishes]);
        for (const one of wishes) {
          expect(standings.get(keyOf(one))?.declaration?.data).toMatchObject({ ...one });
        }
        for (const change of diffPresent(wishes, standings)) {
          expect(change).toMatchObject({ action: 'unchanged', ends: [], publications: [] });
        }
      }),
    );
  });

  test('what another set declared on other subjects stays as it is', () => {
    fc.assert(
      fc.property(history, manifest, (before, wishes) => {
        const standings = standingsAfter(before);
        const sets = new Set(wishes.map((one) => one.set));
        const wished = new Set(wishes.map(keyOf));
        const then = published(standings, diffPresent(wishes, standings));
        for (const [key, { declaration }] of standings) {
          if (declaration?.desired !== 'present' || wished.has(key)) continue;
          if (!sets.has(declaration.data.set ?? '')) expect(then.get(key)?.declaration).toBe(declaration);
        }
      }),
    );
  });

  test('nothing is withdrawn that was not told to end', () => {
    fc.assert(
      fc.property(history, manifest, (before, wishes) => {
        const changes = diffPresent(wishes, standingsAfter(before));
        const withdrawn = changes.flatMap(({ ends, publications }) =>
          publications
            .filter((one) => one.desired === 'absent')
            .map(({ data }) => ({ ends, host: data.host })),
        );
        for (const { ends, host } of withdrawn) expect(ends.map((claim) => claim.host)).toContain(host);
      }),
    );
  });
});
