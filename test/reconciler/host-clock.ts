/**
 * A clock that stands still until a test moves it.
 *
 * After each timer that rings, everything that can go on does, before the next one rings.
 */
import { setImmediate } from 'node:timers/promises';
import type { Cancel, Clock } from '../../reconciler/clock.ts';

export class ManualClock implements Clock {
  #nowMs = 0;
  #timers: { readonly atMs: number; readonly callback: () => void }[] = [];

  monotonicMs(): number {
    return this.#nowMs;
  }

  wall(): string {
    return new Date(this.#nowMs).toISOString();
  }

  after(delayMs: number, callback: () => void): Cancel {
    const timer = { atMs: this.#nowMs + delayMs, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((one) => one !== timer);
    };
  }

  /** Timers that have not rung. */
  get pending(): number {
    return this.#timers.length;
  }

  /** Moves time on, ringing what is due in order of time, then of arming. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    await setImmediate();
    for (let next = this.#due(untilMs); next !== undefined; next = this.#due(untilMs)) {
      const timer = next;
      this.#timers = this.#timers.filter((one) => one !== timer);
      this.#nowMs = timer.atMs;
      timer.callback();
      await setImmediate();
    }
    this.#nowMs = untilMs;
  }

  #due(untilMs: number): { readonly atMs: number; readonly callback: () => void } | undefined {
    const due = this.#timers.filter(({ atMs }) => atMs <= untilMs);
    return due.sort((a, b) => a.atMs - b.atMs)[0];
  }
}

/** Runs a promise to its end by moving the clock, up to the given time. */
export async function settle<T>(clock: ManualClock, promise: Promise<T>, withinMs = 60_000): Promise<T> {
  let done = false;
  const watched = promise.finally(() => {
    done = true;
  });
  for (let ms = 0; ms <= withinMs && !done; ms += 10) await clock.advance(10);
  if (!done) throw new Error(`nothing came of it within ${withinMs} simulated ms`);
  return watched;
}
