/**
 * Callout scripts, as they are: what they are given, what their answers do, and what is never run.
 */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createCallouts } from '../../../reconciler/callouts/callouts.ts';
import { systemClock } from '../../../reconciler/clock-system.ts';
import type { HookedChange } from '../../../reconciler/hooks.ts';

const UUID = '5d3c7e0a-2f51-4b1e-9a44-0c8a6f1e2b01';
const START: HookedChange = {
  ...{ action: 'start', uuid: UUID, place: { parent: 'matrix', type: 'vfio_ap-passthrough' } },
  attributes: [
    { name: 'assign_adapter', value: '5' },
    { name: 'assign_adapter', value: '6 "x"' },
  ],
};
const STOP: HookedChange = { ...START, action: 'stop', attributes: [] };
/** Long enough for any script here that means to end. */
const TIMEOUT_MS = 30_000;

let folder: string;
let dir: string;
let warned: readonly object[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mdevfleet-callouts-'));
  dir = join(folder, 'callouts');
  mkdirSync(dir, { mode: 0o755 });
  warned = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

function script(name: string, body: string, mode = 0o755): string {
  const path = join(dir, name);
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, mode);
  return path;
}

function callouts(timeoutMs = TIMEOUT_MS) {
  const warn = (fields: object): void => {
    warned = [...warned, fields];
  };
  return createCallouts({ dir, timeoutMs, clock: systemClock, warn });
}

/** Each line of what a recording script was given. */
function record(name = 'record', end = 'exit 0'): () => readonly string[] {
  const file = join(folder, `${name}.log`);
  script(name, `printf '%s ' "$@" >> ${file}; cat >> ${file}; echo >> ${file}; ${end}`);
  return () => (existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : []);
}

describe('a script is given', () => {
  test('what mdevctl 1.2.0 gives it, before and after', async () => {
    const heard = record();
    const hooks = callouts();
    for (const change of [START, STOP]) {
      const answer = await hooks.before(change);
      expect(answer).toEqual({ kind: 'allowed', by: join(dir, 'record') });
      if (answer.kind === 'allowed') await hooks.after(change, answer, 'success');
    }
    const about = `-u ${UUID} -p matrix`;
    const attrs = String.raw`[{"assign_adapter":"5"},{"assign_adapter":"6 \"x\""}]`;
    const definition = (list: string) =>
      `{"mdev_type":"vfio_ap-passthrough","start":"manual","attrs":${list}}`;
    expect(heard()).toEqual([
      `-t vfio_ap-passthrough -e pre -a start -s none ${about} ${definition(attrs)}`,
      `-t vfio_ap-passthrough -e post -a start -s success ${about} ${definition(attrs)}`,
      `-t vfio_ap-passthrough -e pre -a stop -s none ${about} ${definition('[]')}`,
      `-t vfio_ap-passthrough -e post -a stop -s success ${about} ${definition('[]')}`,
    ]);
    expect(warned).toEqual([]);
  });

  test('the same environment, wherever the agent was started', async () => {
    script('env', `{ env | cut -d= -f1 | sort | tr '\\n' ' '; pwd; } >&2; exit 1`);
    expect(await callouts().before(START)).toMatchObject({
      message: expect.stringMatching(/: HOME LANG (OLDPWD )?PATH PWD SHELL (SHLVL )?(_ )?\/$/),
    });
  });

  test('more than it cares to read', async () => {
    script('deaf', 'exit 0');
    const attributes = Array.from({ length: 256 }, () => ({ name: 'a', value: 'x'.repeat(4_000) }));
    expect(await callouts().before({ ...START, attributes })).toMatchObject({ kind: 'allowed' });
  });
});

