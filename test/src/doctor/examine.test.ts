/**
 * A check that fails or hangs is a finding of its own, and stops no other.
 */
import { expect, test } from 'vitest';
import { type Check, examine } from '../../../src/doctor/examine.ts';
import { ok } from '../../../src/doctor/finding.ts';
import { ManualClock } from '../../manual-clock.ts';

const CHECKS: readonly Check[] = [
  { name: 'throws', look: () => Promise.reject(new Error('the driver says no')) },
  {
    name: 'throws at once',
    look() {
      throw new Error('a bug');
    },
  },
  { name: 'hangs', look: () => new Promise(() => {}) },
  { name: 'answers', look: async () => [ok('all is well')] },
];

test('a check that throws, and one that does not end', async () => {
  const clock = new ManualClock();
  const examined = examine(CHECKS, clock, 500);
  await clock.advance(500);
  expect(await examined).toMatchObject([
    { check: 'throws', level: 'warning', found: 'this check failed: the driver says no' },
    { check: 'throws at once', level: 'warning', found: 'this check failed: a bug' },
    { check: 'hangs', level: 'warning', found: 'this check did not end within 500 ms' },
    { check: 'answers', level: 'ok', found: 'all is well' },
  ]);
});
