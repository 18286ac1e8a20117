/**
 * `npm run sim`: runs seeds of the simulated fleet and says which of them fail, and how to run that again.
 *
 *   --seed N                one seed; on failure with the end of its history
 *   --seed N --shrink       and looks for the shortest plan that still fails
 *   --seed N --only 3,7     of its plan, only these items; --calm: in fair weather
 *   --seeds A..B            a range, on two processes
 *   --minutes M             as many seeds as fit, from 1 or from A on
 *   --bug NAME              with a planted bug; --bugs lists them with the seeds until each is found
 */
import { parseArgs } from 'node:util';
import { BUGS } from './bugs.ts';
import { measureBugs } from './measure-bugs.ts';
import { shrink } from './shrink.ts';
import { type Options, type Run, simulate } from './simulate.ts';
import type { Order } from './worker.ts';
import { Workers } from './workers.ts';

/** Lines of history shown for a failure. */
const HISTORY_LINES_MAX = 400;
/** Runs that are tried before what was found by then must do. */
const SHRINK_TRIES_MAX = 300;
/** Seeds between two words of progress. */
const PROGRESS_SEEDS = 100;

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string' },
    minutes: { type: 'string' },
    processes: { type: 'string', default: '2' },
    only: { type: 'string' },
    calm: { type: 'boolean', default: false },
    bug: { type: 'string' },
    bugs: { type: 'boolean', default: false },
    shrink: { type: 'boolean', default: false },
    history: { type: 'boolean', default: false },
  },
});

if (values.bugs) await measureBugs(Number(values.processes));
else if (values.seed !== undefined) await runOne(Number(values.seed));
else await runRange();

async function runOne(seed: number): Promise<void> {
  const options: Options = {
    bug: values.bug === undefined ? undefined : BUGS[values.bug],
    only: values.only === undefined ? undefined : new Set(values.only.split(',').map(Number)),
    calm: values.calm,
  };
  const run = await simulate(seed, options);
  if (run.violations.length === 0) {
    if (values.history) console.log(run.history.join('\n'));
    return console.log(`seed ${seed} passed; digest ${run.digest}`);
  }
  process.exitCode = 1;
  if (values.shrink) return shorten(seed, options);
  tell(run, options.only);
  console.log(`\nshorter: ${again(seed)} --shrink`);
}

async function shorten(seed: number, options: Options): Promise<void> {
  const { run, only, calm } = await shrink(seed, options, SHRINK_TRIES_MAX, (shrunk) => {
    console.log(`still fails with ${shrunk.only.length} items${shrunk.calm ? ', in fair weather' : ''}`);
  });
  tell(run, new Set(only));
  console.log(`\nagain: ${again(seed)} --only ${only.join(',')}${calm ? ' --calm' : ''}`);
}

function tell({ seed, plan, violations, history }: Run, only: ReadonlySet<number> | undefined): void {
  const planned = plan.filter((_, number) => only?.has(number) !== false);
  console.log(`seed ${seed} FAILED\nplan:\n  ${planned.join('\n  ')}`);
  const shown = values.history ? history : history.slice(-HISTORY_LINES_MAX);
  console.log(`history, ${shown.length} of ${history.length} lines:\n  ${shown.join('\n  ')}`);
  console.log(`violations:\n  ${violations.join('\n  ')}`);
}

function again(seed: number): string {
  return `npm run sim -- --seed ${seed}${values.bug === undefined ? '' : ` --bug '${values.bug}'`}`;
}

function* orders(): Generator<Order> {
  const [first = 1, last = 200] = (values.seeds ?? '1..200').split('..').map(Number);
  const endMs = Date.now() + Number(values.minutes ?? 0) * 60_000;
  for (let seed = first; values.minutes === undefined ? seed <= last : Date.now() < endMs; seed += 1) {
    yield values.bug === undefined ? { seed } : { seed, bug: values.bug };
  }
}

async function runRange(): Promise<void> {
  const startMs = Date.now();
  const failed: number[] = [];
  const workers = new Workers(Number(values.processes));
  let done = 0;
  for await (const { seed, violations } of workers.run(orders())) {
    done += 1;
    if (violations.length > 0) {
      failed.push(seed);
      console.log(
        `seed ${seed} FAILED: ${violations.slice(0, 3).join('\n  ')}\n  again: ${again(seed)} --shrink`,
      );
    }
    const perSecond = (done * 1_000) / (Date.now() - startMs);
    if (done % PROGRESS_SEEDS === 0)
      console.log(`${done} seeds, ${failed.length} failed, ${perSecond.toFixed(1)}/s`);
  }
  workers.close();
  const seconds = ((Date.now() - startMs) / 1_000).toFixed(0);
  console.log(`${done - failed.length} seeds passed, ${failed.length} failed, in ${seconds} s`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}
