/**
 * What the demo says, it has looked at: a sentence that does not hold ends it.
 */
import { Failure } from '../exit.ts';

/** Throws a Failure unless the condition holds; `what` completes "it is not so that …". */
export function confirm(holds: boolean, what: string): asserts holds {
  if (holds) return;
  throw new Failure(`showing the demo: it is not so that ${what}`, {
    outcome: 'unexpected',
    wayOut: 'look into DIR/logs',
  });
}
