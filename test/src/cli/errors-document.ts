/**
 * docs/errors.md: the list of errors as somebody looks it up who has met one.
 */
import { EXIT, EXIT_MEANINGS, type Outcome } from '../../../src/exit.ts';
import type { Line } from './errors-list.ts';

/** What was printed for a line of the list. */
export type Told = { readonly line: Line; readonly stderr: string };

type Servers = Readonly<Record<string, string>>;

/** The whole document; `addresses` are those that were used, by the names of the servers. */
export function errorsDocument(all: readonly Told[], servers: Servers): string {
  const outcomes = (Object.keys(EXIT) as Outcome[]).filter((one) =>
    all.some(({ line }) => line.outcome === one),
  );
  return [
    '# Errors',
    '',
    'What can be got wrong on the command line, what is said then, and the exit status. Every message names the operation',
    'and its object; the way out is its end, or the line below. `--verbose` adds what caused it. A test runs each of these',
    'commands and writes this file (`npx vitest run -u test/src/cli/errors.test.ts`).',
    '',
    ...outcomes.flatMap((outcome) => [
      `## ${EXIT[outcome]}: ${EXIT_MEANINGS[outcome]}`,
      '',
      '```',
      all
        .filter(({ line }) => line.outcome === outcome)
        .map((one) => entry(one, servers))
        .join('\n\n'),
      '```',
      '',
    ]),
  ].join('\n');
}

function entry({ line: { wrong, command }, stderr }: Told, servers: Servers): string {
  const said = lasting(stderr, servers)
    .trimEnd()
    .replace(/^(Usage: .*)[\s\S]*$/, '$1');
  return `# ${wrong}\n${prompt(command)}\n${said}`;
}

/** Variables stand before the program. */
function prompt(command: string): string {
  const [, variables = '', rest = ''] = /^((?:[A-Z_]+='[^']*' )*)(.*)$/.exec(command) ?? [];
  return `$ ${variables}mdevfleet ${rest}`.trimEnd();
}

/** What differs from run to run, and what stands for it. */
const PASSING: readonly (readonly [RegExp, string])[] = [
  [/since \d{4}-\S*Z/g, 'since 2026-01-31T14:05:00.000Z'],
  [/(?<has>has journal )[0-9a-f-]{36}/g, '$<has>019c0a5e4-5f7c-7c3e-9b1d-2f6d0c8a4e71'],
  [/\.last-\w+/g, '.last'],
];

/** Without what differs from run to run, ports of servers among it. */
function lasting(text: string, servers: Servers): string {
  const hosts = Object.entries(servers).map(
    ([name, url]) => [new URL(url).host, new URL(name).host] as const,
  );
  const named = hosts.reduce((before, [host, name]) => before.replaceAll(host, name), text);
  return PASSING.reduce((before, [what, instead]) => before.replace(what, instead), named);
}
