/**
 * Time as the machine has it: the one place where the program asks for it, and for randomness.
 *
 * Timers keep the process alive, so whoever waits must cancel before the process can end.
 */
import type { Cancel, Clock, Random } from './clock.ts';

/** Longest delay that a timer of Node takes; beyond it, Node would ring at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** The machine's clocks and timers. */
export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wall: () => new Date().toISOString(),
  after,
};

/** The machine's randomness; good for jitter, not for secrets. */
export const systemRandom: Random = Math.random;

function after(delayMs: number, callback: () => void): Cancel {
  let timer: ReturnType<typeof setTimeout>;
  const arm = (leftMs: number): void => {
    const turnMs = Math.min(leftMs, TIMER_MS_MAX);
    timer = setTimeout(() => (leftMs > turnMs ? arm(leftMs - turnMs) : callback()), turnMs);
  };
  arm(Math.max(0, delayMs));
  return () => clearTimeout(timer);
}
