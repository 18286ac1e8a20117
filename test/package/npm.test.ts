/**
 * What is published: packed, installed in an empty folder, and run by the oldest Node that it promises to run on.
 */
import { type ChildProcess, execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { EXIT } from '../../src/exit.ts';
import { nodeRelease } from '../../tools/node-release.mjs';
import { startNats } from '../nats.ts';
import { end, start } from './started.ts';

const ROOT = dirname(dirname(import.meta.dirname));
const HOST = 'host-a';
const OLDEST = `${manifest.engines.node.replace('>=', '')}.0`;
const FLEET = `apiVersion: mdevfleet.io/v1
kind: DeviceSet
metadata: {name: desktops}
devices:
  - {uuid: 8f0e4c2b-91d6-4f7c-b3a5-2d6c1e9f7a12, host: host-a, parent: "0000:41:00.0", type: nvidia-474}
`;
/** How a module names a program that it starts, without the extension. */
const STARTED = /siblingOf\(import\.meta\.filename, '([^']+)'\)/g;
const INCOMPLETE = expect.stringMatching(/^error: .*lmdb.*install it again\n$/s);
const NPM = ['--no-audit', '--no-fund', '--loglevel=error', '--prefer-offline'];

/** For a Node and npm packages that are not on this machine yet. */
const FETCHED_MS_MAX = 300_000;

const run = promisify(execFile);

let folder: string;
let installed: string;
let node: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mdevfleet-npm-'));
  installed = join(folder, 'node_modules', 'mdevfleet');
  node = join(nodeRelease(OLDEST), 'bin', 'node');
  await run('npm', ['pack', '--loglevel=error', '--pack-destination', folder], { cwd: ROOT });
  await writeFile(join(folder, 'package.json'), '{"type": "module"}');
  await run('npm', ['install', '--package-lock-only', ...NPM, `./mdevfleet-${manifest.version}.tgz`], {
    cwd: folder,
  });
  await run('npm', ['ci', ...NPM], { cwd: folder });
}, FETCHED_MS_MAX);
afterAll(() => rm(folder, { recursive: true }));

function mdevfleet(...args: readonly string[]) {
  return run(node, [join(folder, 'node_modules', '.bin', 'mdevfleet'), ...args]);
}

/** An agent of host-a; resolves when it has started. */
function startAgent(...args: readonly string[]): Promise<ChildProcess> {
  const program = join(folder, 'node_modules', '.bin', 'mdevfleet');
  const own = ['--host', HOST, '--data', join(folder, 'data'), '--simulate', ...args];
  return start('agent started', [node, program, 'agent', ...own]);
}

test('has no sources that a Node below node_modules cannot run, and every program that one of its modules starts', async () => {
  const entries = await readdir(join(installed, 'dist'), { withFileTypes: true, recursive: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  expect(files.filter((file) => /(?<!\.d)\.ts$/.test(file))).toEqual([]);
  const started: string[] = [];
  for (const file of files.filter((one) => one.endsWith('.js'))) {
    const text = await readFile(file, 'utf8');
    for (const [, program] of text.matchAll(STARTED)) started.push(join(dirname(file), `${program}.js`));
  }
  expect(started.length).toBeGreaterThan(0);
  expect(started.filter((file) => !existsSync(file))).toEqual([]);
});

test(`runs on Node ${OLDEST}: its version, a reason, a completion`, async () => {
  expect((await run(node, ['--version'])).stdout).toBe(`v${OLDEST}\n`);
  expect((await mdevfleet('--version')).stdout).toBe(`${manifest.version}\n`);
  expect((await mdevfleet('explain', 'UuidHeld')).stdout).toContain('UuidHeld');
  expect((await mdevfleet('completion', 'bash')).stdout).toContain('complete ');
});

test('keeps a host’s devices without a server, and its journal verifies', async () => {
  const data = ['--data', join(folder, 'data')];
  const fleet = join(folder, 'fleet.yaml');
  await writeFile(fleet, FLEET);
  const agent = await startAgent();
  await mdevfleet('apply', ...data, '-f', fleet, '--yes', '--wait');
  const { stdout } = await mdevfleet('get', 'devices', ...data);
  expect(stdout).toMatch(/ready/);
  expect(await end(agent)).toBe(0);
  expect((await mdevfleet('verify', '--host', HOST, ...data)).stdout).toContain('is whole');
});

test('says so, and fails, when a part of what was installed is missing', async () => {
  const [part, aside] = [join(folder, 'node_modules', 'lmdb'), join(folder, 'aside')];
  await rename(part, aside);
  const failed = mdevfleet('get', 'devices', '--data', join(folder, 'data'));
  await expect(failed).rejects.toMatchObject({ code: EXIT.unexpected, stderr: INCOMPLETE });
  await rename(aside, part);
});

test('writes to sysfs by a helper of its own', async () => {
  const file = join(folder, 'written');
  await writeFile(file, '');
  const pool = join(installed, 'dist', 'reconciler', 'sysfs', 'writer-process.js');
  const program = `const { Helper } = await import(${JSON.stringify(pool)});
    const helper = new Helper(${JSON.stringify(folder)});
    await helper.up;
    const task = { op: 'create', file: ${JSON.stringify(file)}, data: 'x' };
    console.log(JSON.stringify(await helper.ask({ task, uuid: null })));
    helper.end();`;
  const { stdout } = await run(node, ['--input-type=module', '--eval', program]);
  expect(JSON.parse(stdout)).toEqual({ kind: 'ok' });
  expect(await readFile(file, 'utf8')).toBe('x');
});

test('has a client with types, by which a program declares a device and sees it come', async () => {
  const server = await startNats();
  await mdevfleet('init', '--nats', server.url);
  await cp(join(ROOT, 'examples', 'client.ts'), join(folder, 'client.ts'));
  const tsc = join(ROOT, 'node_modules', '.bin', 'tsc');
  const strict = ['--strict', '--module', 'nodenext', '--target', 'es2023', '--skipLibCheck'];
  const types = ['--types', 'node', '--typeRoots', join(ROOT, 'node_modules', '@types')];
  await run(tsc, [...strict, ...types, 'client.ts'], { cwd: folder });
  const agent = await startAgent('--nats', server.url, '--data', join(folder, 'on-a-server'));
  const { stdout } = await run(node, ['client.js', server.url, HOST], { cwd: folder });
  expect(stdout.trimEnd().split('\n').at(-1)).toMatch(/^\S+ active ready/);
  expect(await end(agent)).toBe(0);
  await server.stop();
});
