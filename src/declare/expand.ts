/**
 * From what manifests declare to wishes: pools become devices, and names of types their ids.
 *
 * Pure. It needs what hosts offer, and what stands declared, which is the memory of where the devices of a pool are.
 * What cannot be expanded is told with its place in the manifest, all of it at once.
 */
import { type Claim, typeName, type Uuid } from '../../events/names.ts';
import { poolUuid } from '../ids.ts';
import { claimOf, presentByUuid, type Standings, type Wish } from './diff.ts';
import type { Declared, Listed, ListedPool, Place } from './manifest.ts';
import { didYouMean } from './nearest.ts';
import { capacitiesOf, type HostOffers, type Standing } from './offers.ts';
import { keptOf, type Places, parentKey, place, type Slot } from './pool.ts';

/** Labels by which a device tells which one of a pool it is. */
export const POOL_LABEL = 'mdevfleet.io/pool';
const INDEX_LABEL = 'mdevfleet.io/index';

/** What the fleet is known to have. */
export type Known = {
  readonly offers: readonly HostOffers[];
  readonly standings: Standings;
  /** Devices that nobody declared; they take room, too. */
  readonly unmanaged: readonly Standing[];
};

/** What cannot be expanded, and why. */
export type Unexpanded = { readonly place: Place; readonly reason: string };

export type Expanded =
  | { readonly kind: 'wishes'; readonly wishes: readonly Wish[] }
  | { readonly kind: 'unexpanded'; readonly reasons: readonly Unexpanded[] };

/** Makes wishes of all that is declared. */
export function expand({ devices, pools }: Declared, known: Known): Expanded {
  const reasons: Unexpanded[] = [];
  const wishes: Wish[] = [];
  const hosts = new Map(known.offers.map((one) => [one.host, one]));
  for (const listed of devices) {
    const type = typeIn(listed, hosts.get(listed.device.host));
    if ('reason' in type) reasons.push({ place: listed.place, reason: type.reason });
    else wishes.push({ ...listed.device, type: type.id, set: listed.set });
  }
  const present = presentByUuid(known.standings);
  const prepared = pools.map((listed) => prepare(listed, known, present));
  let taken = sharesTaken(known, wishes, prepared);
  for (const one of prepared) {
    const expanded = expandPool(one, known, taken);
    if ('reason' in expanded) reasons.push({ place: one.listed.place, reason: expanded.reason });
    else {
      wishes.push(...expanded.wishes);
      taken = expanded.taken;
    }
  }
  return reasons.length > 0 ? { kind: 'unexpanded', reasons } : { kind: 'wishes', wishes };
}

/** The UUIDs that the devices of a pool have. */
export function uuidsOfPool({ set, pool }: ListedPool): readonly Uuid[] {
  return Array.from({ length: pool.count }, (_, index) => poolUuid(set, pool.name, index));
}

type Present = ReturnType<typeof presentByUuid>;
type Typed = { readonly id: string } | { readonly reason: string };

/** The id of a device's type. One that its host does not offer (yet) is taken as an id, if it can be one. */
function typeIn({ device }: Listed, offered: HostOffers | undefined): Typed {
  const parent = offered?.inventory.parents.find(({ name }) => name === device.parent);
  const there = new Set(parent?.types.map(({ id }) => id));
  const types = offered?.inventory.types.filter(({ id }) => parent === undefined || there.has(id)) ?? [];
  const id = types.find((type) => type.id === device.type) ?? types.find(({ name }) => name === device.type);
  if (id !== undefined) return { id: id.id };
  if (typeName.safeParse(device.type).success) return { id: device.type };
  const words = types.flatMap(({ name }) => name ?? []);
  return {
    reason: `host ${device.host} offers no type called ${device.type}${didYouMean(device.type, words)}`,
  };
}

type Pooled =
  | { readonly wishes: readonly Wish[]; readonly taken: ReadonlyMap<string, number> }
  | { readonly reason: string };

/** A pool, where its devices may be, and where they are and stay. */
type Prepared = {
  readonly listed: ListedPool;
  readonly uuids: readonly Uuid[];
  readonly chosen: readonly HostOffers[];
  readonly slots: readonly Slot[];
  readonly kept: Places;
};

function prepare(listed: ListedPool, known: Known, present: Present): Prepared {
  const uuids = uuidsOfPool(listed);
  const chosen = known.offers.filter((one) => isChosen(listed, one));
  const slots = chosen.flatMap((one) => slotsOf(listed, one));
  return { listed, uuids, chosen, slots, kept: keptOf(standingOf(listed.set, uuids, present), slots) };
}

