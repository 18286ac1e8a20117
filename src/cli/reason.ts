/**
 * Why an operator does what cannot be undone: given with --reason, and kept with the act.
 */
import { TEXT_CHARS_MAX } from '../../events/declaration.ts';
import { Failure } from '../exit.ts';

/** The reason as given. Throws a Failure when there is none, or one that does not fit an event; `doing` names the act. */
export function reasonOf(given: unknown, doing: string): string {
  const text = typeof given === 'string' ? given.trim() : '';
  if (text !== '' && text.length <= TEXT_CHARS_MAX) return text;
  const what = text === '' ? 'no reason was given' : `the reason has ${text.length} characters`;
  throw new Failure(`${doing}: ${what}`, {
    outcome: 'usage',
    wayOut: `add --reason TEXT, of at most ${TEXT_CHARS_MAX} characters: it is kept with the act`,
  });
}
