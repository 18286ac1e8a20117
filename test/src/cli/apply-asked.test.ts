/**
 * `apply` on a terminal: what was seen and confirmed is published, and nothing else; and the wait shows how far it is.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { Output } from '../../../src/cli/output.ts';
import { EXIT } from '../../../src/exit.ts';
import { runInProcess } from './in-process.ts';

const UUID = '5d3c7e0a-2f51-4b1e-9a44-0c8a6f1e2b01';
const folder = mkdtempSync(join(tmpdir(), 'mdevfleet-asked-'));
afterAll(() => rmSync(folder, { recursive: true }));

let data: string;
beforeEach(() => {
  data = mkdtempSync(join(folder, 'data-'));
});

function manifest(set: string, host: string, labels = {}): string {
  const devices = [{ uuid: UUID, host, parent: 'mtty', type: 'mtty-2', labels }];
  const head = { apiVersion: 'mdevfleet.io/v1', kind: 'DeviceSet', metadata: { name: set } };
  const path = join(mkdtempSync(join(folder, 'manifest-')), 'set.yaml');
  writeFileSync(path, JSON.stringify({ ...head, devices }));
  return path;
}

const apply = (path: string, flags: readonly string[], typed?: AsyncIterable<string> | Iterable<string>) =>
  runInProcess(['apply', '--data', data, '-f', path, ...flags], typed === undefined ? {} : { typed });

const planned = (path: string, plan: string, ...flags: readonly string[]) =>
  runInProcess(['plan', '--data', data, '-f', path, '--out', plan, ...flags]);

async function declared(): Promise<unknown> {
  const { stdout } = await runInProcess(['get', 'devices', '--data', data, '--json']);
  return JSON.parse(stdout);
}

/** Somebody else applies this while the question stands, and then the answer is yes. */
async function* meanwhile(path: string, ...flags: readonly string[]): AsyncGenerator<string> {
  expect(await apply(path, flags)).toMatchObject({ status: EXIT.ok });
  yield 'y\n';
}

test('the plan is shown, and published when that is confirmed', async () => {
  const ran = await apply(manifest('mine', 'host-a'), [], ['y\n']);
  expect(ran).toMatchObject({ status: EXIT.ok, stdout: expect.stringContaining('is not declared yet') });
  expect(ran.stderr).toContain('Publish this? [y/N]');
  expect(await declared()).toMatchObject([{ uuid: UUID, host: 'host-a' }]);
});

test.each([
  ['no', ['n\n']],
  ['nothing', ['\n']],
  ['the end', []],
])('%s is no answer to publish', async (_, typed) => {
  const ran = await apply(manifest('mine', 'host-a'), [], typed);
  expect(ran).toMatchObject({ status: EXIT.refused, stderr: expect.stringContaining('was not confirmed') });
  expect(await declared()).toEqual([]);
});

test('nobody is asked with --yes, or when nothing would change', async () => {
  const path = manifest('mine', 'host-a');
  expect((await apply(path, ['--yes'], ['n\n'])).status).toBe(EXIT.ok);
  expect((await apply(path, [], ['n\n'])).status).toBe(EXIT.ok);
});

test('a fleet that moved past the plan while it was looked at is left as it is', async () => {
  const theirs = manifest('mine', 'host-a', { owner: 'them' });
  const ran = await apply(manifest('mine', 'host-a'), [], meanwhile(theirs));
  expect(ran).toMatchObject({ status: EXIT.refused, stderr: expect.stringContaining('moved past the plan') });
  expect(await declared()).toMatchObject([{ host: 'host-a' }]);
  expect((await apply(theirs, ['--json'])).stdout).toContain('"unchanged"');
});

test('so is one where the UUID was declared on another host, of which no subject of the plan tells', async () => {
  const ran = await apply(manifest('mine', 'host-a'), ['--replace'], meanwhile(manifest('mine', 'host-b')));
  expect(ran).toMatchObject({ status: EXIT.refused, stderr: expect.stringContaining('moved past the plan') });
  expect(await declared()).toMatchObject([{ host: 'host-b' }]);
});

test('what somebody else has done meanwhile just so is no reason to refuse', async () => {
  const path = manifest('mine', 'host-a');
  expect(await apply(path, [], meanwhile(path))).toMatchObject({ status: EXIT.ok });
});

test('a plan from a file is published as it is, without a question, and twice is once', async () => {
  const plan = join(folder, 'whole.plan');
  await apply(manifest('mine', 'host-c'), []);
  const path = manifest('mine', 'host-a');
  expect(await planned(path, plan, '--prune')).toMatchObject({ status: EXIT.changes });
  rmSync(path);
  const applied = ['apply', '--data', data, '--plan', plan, '--replace'];
  expect(await runInProcess(applied, { typed: ['n\n'] })).toMatchObject({ status: EXIT.ok });
  expect(await declared()).toMatchObject([{ host: 'host-a' }]);
  expect((await runInProcess(applied)).stdout).toContain('0 published, 1 unchanged');
});

test('a plan from a file does not allow what the flags of `apply` do not', async () => {
  const plan = join(folder, 'harm.plan');
  await apply(manifest('mine', 'host-b'), []);
  await planned(manifest('mine', 'host-a'), plan);
  const ran = await runInProcess(['apply', '--data', data, '--plan', plan]);
  expect(ran).toMatchObject({ status: EXIT.refused, stderr: expect.stringContaining('--replace') });
});

test('a plan from a file that the fleet has moved past is refused, and shows nothing as done', async () => {
  const plan = join(folder, 'stale.plan');
  await runInProcess(['init', '--data', data]);
  await planned(manifest('mine', 'host-a', { owner: 'us' }), plan);
  await apply(manifest('mine', 'host-a', { owner: 'them' }), []);
  const ran = await runInProcess(['apply', '--data', data, '--plan', plan]);
  expect(ran).toMatchObject({ status: EXIT.refused, stdout: '' });
  expect(ran.stderr).toContain('moved past the plan');
});

test('a wait, which a timeout is, shows on a terminal how far it is, and elsewhere only what came of it', async () => {
  const wait = ['--timeout', '0s', '--yes'];
  const shown = await apply(manifest('mine', 'host-a'), wait, []);
  expect(shown).toMatchObject({ status: EXIT.timeout, stdout: expect.stringContaining('NotReported') });
  expect(shown.stderr).toContain('[........................] 0 of 1 settled, 0:00 left, 1 NotReported');
  expect(shown.stderr.endsWith('\r\u001b[2K')).toBe(true);
  expect(await apply(manifest('mine', 'host-a'), wait)).toMatchObject({ status: EXIT.timeout, stderr: '' });
});

test('whoever has answered is not listened to any more, so that the program can end', async () => {
  const typed = new PassThrough();
  typed.write('yes\n');
  const sink = { write: () => true, isTTY: true };
  expect(await new Output(sink, sink, () => typed).ask('?')).toBe('yes');
  expect(typed.isPaused()).toBe(true);
});
