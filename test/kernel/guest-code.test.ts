/**
 * The code that a guest runs: all of it is joined, also what a program starts by its path, and a failure in it is told
 * with its place in the sources.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { atSources, isCode, joinCode, joinedPath } from './guest-code.ts';

const run = promisify(execFile);
const RUNNER = join(import.meta.dirname, 'scenario-runner.ts');
const MARKS = join(import.meta.dirname, '../../reconciler/sysfs/writer-process.ts');
const WRITER = join(import.meta.dirname, '../../reconciler/sysfs/writer.ts');
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mdevfleet-code-'));
  await joinCode([RUNNER, MARKS], folder);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function outside(path: string): string {
  return join(folder, joinedPath(path).replace('/guest/code/', ''));
}

test('a program is joined, and so is one that it starts, which it looks for where the guest has it', async () => {
  expect(await readFile(outside(WRITER), 'utf8')).not.toContain('import.meta.dirname');
  expect(await readFile(outside(MARKS), 'utf8')).toContain(JSON.stringify(joinedPath(WRITER)));
  expect([WRITER, 'writer.ts', '/usr/lib/other.ts', '--eval'].map(isCode)).toEqual([
    true,
    false,
    false,
    false,
  ]);
});

test('a failure is told with its place in the sources', async () => {
  const module = join(folder, 'failing.ts');
  await writeFile(module, `export const scenario = { cases: { fails() { throw new Error('no'); } } };`);
  const { stdout } = await run(process.execPath, [outside(RUNNER), module]);
  const { failure } = JSON.parse(stdout) as { failure: string };
  const inGuest = failure.replaceAll(folder, '/guest/code');
  const [, line = ''] = /scenario-runner\.ts:(\d+):\d+/.exec(await atSources(inGuest, folder)) ?? [];
  const source = (await readFile(RUNNER, 'utf8')).split('\n');
  expect(source[Number(line) - 1]).toContain('run()');
});
