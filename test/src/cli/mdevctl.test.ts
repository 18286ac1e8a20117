/**
 * Moving in from mdevctl, and living beside it: the verbs that read and write what mdevctl has.
 */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXIT } from '../../../src/exit.ts';
import { definitionText, dumpText } from '../../../src/mdevctl/print.ts';
import { runInProcess } from './in-process.ts';
import { mdevfleet } from './run.ts';

const [A, B] = ['5d3c7e0a-2f51-4b1e-9a44-0c8a6f1e2b01', '5d3c7e0a-2f51-4b1e-9a44-0c8a6f1e2b02'] as const;
const attributes = [
  { name: 'assign_adapter', value: '5' },
  { name: 'assign_adapter', value: '6' },
];
const FIRST = { parent: 'matrix', uuid: A, type: 'vfio_ap-passthrough', start: 'auto', attributes } as const;
const SECOND = { parent: 'mtty', uuid: B, type: 'mtty-2', start: 'manual', attributes: [] } as const;

let folder: string;
let theirs: string;
const at = () => ['--data', join(folder, 'data')];

async function define(one: typeof FIRST | typeof SECOND, text = definitionText(one)): Promise<string> {
  const path = join(theirs, one.parent, one.uuid);
  await mkdir(join(theirs, one.parent), { recursive: true });
  await writeFile(path, text);
  return path;
}

/** Applies a manifest. */
async function applied(manifest: string) {
  const path = join(folder, 'manifest.yaml');
  await writeFile(path, manifest);
  return runInProcess(['apply', ...at(), '-f', path]);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mdevfleet-mdevctl-'));
  theirs = join(folder, 'mdevctl.d');
  await mkdir(join(theirs, 'scripts.d', 'callouts'), { recursive: true });
  await define(FIRST);
  await define(SECOND);
});
afterAll(() => rm(folder, { recursive: true }));

