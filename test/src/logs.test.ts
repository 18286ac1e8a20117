/**
 * docs/logs.md lists every message that is logged, with its level and its fields, and no other.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..');
const SOURCES = globSync('{src,reconciler,store,events}/**/*.ts', { cwd: ROOT });

/** A call of a log, or of a `warn` that was handed on: its level, its fields, its message. */
const CALL =
  /(?:\blog\.(?<level>trace|debug|info|warn|error|fatal)|(?<![.\w])warn)\(\s*(?<fields>\w+|\{[^}]*\}),\s*(?<message>'[^']*'|message),?\s*\)/g;
/** What looks like one, to notice if the pattern above has missed it. */
const TRACE =
  /(?:\blog\.(?:trace|debug|info|warn|error|fatal)|\blog\[.*\]|(?<![.\w])warn)\((?!text: |fields: )/g;

type Logged = { readonly line: string; readonly fields: string | null };

test('every message is in the document, with its level and fields', () => {
  const logged = SOURCES.flatMap((file) => callsIn(readFileSync(join(ROOT, file), 'utf8'), file));
  const documented = documentedLines();
  expect([...new Set(logged.map(({ line }) => line))].toSorted()).toEqual([...documented.keys()].toSorted());
  for (const { line, fields } of logged) {
    if (fields !== null) expect(documented.get(line), line).toBe(fields);
  }
});

function callsIn(text: string, file: string): readonly Logged[] {
  const calls = [...text.matchAll(CALL)];
  expect(calls.length, `calls in ${file} whose message is not constant`).toBe(
    [...text.matchAll(TRACE)].length,
  );
  return calls.flatMap(({ groups: { level = 'warn', fields = '', message = '' } = {} }) => {
    // Handed on as it came: the message is where it was made.
    if (message === 'message') return [];
    return [
      { line: `${message.slice(1, -1)} ${level}`, fields: fields.startsWith('{') ? names(fields) : null },
    ];
  });
}

/** `{ err: error, key }` → `err, key` */
function names(literal: string): string {
  const parts = literal.slice(1, -1).split(',');
  return parts.flatMap((part) => /^\s*(\w+)\s*(?::|$)/.exec(part)?.[1] ?? []).join(', ');
}

function documentedLines(): ReadonlyMap<string, string> {
  const document = readFileSync(join(ROOT, 'docs', 'logs.md'), 'utf8').split('## Messages')[1] ?? '';
  const rows = document.split('\n').filter((line) => line.startsWith('| '));
  const cells = rows.slice(1).map((line) => line.split('|').map((cell) => cell.trim()));
  return new Map(cells.map(([, message, level, fields = '']) => [`${message} ${level}`, fields]));
}
