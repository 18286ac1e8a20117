import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { diffPresent, diffPruned, keyOf, type Standings, type Wish } from '../../../src/declare/diff.ts';
import { expand, type Known } from '../../../src/declare/expand.ts';
import { type Declared, parseManifests } from '../../../src/declare/manifest.ts';
import type { HostOffers } from '../../../src/declare/offers.ts';
import { poolUuid } from '../../../src/ids.ts';
import { declaredBy, published, wishOf } from '../declared.ts';
import { cordonedOn, offersOf } from '../look/fleet-seen.ts';

const NOTHING: Standings = new Map();
const FLEET = [
  offersOf('a', ['gpu0', 'gpu1'], { gpu: 'true' }),
  offersOf('b', ['gpu0', 'gpu1'], { gpu: 'true' }),
  offersOf('c', ['gpu0'], { gpu: 'false' }),
];

function manifest(body: object): Declared {
  const head = { apiVersion: 'mdevfleet.io/v1', kind: 'DeviceSet', metadata: { name: 'web' } };
  const read = parseManifests([{ name: 'web.yaml', text: JSON.stringify({ ...head, ...body }) }]);
  if (read.kind === 'invalid') throw new Error(JSON.stringify(read.problems));
  return read;
}

function pool(change: object = {}): Declared {
  const one = { name: 'desks', count: 4, type: 'nvidia-222', hosts: { labels: { gpu: 'true' } }, ...change };
  return manifest({ pools: [one] });
}

function knownOf(standings = NOTHING, offers: readonly HostOffers[] = FLEET): Known {
  return { offers, standings, unmanaged: [] };
}

function wishesOf(declared: Declared, known = knownOf()): readonly Wish[] {
  const expanded = expand(declared, known);
  if (expanded.kind === 'unexpanded') throw new Error(expanded.reasons.map(({ reason }) => reason).join());
  return expanded.wishes;
}

function reasonsOf(declared: Declared, known = knownOf()): string {
  const expanded = expand(declared, known);
  return expanded.kind === 'wishes' ? '' : expanded.reasons.map(({ reason }) => reason).join('; ');
}

function places(wishes: readonly Wish[]): readonly string[] {
  return wishes.map(({ host, parent }) => `${host} ${parent}`);
}

