/**
 * From moments as operators name them to the states of hosts then.
 */
import type { HostId } from '../../events/names.ts';
import { type FleetPast, type Found, findDeclared } from '../../store/past/fleet-past.ts';
import { type End, type Moment, msOf, parseMoment } from '../../store/past/moment.ts';
import type { OnRecord } from '../../store/past/walk.ts';
import { Failure } from '../exit.ts';
import { generationText } from './line.ts';
import type { Source } from './source.ts';

/** The moment that a text names. Throws a Failure for one that names none. */
export function momentOf(text: string): Moment {
  const moment = parseMoment(text);
  if (moment !== undefined) return moment;
  throw new Failure(`reading the arguments: not a moment: ${text}`, {
    outcome: 'usage',
    wayOut:
      "give a time of RFC 3339 with its zone (2026-01-31T14:05:00Z), a record's number of one host (4711), " +
      "a declaration's generation (1/4711), or now",
  });
}

type Query = {
  readonly moments: readonly Moment[];
  readonly host?: HostId | undefined;
  readonly onRecord?: OnRecord | undefined;
};

/** The hosts at the moments; those without a record by then have sequence 0. Throws a Failure where a moment is not clear. */
export async function hostsAt(source: Source, { moments, host, onRecord }: Query): Promise<FleetPast> {
  const ends = await Promise.all(moments.map((moment) => endOf(source, moment, host)));
  const endsOf = (name: HostId, journal: string): readonly End[] => ends.map((end) => end(name, journal));
  const past = await source.past({ endsOf, host, onRecord });
  if (past.size > 1 && moments.some(({ kind }) => kind === 'seq')) throw unclear([...past.keys()]);
  return past;
}

type EndIn = (host: HostId, journal: string) => End;

async function endOf(source: Source, moment: Moment, host: HostId | undefined): Promise<EndIn> {
  switch (moment.kind) {
    case 'now':
    case 'time':
      return () => moment;
    case 'seq':
      return () => ({ ...moment, here: false });
    case 'generation':
      return afterRecord(await recordOf(source, moment, host));
    default:
      return moment satisfies never;
  }
}

/** In its own journal right after the record, elsewhere at the same time. */
function afterRecord({ journal, seq, time }: Found): EndIn {
  const there: End = { kind: 'seq', seq, here: true };
  const elsewhere: End = { kind: 'time', ms: msOf(time) };
  return (_, name) => (name === journal ? there : elsewhere);
}

async function recordOf(
  source: Source,
  { generation }: Extract<Moment, { kind: 'generation' }>,
  host: HostId | undefined,
): Promise<Found> {
  const found: Found[] = [];
  for await (const one of findDeclared(source.facts({ host }), generation)) found.push(one);
  const [first] = found;
  const name = generationText(generation);
  if (first === undefined) {
    throw new Failure(`looking for declaration ${name}: no host has recorded it here`, {
      outcome: 'input',
      wayOut: 'see `mdevfleet log --kind declared` for what was recorded',
    });
  }
  const hosts = [...new Set(found.map((one) => one.host))];
  if (hosts.length === 1) return first;
  throw unclear(hosts);
}

function unclear(hosts: readonly HostId[]): Failure {
  return new Failure(`looking for the moment: it is another one on each of ${[...hosts].sort().join(', ')}`, {
    outcome: 'refused',
    wayOut: 'name the host with --host',
  });
}
