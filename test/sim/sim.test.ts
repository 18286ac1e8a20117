/**
 * The seeded simulation of whole agents: the production code in a world that fails all the time.
 */
import { describe, expect, it } from 'vitest';
import { BUGS } from './bugs.ts';
import { shrink } from './shrink.ts';
import { simulate } from './simulate.ts';
import { Workers } from './workers.ts';

/** Of these, each test of a slice runs a part. */
const SEEDS = 102;
const SLICES = 6;
const SHRINK_TRIES_MAX = 15;

async function violationsOf(seed: number): Promise<readonly string[]> {
  const { violations } = await simulate(seed);
  return violations.map((one) => `${one} (again: npm run sim -- --seed ${seed})`);
}

describe('simulation', () => {
  it.each(Array.from({ length: SLICES }, (_, at) => at))('seeds of slice %i hold', async (slice) => {
    const size = SEEDS / SLICES;
    for (let seed = slice * size + 1; seed <= (slice + 1) * size; seed += 1) {
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

  it('the same seed gives the same history in another process', async () => {
    const here = await simulate(23);
    const digests: string[] = [];
    const workers = new Workers(2);
    for await (const { digest } of workers.run([{ seed: 23 }, { seed: 23 }])) digests.push(digest);
    workers.close();
    expect(digests).toEqual([here.digest, here.digest]);
  });

  it('a run that fails is made shorter, and its short plan fails again', async () => {
    const bug = BUGS['reported before it is durable'];
    const { only, calm, run } = await shrink(1, { bug }, SHRINK_TRIES_MAX, () => {});
    expect(only.length).toBeLessThan(run.plan.length / 2);
    expect((await simulate(1, { bug, only: new Set(only), calm })).digest).toBe(run.digest);
  });
});