describe('a pool', () => {
  test('becomes devices on chosen hosts, spread, each with a UUID that never changes', () => {
    const attributes = [{ name: 'rate', value: '1' }];
    const wishes = wishesOf(pool({ attributes, labels: { owner: 'me' } }));
    expect(places(wishes)).toEqual(['a gpu0', 'b gpu0', 'a gpu1', 'b gpu1']);
    expect(wishes[1]).toEqual({
      ...{ uuid: poolUuid('web', 'desks', 1), host: 'b', parent: 'gpu0', type: 'nvidia-222', set: 'web' },
      attributes,
      labels: { owner: 'me', 'mdevfleet.io/pool': 'desks', 'mdevfleet.io/index': '1' },
    });
    expect(poolUuid('web', 'desks', 1)).toBe('1762d8ec-50b0-5faa-a5e4-9533ee6a463d');
  });

  test('takes a type by the name that its driver gives it', () => {
    expect(wishesOf(pool({ type: 'NVIDIA T4-1B' }))).toEqual(wishesOf(pool()));
  });

  test('places nothing new on a cordoned parent, and keeps what is there', () => {
    const [a, ...others] = FLEET;
    if (a === undefined) throw new Error('there is no host');
    const cordoned = [cordonedOn(a, 'gpu0'), ...others];
    expect(places(wishesOf(pool(), knownOf(NOTHING, cordoned)))).toEqual([
      'a gpu1',
      'b gpu0',
      'b gpu1',
      'a gpu1',
    ]);
    const standings = declaredBy(...wishesOf(pool({ count: 2 })));
    const grown = wishesOf(pool({ count: 3 }), knownOf(standings, cordoned));
    expect(places(grown)).toEqual(['a gpu0', 'b gpu0', 'a gpu1']);
    const onA = pool({ count: 6, hosts: { names: ['a'] } });
    expect(reasonsOf(onA, knownOf(NOTHING, cordoned))).toContain('; 1 parents are cordoned');
  });

  test('applied twice changes nothing, and grown keeps what it has', () => {
    const standings = published(NOTHING, diffPresent(wishesOf(pool()), NOTHING));
    const again = diffPresent(wishesOf(pool(), knownOf(standings)), standings);
    expect(again.every(({ action }) => action === 'unchanged')).toBe(true);
    const grown = diffPresent(wishesOf(pool({ count: 9 }), knownOf(standings)), standings);
    expect(grown.map(({ action }) => action)).toEqual([
      ...Array(4).fill('unchanged'),
      ...Array(5).fill('declare'),
    ]);
  });

  test('shrunk loses what is not named any more when it is pruned, the last ones', () => {
    const standings = published(NOTHING, diffPresent(wishesOf(pool()), NOTHING));
    const declared = pool({ count: 3 });
    const changes = diffPresent(wishesOf(declared, knownOf(standings)), standings);
    expect(diffPruned(declared.sets, changes, standings)).toMatchObject([
      { action: 'withdraw', uuid: poolUuid('web', 'desks', 3), ends: [] },
    ]);
  });

  test('moves only what was on a parent that is gone, or on a host that is not meant any more', () => {
    const standings = published(NOTHING, diffPresent(wishesOf(pool()), NOTHING));
    const fewer = [
      offersOf('a', ['gpu0', 'gpu1'], { gpu: 'true' }),
      offersOf('b', ['gpu1'], { gpu: 'true' }),
    ];
    const changes = diffPresent(wishesOf(pool(), knownOf(standings, fewer)), standings);
    expect(changes.map(({ action }) => action)).toEqual(['unchanged', 'replace', 'unchanged', 'unchanged']);
    const only = diffPresent(wishesOf(pool({ hosts: { names: ['a'] } }), knownOf(standings)), standings);
    expect(only.map(({ action }) => action)).toEqual(['unchanged', 'move', 'unchanged', 'move']);
  });

  test('may change its type though its parents are full of the old one', () => {
    const standings = published(NOTHING, diffPresent(wishesOf(pool({ count: 8 })), NOTHING));
    const wishes = wishesOf(pool({ count: 8, type: 'nvidia-223' }), knownOf(standings));
    expect(new Set(wishes.map(({ type }) => type))).toEqual(new Set(['nvidia-223']));
  });

  test('leaves room for devices beside it, declared or not, and for other pools', () => {
    const theirs = ['1', '2', '3'].map((last) =>
      wishOf({ uuid: wishOf().uuid.replace(/1$/, last), host: 'c', parent: 'gpu0', type: 'nvidia-222' }),
    );
    const foreign = { host: 'c', parent: 'gpu0', type: 'nvidia-222' };
    const onC = (count: number) => pool({ count, hosts: { names: ['c'] } });
    expect(reasonsOf(onC(1), knownOf(declaredBy(...theirs)))).toBe('');
    expect(reasonsOf(onC(2), knownOf(declaredBy(...theirs)))).toContain('no room for 1 of 2 devices');
    expect(reasonsOf(onC(1), { ...knownOf(declaredBy(...theirs)), unmanaged: [foreign] })).toContain(
      'no room',
    );
    const two = manifest({
      pools: ['one', 'two'].map((name) => ({
        ...{ name, count: 3, type: 'nvidia-222', hosts: { names: ['c'] } },
      })),
    });
    expect(reasonsOf(two)).toBe('pool two: there is no room for 2 of 3 devices on 1 parents of 1 hosts');
  });

  test.each<[object, string]>([
    [{ hosts: { labels: { gpu: 'yes' } } }, 'none of 3 hosts is gpu=yes'],
    [{ hosts: { names: ['host-aa'] } }, 'none of 3 hosts is host-aa'],
    [{ type: 'nvidia-22' }, 'none of 2 hosts offers nvidia-22; did you mean nvidia-222'],
    [{ parents: ['gpu7'] }, 'none of 2 hosts offers nvidia-222 on gpu7'],
  ])('%j is told why it has no place', (change, reason) => {
    expect(reasonsOf(pool(change))).toContain(reason);
  });

  test('in a fleet of which nobody has told anything, too', () => {
    expect(reasonsOf(pool(), knownOf(NOTHING, []))).toContain('no host has told what it offers yet');
    expect(wishesOf(pool({ count: 0 }), knownOf(NOTHING, []))).toEqual([]);
  });
});

test('a device may name its type as its driver does, on a host that has told so', () => {
  const device = { uuid: wishOf().uuid, host: 'a', parent: 'gpu0', type: 'NVIDIA T4-2B' };
  const declared = manifest({ devices: [device] });
  expect(wishesOf(declared)).toMatchObject([{ type: 'nvidia-223' }]);
  expect(reasonsOf(declared, knownOf(NOTHING, []))).toBe('host a offers no type called NVIDIA T4-2B');
  const id = manifest({ devices: [{ ...device, host: 'unheard-of', type: 'nvidia-9' }] });
  expect(wishesOf(id)).toMatchObject([{ type: 'nvidia-9' }]);
});

test('for all pools, grown and shrunk: no UUID twice, nothing moves, and all is as it would be applied again', () => {
  const counts = fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 5 });
  const spread = fc.constantFrom('parents', 'hosts', 'none');
  fc.assert(
    fc.property(counts, spread, (history, how) => {
      let standings = NOTHING;
      for (const count of history) {
        const wishes = wishesOf(pool({ count, spread: how }), knownOf(standings));
        expect(new Set(wishes.map(({ uuid }) => uuid)).size).toBe(count);
        expect(new Set(wishes.map(keyOf)).size).toBe(count);
        const changes = diffPresent(wishes, standings);
        expect(changes.flatMap(({ ends }) => ends)).toEqual([]);
        standings = published(standings, changes);
        expect(wishesOf(pool({ count, spread: how }), knownOf(standings))).toEqual(wishes);
      }
    }),
  );
});
