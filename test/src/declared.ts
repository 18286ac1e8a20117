/**
 * A desired stream as a plain map: what tests of the difference publish to.
 */
import type { Declaration } from '../../events/declaration.ts';
import { type Change, keyOf, type Standing, type Standings, type Wish } from '../../src/declare/diff.ts';

export const UUID = '5d3c7e0a-2f51-4b1e-9a44-0c8a6f1e2b01';

const EVENT = { id: 'id', source: 'test', time: '2026-01-01T00:00:00Z' };

/** A wish for UUID on host-a, unless said otherwise. */
export function wishOf(change: Partial<Wish> = {}): Wish {
  return { uuid: UUID, host: 'host-a', parent: 'mtty', type: 'mtty-2', set: 'web', ...change };
}

/** Standings as they are after these were published, in order. */
export function declaredBy(...wishes: readonly Omit<Wish, 'set'>[]): Standings {
  const standings = new Map<string, Standing>();
  for (const [index, data] of wishes.entries()) {
    standings.set(keyOf(data), {
      sequence: index + 1,
      declaration: { desired: 'present', event: EVENT, data },
    });
  }
  return standings;
}

/** Standings after the changes; throws when a publication expects another sequence than stands there. */
export function published(standings: Standings, changes: readonly Change[]): Standings {
  const after = new Map(standings);
  let sequence = Math.max(0, ...[...standings.values()].map((one) => one.sequence));
  for (const { desired, data, expected } of changes.flatMap((change) => change.publications)) {
    const here = after.get(keyOf(data))?.sequence ?? 0;
    if (here !== expected) throw new Error(`${keyOf(data)} stands at ${here}, not at ${expected}`);
    sequence += 1;
    after.set(keyOf(data), { sequence, declaration: { desired, event: EVENT, data } as Declaration });
  }
  return after;
}
