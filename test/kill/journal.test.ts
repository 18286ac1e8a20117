/**
 * An agent that is killed before and after each append to its journal, and started again, ends where it would have.
 */
import { describe, test } from 'vitest';
import { JOURNAL_POINTS } from './points.ts';
import { expectSurvived } from './survived.ts';

test('an agent that nobody kills', () => expectSurvived(null));

describe('killed at an append to the journal', () => {
  test.each(JOURNAL_POINTS)('$when $effect, time $nth', (point) => expectSurvived(point));
});