describe('the answer', () => {
  test('2 leaves it to the next by name; if all say so, nobody is told but all', async () => {
    const first = record('10-first', 'exit 2');
    const second = record('20-second', 'exit 2');
    const hooks = callouts();
    expect(await hooks.before(START)).toEqual({ kind: 'allowed', by: null });
    await hooks.after(START, { kind: 'allowed', by: null }, 'failure');
    for (const heard of [first, second]) expect(heard()[1]).toContain('-e post -a start -s failure');
    const third = record('30-third');
    expect(await hooks.before(START)).toEqual({ kind: 'allowed', by: join(dir, '30-third') });
    await hooks.after(START, { kind: 'allowed', by: join(dir, '30-third') }, 'success');
    expect([first().length, third().length]).toEqual([3, 2]);
  });

  test.each([
    ['exit 1', 'ap-check answered 1 to start'],
    [
      'echo "queue  05.0006" >&2; echo taken >&2; exit 1',
      'ap-check answered 1 to start: queue 05.0006 taken',
    ],
    ['exit 3', 'ap-check answered 3 to start'],
    ['kill -9 $$', 'ap-check was ended by SIGKILL'],
  ])('of `%s` refuses', async (body, message) => {
    script('ap-check', body);
    expect(await callouts().before(START)).toEqual({ kind: 'refused', message });
  });

  test('after the change is told to the log and changes nothing', async () => {
    const by = script('late', 'echo no >&2; exit 1');
    await callouts().after(START, { kind: 'allowed', by }, 'success');
    expect(warned).toMatchObject([{ uuid: UUID, script: by, answer: { status: 1, said: 'no' } }]);
    await callouts().after(START, { kind: 'allowed', by: join(dir, 'gone') }, 'success');
    expect(warned).toMatchObject([{}, { answer: { kind: 'failed' } }]);
  });

  test('is cut where it says too much', async () => {
    script('loud', 'while :; do echo 0123456789012345678901234567890123456789 >&2; done');
    const answer = await callouts().before(START);
    expect(answer).toMatchObject({ kind: 'refused' });
    expect(JSON.stringify(answer).length).toBeLessThan(1_300);
  });
});

test('one that takes too long is killed with all that it has started, and has refused', async () => {
  const pids = join(folder, 'pids');
  script('slow', `sleep 1000 & echo $! $$ > ${pids}.new; mv ${pids}.new ${pids}; wait`);
  let isLate = (): void => {};
  const after = (_: number, callback: () => void) => {
    isLate = callback;
    return () => {};
  };
  const clock = { ...systemClock, after };
  const asked = createCallouts({ dir, timeoutMs: 7, clock, warn: () => {} }).before(START);
  await expect.poll(() => existsSync(pids), { timeout: TIMEOUT_MS }).toBe(true);
  isLate();
  expect(await asked).toEqual({
    kind: 'refused',
    message: 'slow did not end within 7 ms, and was killed',
  });
  const running = () => readFileSync(pids, 'utf8').trim().split(' ').filter(isRunning);
  await expect.poll(running, { timeout: TIMEOUT_MS }).toEqual([]);
});

/** A zombie has ended, whoever ought to wait for it. */
function isRunning(pid: string): boolean {
  const file = `/proc/${pid}/stat`;
  return existsSync(file) && !/\) [ZX] /.test(readFileSync(file, 'utf8'));
}

test('one that leaves something running is not waited for any longer', async () => {
  const file = join(folder, 'left');
  script('leaves', `sleep 1000 & echo $! > ${file}; exit 0`);
  expect(await callouts().before(START)).toMatchObject({ kind: 'allowed' });
  process.kill(Number(readFileSync(file, 'utf8')), 'SIGKILL');
});

describe('never run', () => {
  test.each<[string, number]>([
    ['by others', 0o757],
    ['by its group', 0o775],
  ])('is what may be written %s, and nothing else is then', async (_, mode) => {
    const heard = record('10-good');
    const path = script('20-bad', 'exit 0', mode);
    expect(await callouts().before(START)).toEqual({
      kind: 'refused',
      message: `no callout script is run: ${path} may be written by others than its owner: \`chmod go-w ${path}\``,
    });
    expect(heard()).toEqual([]);
  });

  test('is what lies in a folder that others may write, or in none', async () => {
    const heard = record();
    chmodSync(dir, 0o777);
    expect(await callouts().before(START)).toMatchObject({ kind: 'refused' });
    expect(heard()).toEqual([]);
    rmSync(dir, { recursive: true });
    expect(await callouts().before(START)).toMatchObject({
      message: expect.stringContaining('no callout script is run: ENOENT'),
    });
  });

  test('is what is no executable file', async () => {
    script('README', 'exit 1', 0o644);
    mkdirSync(join(dir, 'folder'));
    expect(await callouts().before(START)).toEqual({ kind: 'allowed', by: null });
  });
});
