/**
 * Cordons: parents on which no new device is made, until an operator lets it happen again.
 */
import type { EventMeta } from '../events/declaration.ts';
import type { FactOf } from '../events/fact.ts';

/** Whose word it was, and on which parent; null stands for every parent of the host, those to come, too. */
export type Cordon = { readonly parent: string | null; readonly by: EventMeta };

/** The cordons after an act. Ending that of the whole host ends them all. */
export function cordonsAfter(
  cordons: readonly Cordon[],
  { command, parent, event }: FactOf<'cordoned'>,
): readonly Cordon[] {
  if (command === 'uncordon' && parent === null) return [];
  const others = cordons.filter((one) => one.parent !== parent);
  return command === 'uncordon' ? others : [...others, { parent, by: event }];
}

/** What keeps new devices from the parent; null if nothing does. */
export function cordonOn(cordons: readonly Cordon[], parent: string): Cordon | null {
  return cordons.find((one) => one.parent === parent || one.parent === null) ?? null;
}
