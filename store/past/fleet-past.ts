/**
 * The hosts of a fleet at some moments, from the records of all of them.
 *
 * A host that lost its journal may have begun another one: it is taken for the host's from its first record on.
 */
import type { Generation, HostId } from '../../events/names.ts';
import { decodeRecord } from '../../events/record.ts';
import { type End, timeOf } from './moment.ts';
import type { Missing, Told } from './told.ts';
import { type OnRecord, type Reached, Walk } from './walk.ts';

/** Each host's states at the moments asked for, in their order. A host without a record by then has sequence 0. */
export type FleetPast = ReadonlyMap<HostId, readonly Reached[]>;

/** Where the moments lie in the journal of a host. */
export type EndsOf = (host: HostId, journal: string) => readonly End[];

type Journey = { readonly journal: string; readonly walk: Walk; readonly before: Journey | undefined };

export class FleetWalk {
  readonly #endsOf: EndsOf;
  readonly #onRecord: OnRecord | undefined;
  readonly #journeys = new Map<HostId, Journey>();

  constructor(endsOf: EndsOf, onRecord?: OnRecord) {
    this.#endsOf = endsOf;
    this.#onRecord = onRecord;
  }

  /** Takes the next record of some journal; false when no later one of that journal is needed. */
  take({ host, journal, record }: Told): boolean {
    const known = this.#journeys.get(host);
    if (known?.journal === journal) return known.walk.take(record);
    if (isEarlier(known, journal)) return false;
    known?.walk.leave({ seq: record.seq, time: timeOf(record) });
    const walk = new Walk(this.#endsOf(host, journal), this.#onRecord);
    this.#journeys.set(host, { journal, walk, before: known });
    return walk.take(record);
  }

  missing({ host, journal, seq }: Missing): void {
    const known = this.#journeys.get(host);
    if (known?.journal === journal) known.walk.fail(`record ${seq} is missing, later ones are there`);
  }

  past(): FleetPast {
    return new Map([...this.#journeys].map(([host, journey]) => [host, statesOf(journey)]));
  }
}

function isEarlier(journey: Journey | undefined, journal: string): boolean {
  for (let at = journey; at !== undefined; at = at.before) if (at.journal === journal) return true;
  return false;
}

/** A moment that an earlier journal has left behind is that one's. */
function statesOf({ walk, before }: Journey): readonly Reached[] {
  if (before === undefined) return walk.states();
  const earlier = statesOf(before);
  return walk.states().map((state, at) => (before.walk.settled(at) ? (earlier[at] ?? state) : state));
}

/** The record in which a host took down a declaration. */
export type Found = {
  readonly host: HostId;
  readonly journal: string;
  readonly seq: number;
  readonly time: string;
};

/** The first record of this declaration in each journal that has it. */
export async function* findDeclared(
  facts: AsyncIterable<Told>,
  { epoch, sequence }: Generation,
): AsyncGenerator<Found> {
  const seen = new Set<string>();
  const words = [Buffer.from('"declared"'), Buffer.from(`"sequence":${sequence}`)];
  for await (const { host, journal, record } of facts) {
    const text = Buffer.from(record.bytes.buffer, record.bytes.byteOffset, record.bytes.length);
    if (seen.has(journal) || !words.every((word) => text.includes(word))) continue;
    const { envelope, fact } = decodeRecord(record.bytes);
    if (fact?.kind !== 'declared') continue;
    if (fact.generation.epoch !== epoch || fact.generation.sequence !== sequence) continue;
    seen.add(journal);
    yield { host, journal, seq: record.seq, time: envelope.time };
  }
}
