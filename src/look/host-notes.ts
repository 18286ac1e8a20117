/**
 * The hosts that somebody should look at, or on which somebody has acted.
 *
 * Whether an agent runs cannot be told from what it recorded, for in a settled fleet nothing is, so the agents are asked.
 * What they recorded says that one has stopped, or has not reported on a declaration.
 */
import { decodeEvent } from '../../events/codec.ts';
import type { HostId } from '../../events/names.ts';
import { isMissed, type Presence } from '../../events/presence.ts';
import { decodeRecord } from '../../events/record.ts';
import type { Stream, Streams } from '../../events/stream.ts';
import { messagesOf } from '../../events/stream-messages.ts';
import { NO_UUID, parseSubject, subjectFilter } from '../../events/subject.ts';
import { readOffers } from '../fleet.ts';
import { whoText } from '../past/line.ts';

/** A host that somebody should look at, or on which somebody has acted. */
export type HostNote = {
  readonly host: HostId;
  readonly note: 'absent' | 'mute' | 'silent' | 'stopped' | 'paused' | 'cordoned';
  readonly about: string;
};

/** What there is to look at. */
export type HostsSeen = {
  readonly streams: Streams;
  readonly prefix: string;
  /** Every host that is known, and whether its agent is there. */
  readonly agents: ReadonlyMap<HostId, Presence>;
  /** Hosts that have not reported on declarations, and on how many. */
  readonly silent: ReadonlyMap<HostId, number>;
};

/** The notes on known hosts, by host. Throws StreamUnavailable. */
export async function hostNotes({
  streams,
  prefix,
  agents,
  silent,
}: HostsSeen): Promise<readonly HostNote[]> {
  const stopped = await stoppedHosts(streams.observed, prefix);
  const notes = [
    ...[...silent].map(([host, devices]): HostNote => {
      return { host, note: 'silent', about: `has not reported on ${devices} declarations` };
    }),
    ...stopped,
    ...missedHosts(agents, new Set(stopped.map(({ host }) => host))),
    ...(await pausedHosts(streams.command, prefix)),
    ...(await cordonedParents(streams.observed, prefix)),
  ];
  const known = notes.filter(({ host }) => agents.has(host));
  return known.sort((a, b) => (a.host < b.host ? -1 : Number(a.host > b.host)));
}

const MISSED = {
  absent: 'its agent is not connected',
  mute: 'its agent is connected, and did not answer in time',
} as const;

/** Hosts whose agents should be there and are not; one that has said that it stops is none of these. */
function missedHosts(
  agents: ReadonlyMap<HostId, Presence>,
  stopped: ReadonlySet<HostId>,
): readonly HostNote[] {
  return [...agents].flatMap(([host, note]): HostNote[] => {
    return isMissed(note) && !stopped.has(host) ? [{ host, note, about: MISSED[note] }] : [];
  });
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
