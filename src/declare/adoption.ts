/**
 * Which of the devices that nobody declared can be declared as they stand, and why the others cannot.
 *
 * Pure. Declared with the parent and type that it has, a device is taken over untouched. One that is declared
 * anywhere in the fleet already is nobody's to adopt: its host would lose to the holder, or take it over by itself.
 */
import type { HostId, Uuid } from '../../events/names.ts';
import type { Row } from '../../events/row.ts';
import { presentByUuid, type Standings } from './diff.ts';
import { didYouMean } from './nearest.ts';

/** What to adopt: these UUIDs, or everything if there are none, as far as it is where and what is said. */
export type Wanted = {
  readonly uuids: readonly Uuid[];
  readonly host?: HostId | undefined;
  readonly parent?: string | undefined;
  readonly type?: string | undefined;
};

/** `left`: why devices stay as they are that were not asked for by name; `refused`: why some cannot that were. */
export type Adoption = {
  readonly rows: readonly Row[];
  readonly left: readonly string[];
  readonly refused: readonly string[];
};

/** Chooses among what hosts last reported. */
export function adoption(reported: readonly Row[], standings: Standings, wanted: Wanted): Adoption {
  const unmanaged = reported.filter(({ state }) => state === 'unmanaged');
  const there = Map.groupBy(unmanaged, ({ uuid }) => uuid);
  const matching = Map.groupBy(
    unmanaged.filter((row) => matches(row, wanted)),
    ({ uuid }) => uuid,
  );
  const declared = presentByUuid(standings);
  const hindrance = (uuid: Uuid): string | null => {
    const holders = declared.get(uuid) ?? [];
    if (holders.length > 0) return `is declared on ${holders.map(({ data }) => data.host).join(', ')}`;
    const [first, ...others] = matching.get(uuid) ?? [];
    if (first === undefined) return whereElse(uuid, reported, there);
    return others.length === 0 ? null : `stands on ${hostsOf([first, ...others])}; choose one with --host`;
  };
  const chosen = wanted.uuids.length > 0 ? wanted.uuids : [...matching.keys()].sort();
  const judged = chosen.map((uuid) => ({ uuid, why: hindrance(uuid) }));
  const hindered = judged.flatMap(({ uuid, why }) => (why === null ? [] : [`${uuid} ${why}`]));
  const rows = judged.flatMap(({ uuid, why }) => (why === null ? (matching.get(uuid) ?? []) : []));
  return wanted.uuids.length > 0
    ? { rows, left: [], refused: hindered }
    : { rows, left: hindered, refused: [] };
}

function matches(row: Row, { host, parent, type }: Wanted): boolean {
  return (
    (host ?? row.host) === row.host &&
    (parent ?? row.parent) === row.parent &&
    (type ?? row.type) === row.type
  );
}

/** Why a UUID that was named is none of those that were asked for. */
function whereElse(uuid: Uuid, reported: readonly Row[], there: ReadonlyMap<Uuid, readonly Row[]>): string {
  const [row] = there.get(uuid) ?? reported.filter((one) => one.uuid === uuid);
  if (row?.state === 'unmanaged') return `is a ${row.type} on ${row.parent} of host ${row.host}`;
  if (row !== undefined) return `is ${row.state} on ${row.host}: somebody has declared it`;
  return `was reported by no host${didYouMean(uuid, there.keys())}`;
}

function hostsOf(rows: readonly Row[]): string {
  return rows.map(({ host }) => host).join(' and ');
}
