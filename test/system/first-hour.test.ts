/**
 * docs/first-hour.md, typed by root on a fresh Debian system in an emulated machine: each answer is the one in the page.
 * `npx vitest run -u test/system/first-hour.test.ts` writes the answers of this run into the page.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { answered, stepsOf } from './transcript.ts';
import { answersOf } from './typed.ts';

const PAGE = join(import.meta.dirname, '../../docs/first-hour.md');
const DEADLINE_MS = 900_000;

test('an operator’s first hour goes as the documentation shows it', { timeout: DEADLINE_MS }, async () => {
  const page = readFileSync(PAGE, 'utf8');
  const commands = stepsOf(page).map(({ command }) => command);
  expect(commands.length).toBeGreaterThan(0);
  const answers = await answersOf(commands, DEADLINE_MS);
  await expect(answered(page, answers)).toMatchFileSnapshot(PAGE);
});
