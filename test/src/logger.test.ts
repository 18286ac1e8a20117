/**
 * A log that cannot be written, as on a full disk, keeps nobody from going on.
 */
import { closeSync, openSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createLogger } from '../../src/logger.ts';

test('what cannot be written is not thrown', () => {
  const full = openSync('/dev/full', 'w');
  const log = createLogger('info', false, full);
  const say = () => {
    for (let line = 0; line < 3; line += 1) log.info({ line }, 'said');
  };
  expect(say).not.toThrow();
  closeSync(full);
});
