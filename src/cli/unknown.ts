/**
 * Names that were asked for and that the fleet does not have: more often mistyped than empty.
 */

import { didYouMean } from '../declare/nearest.ts';
import { knownHosts, readOffers } from '../fleet.ts';
import type { Fleet } from './open.ts';

/** A warning for each host, parent or type among the flags that nobody in the fleet has, with what may have been meant. */
export async function unknownNames(
  { streams, prefix }: Pick<Fleet, 'streams' | 'prefix'>,
  { host, parent, type }: { readonly host?: unknown; readonly parent?: unknown; readonly type?: unknown },
): Promise<readonly string[]> {
  const offers = (parent ?? type) === undefined ? [] : await readOffers(streams.observed, prefix);
  const parents = offers.flatMap(({ inventory }) => inventory.parents);
  const hosts = host === undefined ? [] : [...(await knownHosts(streams, prefix))];
  return [
    ...warning('host', host, hosts),
    ...warning(
      'parent',
      parent,
      parents.map(({ name }) => name),
    ),
    ...warning(
      'type',
      type,
      parents.flatMap(({ types }) => types.map(({ id }) => id)),
    ),
  ];
}

function warning(what: string, given: unknown, known: readonly string[]): readonly string[] {
  if (typeof given !== 'string' || known.includes(given)) return [];
  return [`the fleet has no ${what} ${given}${didYouMean(given, known)}`];
}
