/**
 * A page with a session at a shell: what is taken from it, what is put into it, and what makes an answer another one.
 */
import { expect, test } from 'vitest';
import { answered, isSame, stepsOf } from './transcript.ts';

const PAGE = [
  '# Title',
  '',
  '```console',
  '# one',
  'a  at 1.2.3',
  'b',
  '# two',
  '```',
  '',
  '# No command',
  '',
].join('\n');

test('commands and their answers are those of its console blocks', () => {
  expect(stepsOf(PAGE)).toEqual([
    { command: 'one', answer: ['a  at 1.2.3', 'b'] },
    { command: 'two', answer: [] },
  ]);
});

test('an answer that says something else replaces the one before; any other stays to the letter', () => {
  expect(answered(PAGE, [['a at 1.2.4', 'b'], []])).toBe(PAGE);
  expect(answered(PAGE, [['a at 1.2.4', 'c'], ['new']])).toBe(
    PAGE.replace('a  at 1.2.3\nb', 'a at 1.2.4\nc').replace('# two', '# two\nnew'),
  );
});

test.each([
  ['a time', 'at 2026-01-01T00:00:00.000Z', 'at 2027-12-31T23:59:59Z', true],
  ['a hash', `root ${'a'.repeat(64)}`, `root ${'b'.repeat(64)}`, true],
  ['a record’s number', '2026-01-01T00:00:00Z alpha 9 1/1', '2026-01-01T00:00:00Z alpha 11 1/1', true],
  ['a generation', 'alpha 9 1/1', 'alpha 9 1/2', false],
  ['a version', 'Node 24.1.0', 'Node v25.0.0', true],
  ['the width of columns', 'a   b', 'a b', true],
  ['a UUID', '5d3c7e0a-2f51-4b1e-9a44-0c8a6f1e2b01', '5d3c7e0a-2f51-4b1e-9a44-0c8a6f1e2b02', false],
  ['how many devices', '2 devices', '3 devices', false],
  ['a line more', 'a', 'a\nb', false],
])('%s', (_what, one, other, same) => {
  expect(isSame(one.split('\n'), other.split('\n'))).toBe(same);
});
