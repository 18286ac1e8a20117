/**
 * The fleet at a glance: its devices by state and reason, the hosts that somebody should look at, the registry, and the
 * streams.
 *
 * Devices are counted some hosts at a time. Whether an agent runs cannot be told from what it recorded, for in a settled
 * fleet nothing is: what can be told is that it has said that it stops, or that it has not reported on a declaration.
 */

import { decodeEvent } from '../../events/codec.ts';
import { messageOf } from '../../events/message-of.ts';
import type { HostId } from '../../events/names.ts';
import { decodeRecord } from '../../events/record.ts';
import { type DeviceState, deviceState } from '../../events/row.ts';
import type { Stream, StreamName, Streams } from '../../events/stream.ts';
import { messagesOf } from '../../events/stream-messages.ts';
import { NO_UUID, parseSubject, subjectFilter } from '../../events/subject.ts';
import { readFleet } from '../../store/registry/fleet.ts';
import type { Registry } from '../../store/registry/registry.ts';
import { readOffers } from '../fleet.ts';
import { whoText } from '../past/line.ts';
import { NOT_REPORTED, type ShownRow, shownRows } from './devices.ts';
import { guidanceOf } from './explained.ts';
import { hostParts } from './host-parts.ts';

type Where = { readonly streams: Streams; readonly registry: Registry; readonly prefix: string };

/** Why devices are not as declared, the most frequent first. */
export type ReasonCount = {
  readonly state: DeviceState;
  readonly reason: NonNullable<ShownRow['reason']>;
  readonly devices: number;
  readonly hint: string | null;
};

/** A host that somebody should look at, or on which somebody has acted. */
export type HostNote = {
  readonly host: HostId;
  readonly note: 'silent' | 'stopped' | 'paused' | 'cordoned';
  readonly about: string;
};

/** `unknown`: it could not be asked. */
export type RegistryState = {
  readonly state: 'open' | 'rebuilding' | 'unknown';
  readonly about: string | null;
};

export type FleetStatus = {
  /** `terminal`: something cannot be as declared; `waiting`: something is not yet. */
  readonly status: 'settled' | 'waiting' | 'terminal';
  readonly devices: Readonly<Record<DeviceState | 'total', number>>;
  readonly reasons: readonly ReasonCount[];
  readonly hosts: { readonly known: number; readonly notes: readonly HostNote[] };
  readonly registry: RegistryState;
  /** Messages in each stream. */
  readonly streams: Readonly<Record<StreamName, number>>;
};

/** Reads all of it. Throws StreamUnavailable. */
export async function fleetStatus(where: Where): Promise<FleetStatus> {
  const { streams, prefix } = where;
  const counts = await countDevices(where);
  const registry = await registryState(where.registry);
  const isThere = ({ host }: { readonly host: HostId }) => counts.hosts.has(host);
  const notes = [
    ...[...counts.silent].map(([host, devices]): HostNote => {
      return { host, note: 'silent', about: `has not reported on ${devices} declarations` };
    }),
    ...(await stoppedHosts(streams.observed, prefix)),
    ...(await pausedHosts(streams.command, prefix)),
    ...(await cordonedParents(streams.observed, prefix)),
  ];
  return {
    status: statusOf(counts.states, registry),
    devices: { total: Object.values(counts.states).reduce((sum, one) => sum + one), ...counts.states },
    reasons: counts.reasons,
    hosts: {
      known: counts.hosts.size,
      notes: notes.filter(isThere).sort((a, b) => (a.host < b.host ? -1 : Number(a.host > b.host))),
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
  const reasons = new Map<string, ReasonCount>();
  const silent = new Map<HostId, number>();
  for await (const part of hostParts(where)) {
    for (const host of part.hosts) hosts.add(host);
    for (const row of shownRows(
      part.reports.flatMap(({ rows }) => rows),
      part.standings,
    )) {
      states[row.state] += 1;
      countReason(reasons, row);
      if (row.reason === NOT_REPORTED) silent.set(row.host, (silent.get(row.host) ?? 0) + 1);
    }
  }
  const sorted = [...reasons.values()].sort((a, b) => b.devices - a.devices);
  return { hosts, states, reasons: sorted, silent };
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
): FleetStatus['status'] {
  if (conflict + failed > 0) return 'terminal';
  return waiting + releasing > 0 || registry.state !== 'open' ? 'waiting' : 'settled';
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

/** Hosts of which the last word about no device was that the agent stops. */
async function stoppedHosts(observed: Stream, prefix: string): Promise<readonly HostNote[]> {
  const found: HostNote[] = [];
  const filter = subjectFilter(prefix, 'observed', { uuid: NO_UUID });
  for await (const { subject, data } of observed.lastPerSubject(filter)) {
    const host = parseSubject(prefix, subject)?.host;
    const since = stoppedAt(data);
    if (host && since !== null) found.push({ host, note: 'stopped', about: `its agent said so at ${since}` });
  }
  return found;
}

function stoppedAt(data: Uint8Array): string | null {
  try {
    const { fact, envelope } = decodeRecord(data);
    return fact?.kind === 'stopped' ? envelope.time : null;
  } catch {
    return null;
  }
}

/** As the last act that pauses a host or lets it go on says. */
async function pausedHosts(command: Stream, prefix: string): Promise<readonly HostNote[]> {
  const paused = new Map<HostId, HostNote>();
  const filter = subjectFilter(prefix, 'command', { uuid: NO_UUID });
  for await (const { subject, data } of messagesOf(command, filter)) {
    const decoded = decodeEvent(parseSubject(prefix, subject), data);
    if (decoded.kind !== 'command') continue;
    const { command: act, event, data: about } = decoded.command;
    if (act === 'resume') paused.delete(about.host);
    if (act === 'pause') {
      const { host } = about;
      paused.set(host, { host, note: 'paused', about: `by ${whoText(event)} at ${event.time}` });
    }
  }
  return [...paused.values()];
}

async function cordonedParents(observed: Stream, prefix: string): Promise<readonly HostNote[]> {
  const offers = await readOffers(observed, prefix);
  return offers.flatMap(({ host, inventory }) =>
    inventory.parents.flatMap(({ name, cordoned }) =>
      cordoned === undefined ? [] : [{ host, note: 'cordoned' as const, about: `${name}, by ${cordoned}` }],
    ),
  );
}
