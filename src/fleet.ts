/**
 * The fleet as its streams show it: what stands declared, and what hosts last reported.
 *
 * A message that this program cannot read does not hide the others; it stands as unreadable.
 */
import { decodeEvent } from '../events/codec.ts';
import type { HostId, Uuid } from '../events/names.ts';
import { decodeRecord } from '../events/record.ts';
import type { Row } from '../events/row.ts';
import type { Message, Stream, Streams } from '../events/stream.ts';
import { INVENTORY, NO_UUID, parseSubject, subjectFilter } from '../events/subject.ts';
import { splitLast } from '../events/wildcard.ts';
import { keyOf, type Standing, type Standings } from './declare/diff.ts';
import type { HostOffers } from './declare/offers.ts';
import { readReports } from './look/reports.ts';

/** Most UUIDs that are asked for one by one; of more, everything is read once. */
const SINGLE_READS_MAX = 32;
/** Most hosts that are asked for one by one; of more, everything is read once. */
const SINGLE_HOSTS_MAX = 32;

/** Which part of the fleet to read; everything unless given. */
export type Scope = {
  readonly host?: HostId | undefined;
  /** Any of these, instead of `host`. */
  readonly hosts?: readonly HostId[];
  readonly uuids?: ReadonlySet<Uuid>;
};

/** The last declaration of each host and UUID in the scope. Throws StreamUnavailable. */
export async function readStandings(desired: Stream, prefix: string, scope: Scope = {}): Promise<Standings> {
  const standings = new Map<string, Standing>();
  for (const filter of filtersOf(prefix, scope)) {
    for await (const message of desired.lastPerSubject(filter)) {
      const stand = standIn(prefix, message);
      if (stand === null || scope.uuids?.has(stand.uuid) === false) continue;
      standings.set(keyOf(stand), stand.standing);
    }
  }
  return standings;
}

/** A message of the stream as what it makes stand, and where; null for what is about no device. */
export function standIn(
  prefix: string,
  { sequence, subject, data }: Message,
): { readonly host: HostId; readonly uuid: Uuid; readonly standing: Standing } | null {
  const about = parseSubject(prefix, subject);
  if (!about?.host || about.uuid === null) return null;
  const { host, uuid } = about;
  const decoded = decodeEvent(about, data);
  const declaration = decoded.kind === 'declaration' ? decoded.declaration : null;
  return { host, uuid, standing: { sequence, declaration } };
}

/** Each is to be read by itself. */
function filtersOf(prefix: string, { host, hosts, uuids }: Scope): readonly (string | readonly string[])[] {
  if (hosts !== undefined) return [hosts.map((one) => subjectFilter(prefix, 'desired', { host: one }))];
  if (uuids === undefined || uuids.size > SINGLE_READS_MAX)
    return [subjectFilter(prefix, 'desired', { host })];
  return [...uuids].map((uuid) => subjectFilter(prefix, 'desired', { host, uuid }));
}

/** The rows that hosts last reported. Throws StreamUnavailable. */
export async function readRows(observed: Stream, prefix: string, host?: HostId): Promise<readonly Row[]> {
  const reports = await readReports(observed, prefix, subjectFilter(prefix, 'observed', { host }));
  return reports.flatMap(({ rows }) => rows);
}

/** What hosts last said that they offer. Throws StreamUnavailable. */
export async function readOffers(
  observed: Stream,
  prefix: string,
  host?: HostId,
): Promise<readonly HostOffers[]> {
  const found: HostOffers[] = [];
  const filter = subjectFilter(prefix, 'observed', { host, uuid: INVENTORY });
  for await (const message of observed.lastPerSubject(filter)) {
    const own = parseSubject(prefix, message.subject)?.host ?? null;
    const offers = own === null ? null : offersIn(own, message);
    if (offers !== null) found.push(offers);
  }
  return found;
}

function offersIn(host: HostId, { data }: Message): HostOffers | null {
  try {
    const { envelope, fact } = decodeRecord(data);
    return fact?.kind === 'inventory' ? { host, time: envelope.time, inventory: fact } : null;
  } catch {
    return null;
  }
}

/** What is read of some hosts. Of many, that of all hosts is read instead, and nothing of it is left out. */
export async function readOf<T>(
  hosts: ReadonlySet<HostId>,
  read: (host?: HostId) => Promise<readonly T[]>,
): Promise<readonly T[]> {
  if (hosts.size > SINGLE_HOSTS_MAX) return read();
  const found = await Promise.all([...hosts].map((host) => read(host)));
  return found.flat();
}

/** Hosts for which anything was declared, or that reported anything. Throws StreamUnavailable. */
export async function knownHosts(streams: Streams, prefix: string): Promise<ReadonlySet<HostId>> {
  return new Set((await hostSizes(streams, prefix)).keys());
}

/**
 * The same hosts, each with how many subjects there are on which something was declared for it. What hosts reported is not
 * gone through: each has begun by saying something that is about no device. Throws StreamUnavailable.
 */
export async function hostSizes(
  { desired, observed }: Streams,
  prefix: string,
): Promise<ReadonlyMap<HostId, number>> {
  const [declared, ...reporting] = await Promise.all([
    desired.subjects(`${prefix}.desired.>`),
    ...[NO_UUID, INVENTORY].map((uuid) => observed.subjects(subjectFilter(prefix, 'observed', { uuid }))),
  ]);
  const heads = new Map<string, number>();
  for (const subject of reporting.flat()) heads.set(tokenOf(subject), 0);
  for (const subject of declared) {
    const token = tokenOf(subject);
    heads.set(token, (heads.get(token) ?? 0) + 1);
  }
  const sizes = new Map<HostId, number>();
  for (const [token, count] of heads) {
    const host = parseSubject(prefix, `${prefix}.desired.${token}.${NO_UUID}`)?.host;
    if (host) sizes.set(host, count);
  }
  return sizes;
}

/** The host's part of a subject. */
function tokenOf(subject: string): string {
  return splitLast(splitLast(subject)[0])[1];
}
