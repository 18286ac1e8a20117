/**
 * How the tests run. `npm test` is everything: there is no second suite that only a build server knows.
 * Two machine-hungry kinds (real kernels under emulation, real servers) bound the workers and set the time-outs.
 */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    passWithNoTests: false,
    allowOnly: false,
  },
});
