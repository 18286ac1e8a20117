/**
 * What the hosts of a fleet offer, beside the devices that are there: hosts, parents and types as rows.
 *
 * Pure. The types of a parent share a pool of which only the capacities are known: how many devices of a type fit
 * alone. So each device takes 1/capacity of its parent, and what is left of a type is reckoned from that; it is
 * a hint, as `available_instances` is. Where a capacity is not known, nothing is said.
 */
import type { Labels } from '../../events/declaration.ts';
import type { FactOf } from '../../events/fact.ts';
import type { HostId } from '../../events/names.ts';
import type { Row } from '../../events/row.ts';
import { parentKey, ROUNDING } from './pool.ts';

/** A host's inventory, and when it was recorded there. */
export type HostOffers = {
  readonly host: HostId;
  readonly time: string;
  readonly inventory: FactOf<'inventory'>;
};

export type HostRow = {
  readonly host: HostId;
  /** null, as all below, for a host that has not told its inventory. */
  readonly kernel: string | null;
  readonly labels: Labels | null;
  readonly parents: number | null;
  readonly since: string | null;
  readonly devices: number;
  readonly ready: number;
};

export type ParentRow = {
  readonly host: HostId;
  readonly parent: string;
  readonly driver: string | null;
  /** Who keeps new devices from it; null while they may be made there. */
  readonly cordoned: string | null;
  readonly types: readonly TypeRoom[];
  /** Devices that stand on it, of any type. */
  readonly taken: number;
};

export type TypeRoom = {
  readonly type: string;
  readonly name: string | null;
  readonly capacity: number | null;
  readonly taken: number;
  /** How many more fit; null if that is not known. */
  readonly free: number | null;
};

export type TypeRow = {
  readonly type: string;
  readonly name: string | null;
  readonly api: string | null;
  readonly hosts: number;
  readonly parents: number;
  /** Over all parents of which it is known. */
  readonly capacity: number;
  readonly taken: number;
  readonly free: number;
};

/** A device that stands on a parent, or is to. */
export type Standing = { readonly host: HostId; readonly parent: string; readonly type: string };

/** Rows of devices that take room: what waits or has failed may not be there, and a refused claim is not. */
const STANDING: ReadonlySet<Row['state']> = new Set(['ready', 'releasing', 'unmanaged']);

/** Devices that are there. */
export function standingIn(rows: readonly Row[]): readonly Row[] {
  return rows.filter(({ state }) => STANDING.has(state));
}

/** Every host that anything is known of, by name. */
export function hostRows(
  offers: readonly HostOffers[],
  rows: readonly Row[],
  known: Iterable<HostId>,
): readonly HostRow[] {
  const byHost = new Map(offers.map((one) => [one.host, one]));
  const devices = Map.groupBy(rows, ({ host }) => host);
  const hosts = [...new Set([...known, ...byHost.keys(), ...devices.keys()])].sort();
  return hosts.map((host) => {
    const { inventory, time = null } = byHost.get(host) ?? {};
    const own = devices.get(host) ?? [];
    return {
      host,
      kernel: inventory?.kernel ?? null,
      labels: inventory?.labels ?? null,
      parents: inventory === undefined ? null : inventory.parents.length + inventory.omitted,
      since: time,
      devices: own.length,
      ready: own.filter(({ state }) => state === 'ready').length,
    };
  });
}

/** Every parent, by host and name, with the room that the standing devices leave. */
export function parentRows(
  offers: readonly HostOffers[],
  standing: readonly Standing[],
): readonly ParentRow[] {
  const there = Map.groupBy(standing, parentKey);
  const sorted = [...offers].sort((a, b) => (a.host < b.host ? -1 : 1));
  return sorted.flatMap(({ host, inventory }) => {
    const names = new Map(inventory.types.map(({ id, name }) => [id, name]));
    return inventory.parents.map(({ name: parent, driver, cordoned = null, types }) => {
      const taking = (there.get(parentKey({ host, parent })) ?? []).map(({ type }) => type);
      const capacities = capacitiesOf(types);
      const rooms = types.map(({ id, capacity }) => ({
        ...{ type: id, name: names.get(id) ?? null, capacity },
        taken: taking.filter((type) => type === id).length,
        free: atLeastNone(roomFor(id, capacities, taking)),
      }));
      return { host, parent, driver, cordoned, types: rooms, taken: taking.length };
    });
  });
}

/** Every type that is offered anywhere, by id. */
export function typeRows(offers: readonly HostOffers[], parents: readonly ParentRow[]): readonly TypeRow[] {
  const described = new Map(offers.flatMap(({ inventory }) => inventory.types.map((one) => [one.id, one])));
  const rooms = parents.flatMap(({ host, types, cordoned }) =>
    types.map((room) => ({ host, ...room, free: cordoned === null ? room.free : 0 })),
  );
  const byType = [...Map.groupBy(rooms, ({ type }) => type)].sort(([a], [b]) => (a < b ? -1 : 1));
  return byType.map(([type, all]) => ({
    ...{ type, name: described.get(type)?.name ?? null, api: described.get(type)?.api ?? null },
    hosts: new Set(all.map(({ host }) => host)).size,
    parents: all.length,
    capacity: total(all.map(({ capacity }) => capacity)),
    taken: total(all.map(({ taken }) => taken)),
    free: total(all.map(({ free }) => free)),
  }));
}

type Capacity = { readonly id: string; readonly capacity: number | null };

/** How many devices of each type fit on a parent alone; null where that is not known. */
export function capacitiesOf(types: readonly Capacity[]): ReadonlyMap<string, number | null> {
  return new Map(types.map(({ id, capacity }) => [id, capacity]));
}

/**
 * How many more devices of the type fit on a parent with these capacities and devices, negative for how many too many
 * there are; null if that is not known. A device of which no capacity is known takes nothing.
 */
export function roomFor(
  type: string,
  capacities: ReadonlyMap<string, number | null>,
  taking: readonly string[],
): number | null {
  const capacity = capacities.get(type) ?? null;
  if (capacity === null) return null;
  const shares = taking.map((one) => capacities.get(one) ?? 0).filter((one) => one > 0);
  const left = 1 - shares.reduce((sum, one) => sum + 1 / one, 0);
  return Math.floor(capacity * left + ROUNDING);
}

function atLeastNone(room: number | null): number | null {
  return room === null ? null : Math.max(0, room);
}

function total(numbers: readonly (number | null)[]): number {
  return numbers.reduce<number>((sum, one) => sum + (one ?? 0), 0);
}
