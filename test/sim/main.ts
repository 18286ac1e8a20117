/**
 * `npm run sim`: runs seeds of the simulated fleet and says which of them fail, and how to run that again.
 *
 *   --seed N        one seed, with its history on failure
 *   --seeds A..B    a range
 *   --minutes M     as many seeds as fit
 */
import { parseArgs } from 'node:util';
import { type Run, simulate } from './simulate.ts';

/** Lines of history shown for a failure. */
const HISTORY_LINES_MAX = 400;

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string' },
    minutes: { type: 'string' },
    history: { type: 'boolean', default: false },
  },
});

function* seeds(): Generator<number> {
  if (values.seed !== undefined) return yield Number(values.seed);
  const [first = 1, last = 200] = (values.seeds ?? '1..200').split('..').map(Number);
  const endMs = Date.now() + Number(values.minutes ?? 0) * 60_000;
  for (let seed = first; values.minutes === undefined ? seed <= last : Date.now() < endMs; seed += 1)
    yield seed;
}

function tell(run: Run): void {
  const faults = run.history.filter((line) => line.includes(' fault: '));
  console.log(`seed ${run.seed} FAILED\nfaults:\n  ${faults.join('\n  ')}\nviolations:`);
  for (const one of run.violations) console.log(`  ${one}`);
  console.log(`again: npm run sim -- --seed ${run.seed}`);
  if (values.seed !== undefined) console.log(run.history.slice(-HISTORY_LINES_MAX).join('\n'));
}

let passed = 0;
let failed = 0;
for (const seed of seeds()) {
  const run = await simulate(seed);
  if (values.history) console.log(run.history.join('\n'));
  if (run.violations.length === 0) passed += 1;
  else {
    failed += 1;
    tell(run);
  }
}
console.log(`${passed} seeds passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
