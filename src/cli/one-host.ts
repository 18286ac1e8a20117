/**
 * What other tools know of one host only must not be shown of several.
 */
import type { HostId } from '../../events/names.ts';
import { Failure } from '../exit.ts';

/** Most hosts that are named. */
const HOSTS_MAX = 5;

/** The items of that host, or all if they are of one. Throws a Failure when somebody has to choose. */
export function oneHost<T extends { readonly host: HostId }>(
  items: readonly T[],
  host: HostId | undefined,
): readonly T[] {
  if (host !== undefined) return items.filter((one) => one.host === host);
  const hosts = [...new Set(items.map((one) => one.host))].sort();
  if (hosts.length <= 1) return items;
  const named = hosts.slice(0, HOSTS_MAX).join(', ') + (hosts.length > HOSTS_MAX ? ', …' : '');
  throw new Failure(
    `showing devices to mdevctl: it knows one host, and there are ${hosts.length}: ${named}`,
    {
      outcome: 'usage',
      wayOut: 'choose one with --host',
    },
  );
}
