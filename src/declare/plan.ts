/**
 * A plan: what publishing a difference would do to each device and why, and what can be foreseen to come of it.
 *
 * Pure. What is foreseen rests on what hosts last told, and is a hint: the host decides, later. Steps that take a device
 * away, or make it anew, are marked as disruptive.
 */
import { type Claim, type HostId, sameAttributes, samePlace } from '../../events/names.ts';
import type { Row } from '../../events/row.ts';
import { describe } from '../../store/evolve.ts';
import { type Change, keyOf, type Standings } from './diff.ts';
import { didYouMean } from './nearest.ts';
import { capacitiesOf, type HostOffers, roomFor, type Standing, standingIn } from './offers.ts';
import { parentKey } from './pool.ts';

/** What is known of the fleet when the plan is made. */
export type Seen = {
  readonly standings: Standings;
  readonly offers: readonly HostOffers[];
  readonly rows: readonly Row[];
};

export type Planned = Change & {
  /** Why it changes; empty when it does not. */
  readonly why: string;
  /** Why it may not become what is wished. */
  readonly notes: readonly string[];
  readonly disruptive: boolean;
};

/** Room for more devices of a type on a parent, now and when all is done; negative when not all fit. */
export type RoomChange = Standing & {
  readonly capacity: number;
  readonly before: number;
  readonly after: number;
};

export type Plan = { readonly changes: readonly Planned[]; readonly rooms: readonly RoomChange[] };

/** True for what publishes something. */
export function isOpen({ publications }: Change): boolean {
  return publications.length > 0;
}

/** Devices that would go from where they are. */
export function removalsOf({ action, ends, publications }: Change): number {
  if (publications.length === 0) return 0;
  return action === 'withdraw' ? 1 : ends.length;
}

export function planOf(changes: readonly Change[], seen: Seen): Plan {
  const rooms = roomsAfter(changes.filter(isOpen), seen);
  const full = new Set(rooms.filter(({ after }) => after < 0).map(parentKey));
  const hosts = new Map(seen.offers.map((one) => [one.host, one]));
  const rows = new Map(seen.rows.map((row) => [keyOf(row), row]));
  const reported = new Set(seen.rows.map(({ host }) => host));
  const planned = changes.map((change): Planned => {
    const wished = isOpen(change) && change.action !== 'withdraw' ? change.claim : null;
    const foreseen = wished === null ? [] : foresee(wished, hosts, reported, full);
    const row = rows.get(keyOf(change));
    const foreign = wished === null ? [] : foreignNote(wished, row);
    const cordon = wished === null ? [] : cordonNote(wished, row, hosts);
    return {
      ...change,
      why: isOpen(change) ? whyOf(change, seen.standings) : '',
      notes: [...change.warnings, ...foreign, ...foreseen, ...cordon],
      disruptive: removalsOf(change) > 0,
    };
  });
  return { changes: planned, rooms };
}

function whyOf(change: Change, standings: Standings): string {
  const { action, ends } = change;
  const before = standings.get(keyOf(change))?.declaration;
  switch (action) {
    case 'declare':
      return before?.desired === 'absent' ? 'was withdrawn' : 'is not declared yet';
    case 'update':
      return before?.desired === 'present' ? differences(change, before.data) : 'differs';
    case 'replace':
    case 'move':
      return `stands as ${ends.map(describe).join(' and ')}`;
    case 'withdraw':
      return 'is not wanted any more';
    case 'unchanged':
      return '';
    default:
      return action satisfies never;
  }
}

type Data = Extract<Change['publications'][number], { desired: 'present' }>['data'];

function differences({ publications, claim }: Change, before: Data): string {
  const wish = publications.find((one) => one.desired === 'present')?.data;
  if (wish === undefined || claim === null) return 'differs';
  const names = [
    ...(samePlace(before, wish) ? [] : ['place']),
    ...(sameAttributes(before.attributes ?? [], wish.attributes ?? []) ? [] : ['attributes']),
    ...(JSON.stringify(sorted(before.labels)) === JSON.stringify(sorted(wish.labels)) ? [] : ['labels']),
    ...(before.set === wish.set ? [] : ['set']),
  ];
  return `not the same ${names.join(', ')}`;
}

