/**
 * An agent that is killed before, during and after each write elsewhere, and started again, ends where it would have.
 */
import { describe, test } from 'vitest';
import { WRITE_POINTS } from './points.ts';
import { expectSurvived } from './survived.ts';

describe.concurrent('killed at a write to the registry, to sysfs, or to the stream', () => {
  test.for(WRITE_POINTS)('$when $effect, time $nth', (point, { expect }) => expectSurvived(expect, point));
});
