/**
 * How the tests run: `npm test` is everything, and there is no second suite that only a build server knows. Tests
 * that boot a kernel run after the others, two at a time: an emulated machine takes a core and a half.
 */
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const MINUTE_MS = 60_000;

const EMULATED = {
  maxWorkers: 2,
  testTimeout: 5 * MINUTE_MS,
  hookTimeout: 5 * MINUTE_MS,
  sequence: { groupOrder: 1 },
};

/** What takes minutes, the longest first: it begins first, so that no core has nothing to do in the end. */
const LONG = [
  'test/system/first-hour.test.ts',
  'test/kill/journal.test.ts',
  'test/system/service.test.ts',
  'test/package/deb.test.ts',
  'test/kernel/agent.test.ts',
  'test/kill/writes.test.ts',
  'test/sim/bugs.test.ts',
  'test/package/npm.test.ts',
];

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => rankOf(a) - rankOf(b));
  }
}

function rankOf({ moduleId }: TestSpecification): number {
  const rank = LONG.findIndex((name) => moduleId.endsWith(name));
  return rank === -1 ? LONG.length : rank;
}

export default defineConfig({
  // `mdevfleet/client` is src/client.ts, and never what was built of it.
  ssr: { resolve: { conditions: ['@mdevfleet/source', 'module', 'node', 'development|production'] } },
  test: {
    pool: 'forks',
    sequence: { sequencer: LongFirst },
    maxWorkers: 2,
    // Of tests that may go on at a time within a file.
    maxConcurrency: 3,
    testTimeout: MINUTE_MS,
    hookTimeout: 2 * MINUTE_MS,
    allowOnly: false,
    passWithNoTests: false,
    expect: { requireAssertions: true },
    // Node keeps there what it made of the sources: half of what a start of the program takes, and tests start it often.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, '.cache', 'node') },
    projects: [
      {
        extends: true,
        test: {
          name: 'code',
          include: ['test/**/*.test.ts'],
          exclude: ['test/kernel/**', 'test/system/**'],
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'kernel',
          include: ['test/kernel/**/*.test.ts'],
          ...EMULATED,
        },
      },
      {
        extends: true,
        test: {
          name: 'system',
          include: ['test/system/**/*.test.ts'],
          ...EMULATED,
        },
      },
    ],
  },
});
