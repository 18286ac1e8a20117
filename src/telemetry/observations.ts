/**
 * What an agent does, counted as it happens, and what can only be known by having heard it.
 */
import type { Fact } from '../../events/fact.ts';
import type { Uuid } from '../../events/names.ts';
import type { Message, Ring } from '../../events/stream.ts';
import type { Clock } from '../../reconciler/clock.ts';
import type { Operation } from '../../reconciler/errno.ts';
import type { WriteResult } from '../../reconciler/host.ts';
import type { PassEnd } from '../../reconciler/pass.ts';
import type { AppendResult, CursorName, Journal } from '../../store/journal/journal.ts';
import { Announced } from './announced.ts';
import type { Connection } from './health.ts';
import { type Checkpoint, lastCheckpoint } from './last-checkpoint.ts';
import { type Metrics, REQUEUED } from './metrics.ts';
import { ReadyTimes } from './ready-times.ts';
import type { Watcher } from './watcher.ts';

type Journaled = Pick<Journal, 'device' | 'positions' | 'tail' | 'read'>;

export class Observations implements Watcher {
  readonly #metrics: Metrics;
  readonly #journal: Journaled;
  readonly #clock: Clock;
  readonly #readyTimes: ReadyTimes;
  readonly #announced = { desired: new Announced(), command: new Announced() };
  #connection: Connection = 'never';
  #checkpoint: Checkpoint | null;

  constructor(metrics: Metrics, journal: Journaled, clock: Clock) {
    this.#metrics = metrics;
    this.#journal = journal;
    this.#clock = clock;
    this.#readyTimes = new ReadyTimes(this.#nowMs());
    this.#checkpoint = lastCheckpoint(journal);
  }

  get way(): Connection {
    return this.#connection;
  }

  /** Null when none is known. */
  get checkpoint(): Checkpoint | null {
    return this.#checkpoint;
  }

  /** Events that were announced on a stream and have not been taken. */
  behind(stream: CursorName): number {
    return this.#announced[stream].behind(this.#cursor(stream));
  }

  passEnded(_uuid: Uuid, end: PassEnd): void {
    this.#metrics.passes.inc({ end: end.kind });
    if (end.kind === 'waiting') this.#metrics.retries.inc({ reason: end.reason });
    if (end.kind === 'requeue') this.#metrics.retries.inc({ reason: REQUEUED });
  }

  passFailed(): void {
    this.#metrics.passes.inc({ end: 'failed' });
    this.#metrics.retries.inc({ reason: REQUEUED });
  }

  foundByResync(): void {
    this.#metrics.foundByResync.inc();
  }

  appended(facts: readonly Fact[], result: AppendResult): void {
    if (result.kind === 'failed') this.#metrics.appendFailures.inc();
    if (result.kind !== 'durable') return;
    for (const fact of facts) this.#recorded(fact);
    const last = result.records.at(-1);
    if (last !== undefined && facts.at(-1)?.kind === 'checkpoint') {
      this.#checkpoint = { seq: last.seq, timeMs: this.#nowMs() };
    }
  }

  wrote(operation: Operation, result: WriteResult['kind'], tookMs: number): void {
    this.#metrics.writes.inc({ operation, result });
    this.#metrics.writeSeconds.observe({ operation }, tookMs / 1000);
  }

  took(stream: CursorName, messages: readonly Message[]): void {
    this.#metrics.streamRead.set({ stream }, this.#nowMs() / 1000);
    if (stream === 'desired') this.#readyTimes.took(messages);
  }

  rang(ring: Ring): void {
    if (ring !== undefined) this.#announced[ring.stream].rang(ring.sequence);
  }

  connection(state: 'up' | 'down'): void {
    if (state === 'up' || this.#connection !== 'never') this.#connection = state;
  }

  #recorded(fact: Fact): void {
    this.#metrics.facts.inc({ kind: fact.kind });
    if (fact.kind === 'drift') this.#metrics.drifts.inc({ cause: fact.cause });
    if (fact.kind === 'rejected') this.#metrics.rejected.inc({ stream: fact.stream }, 1 + fact.suppressed);
    if (fact.kind === 'epoch') this.#announced[fact.stream].forget();
    if (fact.kind === 'declared') this.#readyTimes.declared(fact);
    if (!('uuid' in fact)) return;
    const seconds = this.#readyTimes.changed(this.#journal.device(fact.uuid), this.#nowMs());
    if (seconds !== null) this.#metrics.readySeconds.observe(seconds);
  }

  #cursor(stream: CursorName): number {
    return this.#journal.positions()[stream]?.sequence ?? 0;
  }

  #nowMs(): number {
    return Date.parse(this.#clock.wall());
  }
}
