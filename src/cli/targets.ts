/**
 * Which host is meant by a UUID on the command line: the one on which it is declared.
 *
 * A UUID that is declared on several hosts needs --host; every UUID that is not clear is told at once.
 */
import { type HostId, type Uuid, uuid } from '../../events/names.ts';
import { presentByUuid, type Standings } from '../declare/diff.ts';
import { Failure } from '../exit.ts';

export type Target = { readonly host: HostId; readonly uuid: Uuid };

/** The UUIDs as given. Throws a Failure that lists those that are none. */
export function uuidsOf(args: readonly string[]): readonly Uuid[] {
  const wrong = args.filter((one) => !uuid.safeParse(one).success);
  if (wrong.length === 0) return [...new Set(args)];
  throw new Failure(`reading the arguments: not a UUID: ${wrong.join(', ')}`, {
    outcome: 'usage',
    wayOut: 'a UUID is 8-4-4-4-12 hexadecimal digits in lower case',
  });
}

/** One target for each UUID. Throws a Failure that lists those of which the host is not clear. */
export function targetsOf(
  uuids: readonly Uuid[],
  standings: Standings,
  host: HostId | undefined,
): readonly Target[] {
  if (host !== undefined) return uuids.map((one) => ({ host, uuid: one }));
  const present = presentByUuid(standings);
  const withdrawn = hostsByUuid(standings);
  const unclear: string[] = [];
  const targets = uuids.flatMap((one) => {
    const hosts = present.get(one)?.map(({ data }) => data.host) ?? withdrawn.get(one) ?? [];
    const [only] = hosts;
    if (only !== undefined && hosts.length === 1) return [{ host: only, uuid: one }];
    unclear.push(
      `\n  ${one} ${only === undefined ? 'is declared on no host' : `is declared on ${hosts.join(', ')}`}`,
    );
    return [];
  });
  if (unclear.length === 0) return targets;
  throw new Failure(`finding the hosts of the devices:${unclear.join('')}`, {
    outcome: 'refused',
    wayOut: 'name the host with --host; `mdevfleet get devices` shows what is declared',
  });
}

/** Hosts on whose subject of a UUID anything was ever published. */
function hostsByUuid(standings: Standings): ReadonlyMap<string, readonly HostId[]> {
  const found = new Map<string, HostId[]>();
  for (const { declaration } of standings.values()) {
    if (declaration === null) continue;
    const { uuid: key, host } = declaration.data;
    found.set(key, [...(found.get(key) ?? []), host]);
  }
  return found;
}
