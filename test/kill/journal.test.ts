/**
 * An agent that is killed before and after each append to its journal, and started again, ends where it would have.
 */
import { describe, test } from 'vitest';
import { JOURNAL_POINTS } from './points.ts';
import { expectSurvived } from './survived.ts';

test('an agent that nobody kills', ({ expect }) => expectSurvived(expect, null));

describe.concurrent('killed at an append to the journal', () => {
  test.for(JOURNAL_POINTS)('$when $effect, time $nth', (point, { expect }) => expectSurvived(expect, point));
});
