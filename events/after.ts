/**
 * A timer, as the adapters of this folder need it: injected, so that whoever runs them owns time.
 */

/** Calls back once, after the delay; the returned function ends the timer, and is harmless when it has rung. */
export type After = (delayMs: number, callback: () => void) => () => void;
