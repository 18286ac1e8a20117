/**
 * `get hosts`, `get parents`, `get types`, `get pools`: what the fleet has, and how much of it is taken.
 */
import type { HostId } from '../../events/names.ts';
import type { Presence } from '../../events/presence.ts';
import type { Row } from '../../events/row.ts';
import type { Flags } from '../config.ts';
import {
  type HostOffers,
  type HostRow,
  hostRows,
  type ParentRow,
  parentRows,
  standingIn,
  type TypeRoom,
  type TypeRow,
  typeRows,
} from '../declare/offers.ts';
import { knownHosts, readOffers, readRows, readStandings } from '../fleet.ts';
import { notForgotten } from '../look/forgotten.ts';
import { type PoolRow, poolRows } from '../look/pool-rows.ts';
import { presences } from '../look/presences.ts';
import type { Fleet } from './open.ts';
import type { Colour } from './terminal.ts';
import type { View } from './view.ts';

/** A host, and whether its agent is there. */
type HostLine = HostRow & { readonly agent: Presence };

const AGENT_COLOURS = {
  there: 'green',
  mute: 'red',
  absent: 'red',
} as const satisfies Record<Exclude<Presence, 'unknown'>, Colour>;

export async function hostsView(fleet: Fleet, flags: Flags): Promise<View<HostLine>> {
  const { offers, rows, host, isThere } = await read(fleet, flags);
  const all = host === undefined ? await knownHosts(fleet.streams, fleet.prefix) : [];
  const known = [...all].filter((one) => isThere({ host: one }));
  const hosts = hostRows(offers, rows, known);
  const agents = await presences(
    fleet.presence,
    hosts.map((one) => one.host),
  );
  return {
    items: hosts.map((one) => ({ ...one, agent: agents.get(one.host) ?? 'unknown' })),
    none: 'no hosts',
    columns: [
      { name: 'HOST', cell: (one) => one.host },
      {
        name: 'AGENT',
        cell: ({ agent }) => (agent === 'unknown' ? null : { text: agent, colour: AGENT_COLOURS[agent] }),
      },
      { name: 'KERNEL', cell: (one) => one.kernel },
      { name: 'LABELS', cell: (one) => labelText(one.labels ?? {}) },
      { name: 'PARENTS', cell: (one) => one.parents },
      { name: 'DEVICES', cell: (one) => one.devices },
      { name: 'READY', cell: (one) => one.ready },
      { name: 'SINCE', wide: true, cell: (one) => one.since },
    ],
  };
}

export async function parentsView(fleet: Fleet, flags: Flags): Promise<View<ParentRow>> {
  const { offers, rows } = await read(fleet, flags);
  const parents = parentRows(offers, standingIn(rows));
  return {
    items: parents.filter(({ types }) => isOfType(flags, types)),
    none: 'no parents',
    columns: [
      { name: 'HOST', cell: (one) => one.host },
      { name: 'PARENT', cell: (one) => one.parent },
      { name: 'DRIVER', cell: (one) => one.driver },
      { name: 'DEVICES', cell: (one) => one.taken },
      {
        name: 'CORDONED',
        cell: (one) => (one.cordoned === null ? null : { text: `by ${one.cordoned}`, colour: 'yellow' }),
      },
      { name: 'FREE', cell: (one) => one.types.map(freeText).join(' ') },
      { name: 'CAPACITY', wide: true, cell: (one) => one.types.map(capacityText).join(' ') },
    ],
  };
}

export async function typesView(fleet: Fleet, flags: Flags): Promise<View<TypeRow>> {
  const { offers, rows } = await read(fleet, flags);
  const types = typeRows(offers, parentRows(offers, standingIn(rows)));
  return {
    items: types.filter((one) => isOfType(flags, [one])),
    none: 'no types',
    columns: [
      { name: 'TYPE', cell: (one) => one.type },
      { name: 'NAME', cell: (one) => one.name },
      { name: 'HOSTS', cell: (one) => one.hosts },
      { name: 'PARENTS', cell: (one) => one.parents },
      { name: 'CAPACITY', cell: (one) => one.capacity },
      { name: 'DEVICES', cell: (one) => one.taken },
      { name: 'FREE', cell: (one) => one.free },
      { name: 'API', wide: true, cell: (one) => one.api },
    ],
  };
}

export async function poolsView({ streams, prefix }: Fleet, flags: Flags): Promise<View<PoolRow>> {
  const { host, set } = flags as Record<string, string | undefined>;
  const standings = await readStandings(streams.desired, prefix, { host });
  const pools = poolRows(standings, await readRows(streams.observed, prefix, host));
  return {
    items: pools.filter((one) => (set ?? one.set) === one.set),
    none: 'no pools',
    columns: [
      { name: 'SET', cell: (one) => one.set },
      { name: 'POOL', cell: (one) => one.pool },
      { name: 'TYPE', cell: (one) => one.types.join(' ') },
      { name: 'DEVICES', cell: (one) => one.devices },
      { name: 'READY', cell: (one) => one.ready },
      { name: 'HOSTS', cell: (one) => one.hosts.length },
      { name: 'NAMES', wide: true, cell: (one) => one.hosts.join(' ') },
    ],
  };
}

type Read = {
  readonly host: HostId | undefined;
  readonly offers: readonly HostOffers[];
  readonly rows: readonly Row[];
  readonly isThere: (one: { readonly host: HostId }) => boolean;
};

async function read({ streams, prefix }: Fleet, flags: Flags): Promise<Read> {
  const host = flags['host'] as HostId | undefined;
  const isThere = await notForgotten(streams.command, prefix);
  const offers = await readOffers(streams.observed, prefix, host);
  const rows = await readRows(streams.observed, prefix, host);
  return { host, offers: offers.filter(isThere), rows: rows.filter(isThere), isThere };
}

/** A type is asked for by its id, or by the name that its driver gives it. */
function isOfType(flags: Flags, types: readonly Pick<TypeRoom, 'type' | 'name'>[]): boolean {
  const asked = flags['type'];
  return asked === undefined || types.some(({ type, name }) => type === asked || name === asked);
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  return pairs.sort().join(',');
}

function freeText({ type, free }: TypeRoom): string {
  return `${type}:${free ?? '?'}`;
}

function capacityText({ type, capacity }: TypeRoom): string {
  return `${type}:${capacity ?? '?'}`;
}
