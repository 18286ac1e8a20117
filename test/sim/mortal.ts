/**
 * A process that can be killed: from then on its timers do not ring and no answer reaches it.
 */
import type { Clock } from '../../reconciler/clock.ts';

export type Life = { alive: boolean };

/** The clock as a process sees it. */
export function mortalClock(clock: Clock, life: Life): Clock {
  return {
    monotonicMs: () => clock.monotonicMs(),
    wall: () => clock.wall(),
    after: (delayMs, callback) =>
      clock.after(delayMs, () => {
        if (life.alive) callback();
      }),
  };
}

/** A promise of its own each time: one for all would keep whoever ever waited for it, and with it each world that there was. */
function never(): Promise<never> {
  return new Promise(() => {});
}

/** A call whose answer reaches only the living. */
export async function mortalCall<T>(life: Life, call: () => Promise<T>): Promise<T> {
  if (!life.alive) return never();
  try {
    const answer = await call();
    return life.alive ? answer : await never();
  } catch (error) {
    if (!life.alive) return never();
    throw error;
  }
}
