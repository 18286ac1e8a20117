/**
 * Why an operator does what cannot be undone: given with --reason, and kept with the act.
 */
import { Failure } from '../exit.ts';

/** The reason as given. Throws a Failure when there is none; `doing` names the act. */
export function reasonOf(given: unknown, doing: string): string {
  if (typeof given === 'string' && given.trim() !== '') return given;
  throw new Failure(`${doing}: no reason was given`, {
    outcome: 'usage',
    wayOut: 'add --reason TEXT: it is kept with the act',
  });
}
