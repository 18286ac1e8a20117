/**
 * A clock that stands still until a test moves it.
 *
 * Timers ring in order of time, then of arming; after each one, everything that can go on does. The same test
 * therefore runs the same way each time, however slow the machine is.
 */
import { setImmediate } from 'node:timers/promises';
import type { Cancel, Clock } from '../reconciler/clock.ts';

type Timer = { readonly atMs: number; readonly callback: () => void };

export class ManualClock implements Clock {
  #nowMs = 0;
  readonly #timers = new Set<Timer>();

  monotonicMs(): number {
    return this.#nowMs;
  }

  wall(): string {
    return new Date(Date.UTC(2026, 0, 1) + this.#nowMs).toISOString();
  }

  after(delayMs: number, callback: () => void): Cancel {
    const timer = { atMs: this.#nowMs + delayMs, callback };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** When the timers that have not rung are due, in order. */
  get pendingMs(): readonly number[] {
    return [...this.#timers].map(({ atMs }) => atMs).sort((a, b) => a - b);
  }

  /** Moves time on and rings what is due; with 0, only lets everything go on that can. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    await setImmediate();
    for (let next = this.#take(untilMs); next !== undefined; next = this.#take(untilMs)) {
      this.#nowMs = next.atMs;
      next.callback();
      await setImmediate();
    }
    this.#nowMs = untilMs;
  }

  /** Moves time on until the promise has an answer. */
  async until<T>(promise: Promise<T>, withinMs = 60_000): Promise<T> {
    let open = true;
    const answer = promise.finally(() => {
      open = false;
    });
    answer.catch(() => undefined);
    await this.advance(0);
    for (const endMs = this.#nowMs + withinMs; open && this.#nowMs < endMs; ) {
      await this.advance(Math.max((this.pendingMs[0] ?? endMs) - this.#nowMs, 0));
    }
    if (open) throw new Error(`nothing came of it within ${withinMs} ms of the clock`);
    return answer;
  }

  #take(untilMs: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers)
      if (timer.atMs < (first?.atMs ?? Number.POSITIVE_INFINITY)) first = timer;
    if (first === undefined || first.atMs > untilMs) return undefined;
    this.#timers.delete(first);
    return first;
  }
}
