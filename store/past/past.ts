/**
 * What one journal folds to at some record, with what a manifest needs beside it.
 *
 * The fold of an agent leaves out the labels of a declaration, since nothing follows from them.
 */
import type { HostId, Uuid } from '../../events/names.ts';
import type { StoredRecord } from '../../events/record.ts';
import type { Device } from '../device.ts';
import type { Positions } from '../journal/journal.ts';
import { type Folded, Replay } from '../journal/replay.ts';
import { msOf } from './moment.ts';

type Labels = Readonly<Record<string, string>>;

/** A past as it is kept: `latestMs` is the latest time of any record so far. */
export type Kept = Folded & {
  readonly journal: string;
  readonly time: string;
  readonly latestMs: number;
  readonly labels: readonly (readonly [Uuid, Labels])[];
};

/** A journal at a moment. Nothing in it changes any more. */
export type State = {
  readonly host: HostId;
  readonly journal: string;
  /** The last record up to the moment; 0 before the first. */
  readonly seq: number;
  readonly hash: string;
  readonly time: string;
  readonly positions: Positions;
  readonly devices: ReadonlyMap<Uuid, Device>;
  readonly labels: ReadonlyMap<Uuid, Labels>;
};

export class Past {
  readonly replay: Replay;
  /** The latest time of any record so far, in milliseconds. */
  latestMs: number;
  #journal: string;
  #time: string;
  readonly #labels: Map<Uuid, Labels>;

  constructor(kept?: Kept) {
    this.replay = new Replay(kept);
    this.latestMs = kept?.latestMs ?? 0;
    this.#journal = kept?.journal ?? '';
    this.#time = kept?.time ?? '';
    this.#labels = new Map(kept?.labels);
  }

  /** Folds the next record. Throws Misfit for one that is not the next. */
  apply(record: StoredRecord): void {
    this.replay.apply(record);
    const { last } = this.replay;
    if (last === undefined) return;
    const { envelope, fact } = last;
    this.#time = envelope.time;
    this.latestMs = Math.max(this.latestMs, msOf(envelope.time));
    if (fact?.kind === 'genesis') this.#journal = fact.journal;
    if (fact?.kind !== 'declared' || fact.outcome === 'refused') return;
    if (Object.keys(fact.labels).length > 0) this.#labels.set(fact.uuid, fact.labels);
    else this.#labels.delete(fact.uuid);
  }

  state(): State {
    const { host, tail, positions, devices } = this.replay;
    return {
      ...{ host, journal: this.#journal, ...tail, time: this.#time, positions },
      devices: new Map(devices),
      labels: new Map(this.#labels),
    };
  }

  kept(): Kept {
    const { host, tail, positions, unknown, devices } = this.replay;
    return {
      ...{ host, journal: this.#journal, tail, positions, unknown, time: this.#time },
      latestMs: this.latestMs,
      devices: [...devices.values()],
      labels: [...this.#labels],
    };
  }
}
