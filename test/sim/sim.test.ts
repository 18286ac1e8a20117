/**
 * The seeded simulation of whole agents: the production code in a world that fails all the time.
 */
import { describe, expect, it } from 'vitest';
import { BUGS } from './bugs.ts';
import { simulate } from './simulate.ts';

const SEEDS = 200;
/** Seeds within which a planted bug must be found. */
const BUG_SEEDS_MAX = 60;

/** Seeds that failed once, each with the reason; they run first, for ever. */
const FOUND: readonly { readonly seed: number; readonly why: string }[] = [];

async function violationsOf(seed: number): Promise<readonly string[]> {
  const { violations } = await simulate(seed);
  return violations.map((one) => `${one} (again: npm run sim -- --seed ${seed})`);
}

describe('simulation', () => {
  it.each(FOUND)('seed $seed holds: $why', async ({ seed }) => {
    expect(await violationsOf(seed)).toEqual([]);
  });

  it.each(Array.from({ length: 10 }, (_, at) => at))('seeds of block %i hold', async (block) => {
    const size = SEEDS / 10;
    for (let seed = block * size + 1; seed <= (block + 1) * size; seed += 1) {
      expect(await violationsOf(seed)).toEqual([]);
    }
  });

  it('the same seed gives the same history, byte for byte', async () => {
    for (const seed of [1, 17, 4711]) {
      const [one, other] = [await simulate(seed), await simulate(seed)];
      expect(one.history).toEqual(other.history);
      expect(one.history.length).toBeGreaterThan(100);
    }
    expect((await simulate(1)).digest).not.toBe((await simulate(2)).digest);
  });

  it.each(Object.entries(BUGS))('finds the planted bug: %s', async (_name, bug) => {
    let found: number | undefined;
    for (let seed = 1; seed <= BUG_SEEDS_MAX && found === undefined; seed += 1) {
      if ((await simulate(seed, bug)).violations.length > 0) found = seed;
    }
    expect(found).toBeDefined();
  });
});
