/**
 * A walk along one journal, from record to record, that notes the states at some moments.
 *
 * Every record must follow the one before, as in any replay; the first that does not ends the walk, and every
 * state that was not reached by then says so.
 */
import type { HostId } from '../../events/names.ts';
import type { DecodedRecord, StoredRecord } from '../../events/record.ts';
import { Misfit } from '../journal/replay.ts';
import { type End, isBeyond, msOf, timeOf } from './moment.ts';
import { Past, type State } from './past.ts';

/** A state, and how far what is known reaches beyond it. */
export type Reached = State & {
  /** The record that comes next; null when nothing later is known. */
  readonly next: { readonly seq: number; readonly time: string } | null;
  /** Why nothing behind this state could be read though something is there. */
  readonly fault: string | null;
};

/** Told of each record that was folded, and how many of the moments lie before it. */
export type OnRecord = (host: HostId, decoded: DecodedRecord, passed: number) => void;

export class Walk {
  readonly past: Past;
  readonly #ends: readonly End[];
  readonly #onRecord: OnRecord | undefined;
  readonly #reached = new Map<number, Reached>();
  #fault: string | null = null;

  constructor(ends: readonly End[], onRecord?: OnRecord, past = new Past()) {
    this.past = past;
    this.#ends = ends;
    this.#onRecord = onRecord;
  }

  /** Goes on to the next record; false when it was not needed, nor will be any later one. */
  take(record: StoredRecord): boolean {
    const time = timeOf(record);
    const ms = Math.max(this.past.latestMs, msOf(time));
    this.#pass((end) => isBeyond(end, record.seq, ms), { seq: record.seq, time });
    if (this.#fault !== null || this.#reached.size === this.#ends.length) return false;
    try {
      this.past.apply(record);
    } catch (error) {
      if (!(error instanceof Misfit)) throw error;
      this.#fault = error.message;
      return false;
    }
    const { last, host } = this.past.replay;
    if (last !== undefined) this.#onRecord?.(host, last, this.#reached.size);
    return true;
  }

  /** Ends the walk for a reason that lies not in what was taken. */
  fail(fault: string): void {
    this.#fault ??= fault;
  }

  /** Leaves behind the moments before this record, which is of a later journal of the same host. */
  leave(next: { readonly seq: number; readonly time: string }): void {
    this.#pass((end) => (end.kind === 'time' ? msOf(next.time) > end.ms : isHere(end)), next);
  }

  /** The states at the moments, in the order in which these were given. */
  states(): readonly Reached[] {
    return this.#ends.map(
      (_, at) => this.#reached.get(at) ?? { ...this.past.state(), next: null, fault: this.#fault },
    );
  }

  /** The state at the moment with this index, if the walk is past it, and no later journal can have it. */
  settled(at: number): Reached | undefined {
    const end = this.#ends[at];
    return end?.kind === 'time' || isHere(end) ? this.#reached.get(at) : undefined;
  }

  #pass(isPassed: (end: End) => boolean, next: { readonly seq: number; readonly time: string }): void {
    for (const [at, end] of this.#ends.entries()) {
      if (this.#reached.has(at) || !isPassed(end)) continue;
      this.#reached.set(at, { ...this.past.state(), next, fault: null });
    }
  }
}

function isHere(end: End | undefined): boolean {
  return end?.kind === 'seq' && end.here;
}
