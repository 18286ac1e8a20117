/**
 * What changed between two moments, and who asked for it in between.
 */
import { isDeepStrictEqual } from 'node:util';
import type { HostId, Uuid } from '../../events/names.ts';
import type { DecodedRecord } from '../../events/record.ts';
import type { Row } from '../../events/row.ts';
import type { FleetPast } from '../../store/past/fleet-past.ts';
import type { Reached } from '../../store/past/walk.ts';
import { rowsFor } from './past-rows.ts';

/** Most acts that are kept of one device; the latest are. */
const ACTS_MAX = 8;

/** What somebody asked for. */
export type Act = {
  /** As he called himself. */
  readonly source: string;
  /** Whose signature the event bears; null where nothing proves the source. */
  readonly signer: string | null;
  readonly what: string;
  readonly time: string;
  readonly seq: number;
};

export type PastChange = {
  readonly host: HostId;
  readonly uuid: Uuid;
  readonly before: readonly Row[];
  readonly after: readonly Row[];
  readonly by: readonly Act[];
};

/** Gathers acts while journals are walked: those behind the first of two moments, up to the second. */
export class Acts {
  readonly #acts = new Map<string, Act[]>();

  note(host: HostId, { envelope, fact }: DecodedRecord, passed: number): void {
    if (passed !== 1 || (fact?.kind !== 'declared' && fact?.kind !== 'commanded')) return;
    const key = `${host} ${fact.uuid}`;
    const acts = this.#acts.get(key) ?? [];
    this.#acts.set(key, acts);
    const what = fact.kind === 'declared' ? fact.outcome : fact.command;
    const { source, signer = null } = fact.event;
    acts.push({ source, signer, what, time: envelope.time, seq: envelope.seq });
    if (acts.length > ACTS_MAX) acts.shift();
  }

  of(host: HostId, uuid: Uuid): readonly Act[] {
    return this.#acts.get(`${host} ${uuid}`) ?? [];
  }
}

/** The devices whose rows are not what they were, by host and UUID. */
export function* changesIn(past: FleetPast, acts: Acts): Generator<PastChange> {
  for (const host of [...past.keys()].sort()) {
    const [before, after] = past.get(host) ?? [];
    if (before !== undefined && after !== undefined) yield* changesOf(host, before, after, acts);
  }
}

function* changesOf(host: HostId, a: Reached, b: Reached, acts: Acts): Generator<PastChange> {
  const uuids = new Set([...a.devices.keys(), ...b.devices.keys()]);
  for (const uuid of [...uuids].sort()) {
    if (a.devices.get(uuid) === b.devices.get(uuid)) continue;
    const [before, after] = [rowsFor(a.devices, uuid), rowsFor(b.devices, uuid)];
    const by = acts.of(host, uuid);
    if (by.length > 0 || !isDeepStrictEqual(before, after)) yield { host, uuid, before, after, by };
  }
}

/** A host whose second moment lies before the first; undefined if there is none. */
export function reversedIn(past: FleetPast): HostId | undefined {
  for (const [host, [a, b]] of past) {
    if (a !== undefined && b !== undefined && a.journal === b.journal && a.seq > b.seq) return host;
  }
  return undefined;
}
