/**
 * The devices of a fleet, read some hosts at a time in the order of their names.
 *
 * So the first are there at once, and what is in memory does not grow with the fleet but for the list of its subjects.
 */
import type { HostId } from '../../events/names.ts';
import type { Streams } from '../../events/stream.ts';
import { subjectFilter } from '../../events/subject.ts';
import type { Standings } from '../declare/diff.ts';
import { hostSizes, readStandings } from '../fleet.ts';
import { forgottenHosts } from './forgotten.ts';
import { type Report, readReports } from './reports.ts';

/** Declared devices that are read at a time, as far as a host alone has not more: few at first, for somebody waits. */
const FIRST_DEVICES_MAX = 256;
const DEVICES_MAX = 2048;
/** Hosts that are read at a time, since each is a filter of its own for the server. */
const HOSTS_MAX = 128;

/** All that stands declared for some hosts, and all that they reported. */
export type HostPart = {
  readonly hosts: readonly HostId[];
  readonly standings: Standings;
  readonly reports: readonly Report[];
};

type Where = { readonly streams: Streams; readonly prefix: string };

/**
 * The parts of a fleet, or the one of a host. Throws StreamUnavailable.
 * @param forgotten hosts that are left out; they are read when they are not given
 */
export async function* hostParts(
  { streams, prefix }: Where,
  host?: HostId,
  forgotten?: ReadonlySet<HostId>,
): AsyncGenerator<HostPart> {
  const away = forgotten ?? (await forgottenHosts(streams.command, prefix));
  const sizes = host === undefined ? await hostSizes(streams, prefix) : new Map([[host, 0]]);
  const known = [...sizes].filter(([one]) => !away.has(one));
  for (const hosts of together(known.sort(([a], [b]) => (a < b ? -1 : 1)))) {
    // What is declared is read first: a report that comes in between may only make a row newer.
    const standings = await readStandings(streams.desired, prefix, { hosts });
    const filters = hosts.map((one) => subjectFilter(prefix, 'observed', { host: one }));
    yield { hosts, standings, reports: await readReports(streams.observed, prefix, filters) };
  }
}

/** Hosts that are read together. */
export function* together(sizes: Iterable<readonly [HostId, number]>): Generator<readonly HostId[]> {
  let hosts: HostId[] = [];
  let [devices, most] = [0, FIRST_DEVICES_MAX];
  for (const [host, size] of sizes) {
    if (hosts.length > 0 && (devices + size > most || hosts.length === HOSTS_MAX)) {
      yield hosts;
      [hosts, devices, most] = [[], 0, DEVICES_MAX];
    }
    hosts.push(host);
    devices += size;
  }
  if (hosts.length > 0) yield hosts;
}
