/**
 * What the program says of itself: the exit statuses, and for each verb an example.
 */
import { describe, expect, test } from 'vitest';
import { buildProgram } from '../../../src/cli/program.ts';
import { EXIT, EXIT_MEANINGS } from '../../../src/exit.ts';
import { runInProcess } from './in-process.ts';
import { mdevfleet } from './run.ts';

const VERBS = buildProgram('0', () => Promise.resolve()).commands.map((command) => command.name());

describe('help', () => {
  test('says what each exit status means', async () => {
    const { status, stdout } = await runInProcess(['--help']);
    expect(status).toBe(EXIT.ok);
    for (const meaning of Object.values(EXIT_MEANINGS)) expect(stdout).toContain(meaning);
  });

  test.each(VERBS)('%s has an example', async (verb) => {
    const { status, stdout } = await runInProcess([verb, '--help']);
    expect(status).toBe(EXIT.ok);
    expect(stdout).toMatch(new RegExp(`Example:\n.*mdevfleet ${verb}\\b`));
  });
});

test('a process ends with the status of what was wrong, and says it on stderr', async () => {
  expect(await mdevfleet([])).toMatchObject({
    status: EXIT.usage,
    stderr: expect.stringContaining('Usage: '),
  });
  expect(await mdevfleet(['get', 'devices'])).toEqual({
    status: EXIT.usage,
    stdout: '',
    stderr: expect.stringMatching(/^error: .*\n {2}give --nats URL, or --data DIR/),
  });
});
