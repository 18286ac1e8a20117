import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { backoffMs } from '../../reconciler/backoff.ts';

const MIN_MS = 10;
const MAX_MS = 300_000;
const delay = (attempt: number, jitter: number) => backoffMs(attempt, MIN_MS, MAX_MS, jitter);
const attempts = fc.integer({ min: 1, max: 10_000 });
const jitters = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('backoff', () => {
  test('a delay is never under the least nor over the most', () => {
    fc.assert(
      fc.property(attempts, jitters, (attempt, jitter) => {
        expect(delay(attempt, jitter)).toBeGreaterThanOrEqual(MIN_MS);
        expect(delay(attempt, jitter)).toBeLessThanOrEqual(MAX_MS);
      }),
    );
  });

  test('the longest delay doubles with each attempt until the most', () => {
    const longest = Array.from({ length: 17 }, (_, at) => Math.round(delay(at + 1, 0.999_999_99)));
    expect(longest.slice(0, 4)).toEqual([20, 40, 80, 160]);
    expect(longest.slice(-2)).toEqual([MAX_MS, MAX_MS]);
    expect(longest.every((one, at) => at === 0 || one >= (longest[at - 1] ?? 0))).toBe(true);
  });

  test('jitter spreads those that failed together over the whole range', () => {
    const spread = [0, 0.25, 0.5, 0.75].map((jitter) => delay(20, jitter));
    expect(spread).toEqual([10, 75_008, 150_005, 225_003]);
  });
});
