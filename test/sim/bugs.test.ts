/**
 * A simulation that finds nothing shows nothing: it has to find every planted bug, soon.
 */
import { describe, expect, it } from 'vitest';
import { BUGS } from './bugs.ts';
import { simulate } from './simulate.ts';

/** Seeds within which a planted bug must be found; README.md has the medians. */
const SEEDS_MAX = 400;
/** For so many, on a busy machine. */
const SEARCH_MS_MAX = 300_000;

describe('the simulation finds the planted bug', () => {
  it.each(Object.entries(BUGS))('%s', { timeout: SEARCH_MS_MAX }, async (_name, bug) => {
    let found: number | undefined;
    for (let seed = 1; seed <= SEEDS_MAX && found === undefined; seed += 1) {
      if ((await simulate(seed, { bug })).violations.length > 0) found = seed;
    }
    expect(found).toBeDefined();
  });
});