describe('from mdevctl, and back', () => {
  test('what is imported can be applied as it is printed', async () => {
    const imported = await runInProcess(['import', 'mdevctl', theirs, '--host', 'host-a', '--set', 'old']);
    expect(imported).toMatchObject({
      status: EXIT.ok,
      stderr: expect.stringContaining('1 with start: manual'),
    });
    expect(await applied(imported.stdout)).toMatchObject({
      status: EXIT.ok,
      stdout: expect.stringContaining('2 published'),
    });
  });

  test('a dump says the same as the folder; only what starts automatically can be asked for', async () => {
    const args = ['--host', 'host-a', '--json', '--start', 'auto'];
    const dump = await mdevfleet(['import', 'mdevctl', '-', ...args], { input: dumpText([FIRST, SECOND]) });
    const files = await runInProcess(['import', 'mdevctl', theirs, ...args]);
    expect(dump).toEqual(files);
    expect(JSON.parse(files.stdout).devices).toEqual([
      { uuid: A, host: 'host-a', parent: 'matrix', type: 'vfio_ap-passthrough', attributes },
    ]);
  });

  test('exported, each is started by the agent only', async () => {
    const { status, stdout } = await runInProcess(['export', 'mdevctl', ...at()]);
    const owned = [FIRST, SECOND].map((one) => ({ ...one, start: 'manual' as const }));
    expect([status, stdout]).toEqual([EXIT.ok, `${dumpText(owned)}\n`]);
    expect(await runInProcess(['export', 'mdevctl', ...at(), '--dir', theirs])).toMatchObject({
      status: EXIT.ok,
    });
    expect(await readFile(join(theirs, 'matrix', A), 'utf8')).toBe(
      definitionText({ ...FIRST, start: 'manual' }),
    );
    const again = await runInProcess(['export', 'mdevctl', theirs, ...at()]);
    expect(again.stdout).toMatch(/^unchanged .*\nunchanged .*\n$/);
    const twice = await runInProcess(['export', 'mdevctl', theirs, ...at(), '--dir', folder]);
    expect(twice).toMatchObject({ status: EXIT.usage });
  });

  test('given back, it is what it was, and nothing else lies about', async () => {
    const stray = join(theirs, 'other');
    await mkdir(stray);
    await writeFile(join(stray, B), definitionText(SECOND));
    const given = await runInProcess(['export', 'mdevctl', ...at(), '--dir', theirs, '--give-back']);
    expect(given.stdout).toContain(`written ${join(theirs, 'matrix', A)}`);
    expect(given.stdout).toContain(`unchanged ${join(theirs, 'mtty', B)}`);
    expect(given.stderr).toContain(`${join(stray, B)} defines the same UUID`);
    expect(await readFile(join(theirs, 'matrix', A), 'utf8')).toBe(definitionText(FIRST));
    expect((await readdir(theirs)).sort()).toEqual(['matrix', 'mtty', 'other', 'scripts.d']);
    await rm(stray, { recursive: true });
  });

  test('what cannot be written is told, and nothing half-written is left', async () => {
    const blocked = join(folder, 'blocked');
    await mkdir(join(blocked, 'matrix', A), { recursive: true });
    const { status, stderr } = await runInProcess(['export', 'mdevctl', ...at(), '--dir', blocked]);
    expect([status, stderr]).toEqual([
      EXIT.incomplete,
      expect.stringContaining(`writing definitions to ${blocked}`),
    ]);
    expect(await readdir(blocked)).toEqual(['matrix']);
  });

  test('of several hosts one has to be chosen', async () => {
    const dump = join(folder, 'dump.json');
    await writeFile(dump, dumpText([{ ...FIRST, uuid: '5d3c7e0a-2f51-4b1e-9a44-0c8a6f1e2b03' }]));
    const more = await runInProcess(['import', 'mdevctl', dump, '--host', 'host-b', '--start', 'auto']);
    await applied(more.stdout);
    const unclear = await runInProcess(['export', 'mdevctl', ...at()]);
    expect(unclear).toMatchObject({ status: EXIT.usage, stdout: '' });
    expect(unclear.stderr).toContain('host-a, host-b');
    const mistyped = await runInProcess(['export', 'mdevctl', ...at(), '--host', 'hots-b']);
    expect(mistyped).toMatchObject({
      stdout: '[]\n',
      stderr: expect.stringContaining('did you mean host-b'),
    });
    const one = await runInProcess(['export', 'mdevctl', ...at(), '--host', 'host-b', '--give-back']);
    expect(JSON.parse(one.stdout)).toMatchObject([{ matrix: [{}] }]);
  });

  test('nothing is active yet, and that is what `get` shows of it', async () => {
    const { stdout } = await runInProcess(['get', 'devices', ...at(), '-o', 'mdevctl']);
    expect(stdout).toBe('[]\n');
    const waiting = ['--host', 'host-a', '--state', 'waiting'];
    const declared = await runInProcess(['get', 'devices', ...at(), '-o', 'mdevctl', ...waiting]);
    expect(Object.keys(JSON.parse(declared.stdout)[0])).toEqual(['matrix', 'mtty']);
  });

  test('one bad file does not hide the others, and is told with its line', async () => {
    const path = await define(SECOND, '{\n  "mdev_type": "mtty-2",\n  "start": "au');
    await writeFile(join(theirs, 'mtty', 'README'), '');
    const { status, stdout, stderr } = await runInProcess(['import', 'mdevctl', theirs, '--host', 'host-a']);
    expect(status).toBe(EXIT.input);
    expect(stdout).toContain(A);
    expect(stderr).toContain(`${path}:3: not JSON`);
    expect(stderr).toContain(`${join(theirs, 'mtty', 'README')}:1: its name is not a UUID`);
  });

  test('a path that is not there is told with the way out', async () => {
    const missing = await runInProcess(['import', 'mdevctl', join(folder, 'none'), '--host', 'host-a']);
    expect(missing).toMatchObject({ status: EXIT.input, stderr: expect.stringContaining('/etc/mdevctl.d') });
  });
});
