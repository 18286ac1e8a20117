/**
 * Makes a run that fails shorter: less of the plan, and no bad weather if it can be without.
 */
import { type Options, type Run, simulate } from './simulate.ts';

export type Shrunk = { readonly run: Run; readonly only: readonly number[]; readonly calm: boolean };

/**
 * The shortest plan that was found with which the seed still fails, in so many runs at most; `told` is called for each
 * that is shorter.
 */
export async function shrink(
  seed: number,
  options: Options,
  triesMax: number,
  told: (shrunk: Shrunk) => void,
): Promise<Shrunk> {
  const whole = await simulate(seed, options);
  const all = [...whole.plan.keys()].filter((number) => options.only?.has(number) !== false);
  let best: Shrunk = { run: whole, only: all, calm: options.calm ?? false };
  let tries = 0;
  const fails = async (only: readonly number[], calm: boolean): Promise<boolean> => {
    tries += 1;
    const run = await simulate(seed, { ...options, only: new Set(only), calm });
    if (run.violations.length === 0) return false;
    best = { run, only, calm };
    told(best);
    return true;
  };
  await fails(all, true);
  for (let size = Math.ceil(best.only.length / 2); size > 0 && tries < triesMax; ) {
    const isShorter = await withoutOneOf(best.only, size, (rest) => fails(rest, best.calm));
    if (!isShorter) size = size === 1 ? 0 : Math.ceil(size / 2);
    else size = Math.min(size, Math.max(1, Math.ceil(best.only.length / 2)));
  }
  return best;
}

/** True when the plan still fails without some stretch of so many items. */
async function withoutOneOf(
  only: readonly number[],
  size: number,
  fails: (rest: readonly number[]) => Promise<boolean>,
): Promise<boolean> {
  for (let from = only.length; from > 0; from -= size) {
    const begin = Math.max(0, from - size);
    if (await fails([...only.slice(0, begin), ...only.slice(from)])) return true;
  }
  return false;
}
