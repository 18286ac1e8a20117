/**
 * How many rejections are recorded one by one: somebody who publishes rubbish at full speed
 * must not fill the journal. The rest is recorded as a count.
 */

/** Most rejections recorded in a row. */
export const REJECTIONS_BURST_MAX = 32;
/** Time in which one more may be recorded. */
export const REJECTION_REFILL_MS = 1_000;

export type Allowance = {
  /** The number suppressed since the last that was admitted, or undefined if this one is suppressed too. */
  admit(): number | undefined;
};

/** A bucket of allowances that refills by monotonic time. */
export function allowance(nowMs: () => number): Allowance {
  let left = REJECTIONS_BURST_MAX;
  let filledMs = nowMs();
  let suppressed = 0;
  return {
    admit() {
      const earned = Math.floor((nowMs() - filledMs) / REJECTION_REFILL_MS);
      filledMs += earned * REJECTION_REFILL_MS;
      left = Math.min(REJECTIONS_BURST_MAX, left + earned);
      if (left === 0) {
        suppressed += 1;
        return undefined;
      }
      left -= 1;
      const count = suppressed;
      suppressed = 0;
      return count;
    },
  };
}