function sorted(labels: Readonly<Record<string, string>> = {}): readonly (readonly [string, string])[] {
  return Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
}

function foreignNote(claim: Claim, row: Row | undefined): string[] {
  if (row?.state !== 'unmanaged') return [];
  return samePlace(row, claim)
    ? ['a device that nobody declared stands there already, and is taken over']
    : [`ForeignDevice: a device that nobody declared has this UUID, ${describe(row)}`];
}

/** What stands there already is not made, and so not kept away. */
function cordonNote(
  { host, parent }: Claim,
  row: Row | undefined,
  hosts: ReadonlyMap<HostId, HostOffers>,
): string[] {
  const there = row !== undefined && standingIn([row]).length > 0 && row.parent === parent;
  const offering = hosts.get(host)?.inventory.parents.find(({ name }) => name === parent);
  if (there || offering?.cordoned === undefined) return [];
  return [
    `Cordoned: ${parent} was cordoned by ${offering.cordoned}; the device waits until it is uncordoned`,
  ];
}

function foresee(
  { host, parent, type }: Claim,
  hosts: ReadonlyMap<HostId, HostOffers>,
  reported: ReadonlySet<HostId>,
  full: ReadonlySet<string>,
): string[] {
  const inventory = hosts.get(host)?.inventory;
  if (inventory === undefined) {
    if (reported.has(host)) return [];
    return [`nothing was ever reported by host ${host}${didYouMean(host, hosts.keys())}`];
  }
  const offering = inventory.parents.find(({ name }) => name === parent);
  if (offering === undefined) {
    const names = inventory.parents.map(({ name }) => name);
    return inventory.omitted > 0
      ? []
      : [`ParentAbsent: host ${host} has no parent ${parent}${didYouMean(parent, names)}`];
  }
  const ids = offering.types.map(({ id }) => id);
  if (!ids.includes(type)) return [`TypeAbsent: ${parent} offers no ${type}${didYouMean(type, ids)}`];
  return full.has(parentKey({ host, parent })) ? [`NoCapacity: not all fit on ${parent}`] : [];
}

/** Room on the parents that the changes are about, for the types that they are about. */
function roomsAfter(changes: readonly Change[], { offers, rows }: Seen): readonly RoomChange[] {
  const there = new Map<string, Standing>(
    standingIn(rows).map((row) => [`${keyOf(row)} ${parentKey(row)}`, row]),
  );
  const after = new Map(there);
  const keyAt = (uuid: string, claim: Claim) => `${keyOf({ host: claim.host, uuid })} ${parentKey(claim)}`;
  for (const { uuid, claim, ends, action } of changes) {
    for (const end of ends) after.delete(keyAt(uuid, end));
    if (claim === null) continue;
    if (action === 'withdraw') after.delete(keyAt(uuid, claim));
    else after.set(keyAt(uuid, claim), claim);
  }
  const touched = changes.flatMap(({ claim, ends }) => (claim === null ? ends : [claim, ...ends]));
  const keys = new Set(touched.map((claim) => `${parentKey(claim)} ${claim.type}`));
  const before = Map.groupBy(there.values(), parentKey);
  const later = Map.groupBy(after.values(), parentKey);
  return offers.flatMap(({ host, inventory }) =>
    inventory.parents.flatMap(({ name: parent, types }) => {
      const key = parentKey({ host, parent });
      const capacities = capacitiesOf(types);
      return types.flatMap(({ id: type, capacity }) => {
        if (!keys.has(`${key} ${type}`) || capacity === null) return [];
        const room = (standing: typeof before) =>
          roomFor(type, capacities, standing.get(key)?.map((one) => one.type) ?? []) ?? 0;
        return [{ host, parent, type, capacity, before: room(before), after: room(later) }];
      });
    }),
  );
}