function expandPool(prepared: Prepared, known: Known, taken: ReadonlyMap<string, number>): Pooled {
  const { listed, uuids, chosen, slots, kept } = prepared;
  const { set, pool } = listed;
  if (chosen.length === 0 && pool.count > 0) return { reason: `pool ${pool.name}: ${noHost(listed, known)}` };
  if (slots.length === 0 && pool.count > 0) return { reason: `pool ${pool.name}: ${noType(listed, chosen)}` };
  const { count, spread = 'parents' } = pool;
  const placed = place({ count, spread, kept }, slots, taken);
  const missing = count - placed.places.size;
  if (missing > 0) {
    const over = `${slots.length} parents of ${new Set(slots.map(({ host }) => host)).size} hosts`;
    const kept = chosen
      .flatMap(({ inventory }) => inventory.parents)
      .filter((one) => one.cordoned !== undefined);
    const cordoned = kept.length === 0 ? '' : `; ${kept.length} parents are cordoned`;
    return {
      reason: `pool ${pool.name}: there is no room for ${missing} of ${count} devices on ${over}${cordoned}`,
    };
  }
  const given = pool.attributes === undefined ? {} : { attributes: pool.attributes };
  const wishes = uuids.flatMap((uuid, index) => {
    const claim = placed.places.get(index);
    const labels = { ...pool.labels, [POOL_LABEL]: pool.name, [INDEX_LABEL]: String(index) };
    return claim === undefined ? [] : [{ uuid, ...claim, ...given, labels, set }];
  });
  return { wishes, taken: placed.taken };
}

function isChosen({ pool }: ListedPool, { host, inventory }: HostOffers): boolean {
  const { names, labels = {} } = pool.hosts ?? {};
  if (names !== undefined && !names.includes(host)) return false;
  return Object.entries(labels).every(([key, value]) => inventory.labels[key] === value);
}

function noHost({ pool }: ListedPool, { offers }: Known): string {
  const { names = [], labels = {} } = pool.hosts ?? {};
  if (offers.length === 0) return 'no host has told what it offers yet; are agents running?';
  const hosts = offers.map(({ host }) => host);
  const unknown = names.filter((name) => !hosts.includes(name));
  const hints = unknown.map((name) => didYouMean(name, hosts)).join('');
  const asked = [...names, ...Object.entries(labels).map(([key, value]) => `${key}=${value}`)].join(', ');
  return `none of ${offers.length} hosts is ${asked}${hints}`;
}

function noType({ pool }: ListedPool, chosen: readonly HostOffers[]): string {
  const types = chosen.flatMap(({ inventory }) => inventory.types);
  const words = types.flatMap(({ id, name }) => (name === null ? [id] : [id, name]));
  const where = pool.parents === undefined ? '' : ` on ${pool.parents.join(', ')}`;
  return `none of ${chosen.length} hosts offers ${pool.type}${where}${didYouMean(pool.type, words)}`;
}

function slotsOf({ pool }: ListedPool, { host, inventory }: HostOffers): readonly Slot[] {
  const named = inventory.types.filter(({ name }) => name === pool.type).map(({ id }) => id);
  const ids = inventory.types.some(({ id }) => id === pool.type) ? [pool.type] : named;
  const parents = inventory.parents.filter(({ name }) => pool.parents?.includes(name) ?? true);
  return parents.flatMap(({ name: parent, types, cordoned }) => {
    const type = types.find(({ id }) => ids.includes(id));
    if (type === undefined) return [];
    // What is on a cordoned parent stays there, and there is no room for more.
    const capacity = cordoned === undefined ? (type.capacity ?? 0) : 0;
    return [{ host, parent, type: type.id, capacity }];
  });
}

/** Where the set has declared the pool's devices; of several places the one declared last. */
function standingOf(set: string, uuids: readonly Uuid[], present: Present): Places {
  const found = new Map<number, Claim>();
  for (const [index, uuid] of uuids.entries()) {
    const stand = present.get(uuid)?.findLast(({ data }) => data.set === set);
    if (stand !== undefined) found.set(index, claimOf(stand.data));
  }
  return found;
}

/**
 * What is taken of each parent: by what stands declared, by what nobody declared, by what is wished beside pools, and of
 * the pools by those devices that stay where they are.
 */
function sharesTaken(
  known: Known,
  wishes: readonly Wish[],
  prepared: readonly Prepared[],
): ReadonlyMap<string, number> {
  const pooled = new Set(prepared.flatMap(({ uuids }) => uuids));
  const declared = [...known.standings.values()].flatMap(({ declaration }) =>
    declaration?.desired === 'present' && !pooled.has(declaration.data.uuid) ? [declaration.data] : [],
  );
  const kept = prepared.flatMap((one) => [...one.kept.values()]);
  const devices = new Map([...declared, ...wishes].map((one) => [`${one.host} ${one.uuid}`, one]));
  const capacities = new Map(
    known.offers.flatMap(({ host, inventory }) =>
      inventory.parents.map(({ name: parent, types }) => [parentKey({ host, parent }), capacitiesOf(types)]),
    ),
  );
  const taken = new Map<string, number>();
  for (const one of [...devices.values(), ...kept, ...known.unmanaged]) {
    const key = parentKey(one);
    const capacity = capacities.get(key)?.get(one.type) ?? 0;
    if (capacity > 0) taken.set(key, (taken.get(key) ?? 0) + 1 / capacity);
  }
  return taken;
}
