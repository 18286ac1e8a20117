/**
 * The port to time: the only way in which the program waits, and tells the time.
 *
 * Waiting goes by monotonic time; the wall clock is information only. In a simulation the
 * world owns both.
 */

/** Ends a timer; harmless when it has rung already. */
export type Cancel = () => void;

export interface Clock {
  /** Monotonic time, in milliseconds since some fixed moment. */
  monotonicMs(): number;
  /** Wall clock, RFC 3339 in UTC with milliseconds. */
  wall(): string;
  /** Calls back once, after the delay. */
  after(delayMs: number, callback: () => void): Cancel;
}

/** A number in [0, 1), for jitter. */
export type Random = () => number;

/** Resolves after the delay. */
export function sleep(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(delayMs, resolve);
  });
}
