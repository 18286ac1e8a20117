/**
 * How many seeds it takes until each planted bug is found, from several starting seeds.
 */
import { BUGS } from './bugs.ts';
import { Workers } from './workers.ts';

/** Far enough apart that no two searches run the same seed. */
const STARTS = [10_001, 20_001, 30_001, 40_001, 50_001] as const;
/** A bug that so many seeds do not show is not found. */
const SEEDS_MAX = 200;

/** Prints a table in Markdown: the bug, the median and the most of the seeds it took. */
export async function measureBugs(processes: number): Promise<void> {
  const workers = new Workers(processes);
  console.log('| planted bug | median | most |\n|---|---|---|');
  for (const bug of Object.keys(BUGS)) {
    const counts: number[] = [];
    for (const start of STARTS) counts.push(await seedsUntilFound(bug, start, workers));
    counts.sort((a, b) => a - b);
    console.log(`| ${bug} | ${told(counts[counts.length >> 1])} | ${told(counts.at(-1))} |`);
  }
  workers.close();
}

function told(count = Number.POSITIVE_INFINITY): string {
  return Number.isFinite(count) ? String(count) : `more than ${SEEDS_MAX}`;
}

/** The place of the first seed that fails; runs end out of order, so some after it may have been run. */
async function seedsUntilFound(bug: string, start: number, workers: Workers): Promise<number> {
  let first = Number.POSITIVE_INFINITY;
  function* orders() {
    for (let seed = start; seed < Math.min(first, start + SEEDS_MAX); seed += 1) yield { seed, bug };
  }
  for await (const { seed, violations } of workers.run(orders())) {
    if (violations.length > 0) first = Math.min(first, seed);
  }
  return first - start + 1;
}
