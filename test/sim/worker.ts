/**
 * A process that runs the seeds it is sent, and answers with how each went.
 */
import { BUGS } from './bugs.ts';
import { simulate } from './simulate.ts';

/** A seed to run, perhaps with a planted bug. */
export type Order = { readonly seed: number; readonly bug?: string };
export type Report = {
  readonly seed: number;
  readonly digest: string;
  readonly violations: readonly string[];
};

process.on('message', (message) => {
  const { seed, bug } = message as Order;
  void simulate(seed, { bug: bug === undefined ? undefined : BUGS[bug] }).then(({ digest, violations }) => {
    process.send?.({ seed, digest, violations } satisfies Report);
  });
});
process.on('disconnect', () => process.exit());
