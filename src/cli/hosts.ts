/**
 * Hosts that are named on the command line.
 */
import { type HostId, hostId } from '../../events/names.ts';
import { subjectFilter } from '../../events/subject.ts';
import { didYouMean } from '../declare/nearest.ts';
import { Failure } from '../exit.ts';
import { knownHosts } from '../fleet.ts';
import type { Fleet } from './open.ts';

/** The hosts as given. Throws a Failure that lists those that are none. */
export function hostsOf(args: readonly string[]): readonly HostId[] {
  const wrong = args.filter((one) => !hostId.safeParse(one).success);
  if (wrong.length === 0) return [...new Set(args)];
  throw new Failure(`reading the arguments: not a host id: ${wrong.join(', ')}`, {
    outcome: 'usage',
    wayOut: 'a host id is lower case letters, digits, dots and dashes',
  });
}

/**
 * A line for each host of which the fleet knows nothing. A host may be told something before its agent ever ran, but
 * more often its name is mistyped: only then are all others looked up.
 */
export async function strangers(fleet: Fleet, hosts: readonly HostId[]): Promise<readonly string[]> {
  const isKnown = await Promise.all(hosts.map((host) => isKnownTo(fleet, host)));
  const strange = hosts.filter((_, at) => isKnown[at] === false);
  if (strange.length === 0) return [];
  const known = await knownHosts(fleet.streams, fleet.prefix);
  return strange.map(
    (host) => `nothing was ever declared for or reported by host ${host}${didYouMean(host, known)}`,
  );
}

async function isKnownTo({ streams, prefix }: Fleet, host: HostId): Promise<boolean> {
  for (const name of ['observed', 'desired'] as const) {
    if ((await streams[name].last(subjectFilter(prefix, name, { host }))) !== undefined) return true;
  }
  return false;
}
