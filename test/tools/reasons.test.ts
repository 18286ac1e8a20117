import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { REASONS_FILE, reasonsDocument } from '../../tools/reasons.ts';

test('the reasons that are documented are those of the program; `npm run docs` writes them', () => {
  expect(readFileSync(REASONS_FILE, 'utf8')).toBe(reasonsDocument());
});
