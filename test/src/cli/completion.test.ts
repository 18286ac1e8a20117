/**
 * Completion scripts: bash completes with ours, and the others know as much.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { completedVerbs } from '../../../src/cli/completed.ts';
import { buildProgram } from '../../../src/cli/program.ts';
import { bash, fish, zsh } from '../../../src/cli/shells.ts';
import { mdevfleet } from './run.ts';

const verbs = completedVerbs(buildProgram('0', async () => {}));

/** What bash would offer for the last of these words. */
async function offered(script: string, ...words: readonly string[]): Promise<readonly string[]> {
  const ask = [
    script,
    'compopt() { :; }',
    'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _mdevfleet',
    `printf '%s\\n' "\${COMPREPLY[@]}"`,
  ].join('\n');
  const { stdout } = await promisify(execFile)('bash', ['-c', ask, 'bash', ...words]);
  return stdout.split('\n').filter((word) => word !== '');
}

describe('bash', () => {
  const script = bash(verbs);

  test('completes verbs, arguments, flags and values', async () => {
    expect(await offered(script, 'mdevfleet', 're')).toEqual(
      expect.arrayContaining(['retry', 'release', 'resume']),
    );
    expect(await offered(script, 'mdevfleet', 'get', 'dev')).toEqual(['devices']);
    expect(await offered(script, 'mdevfleet', 'get', 'devices', '--sta')).toEqual(['--state']);
    expect(await offered(script, 'mdevfleet', 'get', 'devices', '--state', 'w')).toEqual(['waiting']);
    expect(await offered(script, 'mdevfleet', 'get', 'devices', '-o', 'mdev')).toEqual(['mdevctl']);
  });

  test('leaves paths to the shell, and knows a verb behind a flag', async () => {
    expect(await offered(script, 'mdevfleet', 'apply', '-f', 'x')).toEqual([]);
    expect(await offered(script, 'mdevfleet', '--verbose', 'completion', 'z')).toEqual(['zsh']);
  });
});

test.each([
  ['bash', bash(verbs)],
  ['zsh', zsh(verbs)],
  ['fish', fish(verbs)],
])('%s knows every verb, flag and value', (shell, script) => {
  expect(verbs.length).toBeGreaterThan(10);
  for (const { name, flags, args } of verbs) {
    expect(script).toContain(name);
    const values = [...args, ...flags.flatMap(({ value }) => value ?? [])];
    const words = values.flatMap((one) => (one.kind === 'words' ? one.words : []));
    const spelled = flags.flatMap(({ names }) => names);
    const inFish = spelled.map((one) => (one.startsWith('--') ? `-l ${one.slice(2)}` : `-s ${one.slice(1)}`));
    for (const text of [...words, ...(shell === 'fish' ? inFish : spelled)]) expect(script).toContain(text);
  }
});

test('no description can be taken for a command', async () => {
  const program = new Command('mdevfleet');
  program
    .command('its')
    .description("'; echo $(echo taken) `echo taken`")
    .option('--a <b>', "'$(echo taken)'");
  for (const script of [bash, zsh, fish]) expect(script(completedVerbs(program))).not.toMatch(/^echo/m);
  expect(await offered(bash(completedVerbs(program)), 'mdevfleet', 'x')).toEqual([]);
});

test('is printed for the shell that is asked for, and for no other', async () => {
  const { status, stdout } = await mdevfleet(['completion', 'fish']);
  expect([status, stdout]).toEqual([0, fish(verbs)]);
  expect(await mdevfleet(['completion', 'fisch'])).toMatchObject({ status: 3 });
});
