/**
 * The fleet at a glance: its devices by state and reason, the hosts that somebody should look at, the registry, and the
 * streams.
 *
 * Devices are counted some hosts at a time.
 */
import { messageOf } from '../../events/message-of.ts';
import type { HostId } from '../../events/names.ts';
import { type AskPresence, isMissed, type Presence } from '../../events/presence.ts';
import { type DeviceState, deviceState } from '../../events/row.ts';
import type { StreamName, Streams } from '../../events/stream.ts';
import { readFleet } from '../../store/registry/fleet.ts';
import type { Registry } from '../../store/registry/registry.ts';
import { NOT_REPORTED, type ShownRow, shownRows } from './devices.ts';
import { guidanceOf } from './explained.ts';
import { type HostNote, hostNotes } from './host-notes.ts';
import { hostParts } from './host-parts.ts';
import { presences } from './presences.ts';

type Where = {
  readonly streams: Streams;
  readonly registry: Registry;
  readonly presence: AskPresence;
  readonly prefix: string;
};

/** Why devices are not as declared, the most frequent first. */
export type ReasonCount = {
  readonly state: DeviceState;
  readonly reason: NonNullable<ShownRow['reason']>;
  readonly devices: number;
  readonly hint: string | null;
};

/** `unknown`: it could not be asked. */
export type RegistryState = {
  readonly state: 'open' | 'rebuilding' | 'unknown';
  readonly about: string | null;
};

export type FleetStatus = {
  /** `terminal`: something cannot be as declared; `waiting`: something is not yet, or an agent that keeps it is not there. */
  readonly status: 'settled' | 'waiting' | 'terminal';
  readonly devices: Readonly<Record<DeviceState | 'total', number>>;
  readonly reasons: readonly ReasonCount[];
  /** `there`: agents that answered; null where nobody can be asked. */
  readonly hosts: {
    readonly known: number;
    readonly there: number | null;
    readonly notes: readonly HostNote[];
  };
  readonly registry: RegistryState;
  /** Messages in each stream. */
  readonly streams: Readonly<Record<StreamName, number>>;
};

/** Reads all of it. Throws StreamUnavailable. */
export async function fleetStatus(where: Where): Promise<FleetStatus> {
  const { streams, prefix } = where;
  const { hosts, holders, silent, states, reasons } = await countDevices(where);
  const agents = await presences(where.presence, hosts);
  const registry = await registryState(where.registry);
  return {
    status: statusOf(states, registry, isKept(holders, agents)),
    devices: { total: Object.values(states).reduce((sum, one) => sum + one), ...states },
    reasons,
    hosts: {
      known: hosts.size,
      there: thereAmong(agents),
      notes: await hostNotes({ streams, prefix, agents, silent }),
    },
    registry,
    streams: {
      desired: (await streams.desired.info()).lastSequence,
      observed: (await streams.observed.info()).lastSequence,
      command: (await streams.command.info()).lastSequence,
    },
  };
}

type States = Readonly<Record<DeviceState, number>>;

type Counts = {
  readonly hosts: ReadonlySet<HostId>;
  /** Hosts with devices that are, or are to be, managed. */
  readonly holders: ReadonlySet<HostId>;
  readonly states: States;
  readonly reasons: readonly ReasonCount[];
  /** Hosts that have not reported on declarations, and on how many. */
  readonly silent: ReadonlyMap<HostId, number>;
};

async function countDevices(where: Where): Promise<Counts> {
  const states = Object.fromEntries(deviceState.options.map((state) => [state, 0])) as Record<
    DeviceState,
    number
  >;
  const hosts = new Set<HostId>();
  const holders = new Set<HostId>();
  const reasons = new Map<string, ReasonCount>();
  const silent = new Map<HostId, number>();
  for await (const part of hostParts(where)) {
    for (const host of part.hosts) hosts.add(host);
    for (const row of shownRows(
      part.reports.flatMap(({ rows }) => rows),
      part.standings,
    )) {
      states[row.state] += 1;
      if (row.state !== 'unmanaged') holders.add(row.host);
      countReason(reasons, row);
      if (row.reason === NOT_REPORTED) silent.set(row.host, (silent.get(row.host) ?? 0) + 1);
    }
  }
  const sorted = [...reasons.values()].sort((a, b) => b.devices - a.devices);
  return { hosts, holders, states, reasons: sorted, silent };
}

function countReason(reasons: Map<string, ReasonCount>, { state, reason }: ShownRow): void {
  if (reason === null) return;
  const key = `${state} ${reason}`;
  const { devices = 0, hint = guidanceOf({ state, reason })?.hint ?? null } = reasons.get(key) ?? {};
  reasons.set(key, { state, reason, devices: devices + 1, hint });
}

function statusOf(
  { conflict, failed, waiting, releasing }: States,
  registry: RegistryState,
  kept: boolean,
): FleetStatus['status'] {
  if (conflict + failed > 0) return 'terminal';
  return waiting + releasing > 0 || registry.state !== 'open' || !kept ? 'waiting' : 'settled';
}

/** What a host last reported may not be so any more when its agent is not there. */
function isKept(holders: ReadonlySet<HostId>, agents: ReadonlyMap<HostId, Presence>): boolean {
  return [...holders].every((host) => !isMissed(agents.get(host) ?? 'unknown'));
}

async function registryState(registry: Registry): Promise<RegistryState> {
  const fleet = await readFleet(registry);
  if (fleet.kind === 'unknown') {
    const { cause } = fleet;
    return { state: 'unknown', about: messageOf(cause) };
  }
  const { state, value } = fleet;
  const about =
    state === 'open' || value === null ? null : `${value.what}; ${value.by} noticed at ${value.at}`;
  return { state, about };
}

/** How many agents answered; null if not one could be asked. */
function thereAmong(agents: ReadonlyMap<HostId, Presence>): number | null {
  const answers = [...agents.values()].filter((presence) => presence !== 'unknown');
  return answers.length === 0 ? null : answers.filter((presence) => presence === 'there').length;
}
