/**
 * Exponential backoff with full jitter: many that failed together do not come back together.
 */

/**
 * The delay before the next attempt, in milliseconds.
 *
 * @param attempt how many attempts have failed, from 1
 * @param jitter a random number in [0, 1)
 */
export function backoffMs(attempt: number, minMs: number, maxMs: number, jitter: number): number {
  const ceiling = Math.min(maxMs, minMs * 2 ** Math.min(attempt, 30));
  return Math.ceil(minMs + jitter * (ceiling - minMs));
}
