/**
 * The Debian package in a clean system: installed, upgraded with a journal in place, removed and purged.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { makeDeb } from '../../tools/deb.ts';
import { CleanRoot } from './clean-root.ts';
import { end } from './started.ts';

const EARLIER = '0.0.1';
const UUID = '8f0e4c2b-91d6-4f7c-b3a5-2d6c1e9f7a12';
const HOST = ['--host', 'host-a', '--data', '/var/lib/mdevfleet'];
const CONFIG = '/etc/mdevfleet/config.yaml';
const ENABLED = '/etc/systemd/system/multi-user.target.wants/mdevfleet.service';
const MANIFEST = `apiVersion: mdevfleet.io/v1
kind: DeviceSet
metadata: {name: desktops}
devices:
  - {uuid: ${UUID}, host: host-a, parent: "0000:41:00.0", type: nvidia-474}
`;
/** For a Debian system and a Node that are not in .cache/ yet. */
const FETCHED_MS_MAX = 300_000;
const run = promisify(execFile);

// dpkg writes thousands of files, on a machine that does other things, too.
vi.setConfig({ testTimeout: 180_000 });

let folder: string;
let root: CleanRoot;
let deb: string;
let earlier: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mdevfleet-deb-'));
  [deb, root] = await Promise.all([makeDeb(), CleanRoot.make()]);
  earlier = await asVersion(EARLIER);
}, FETCHED_MS_MAX);
afterAll(async () => {
  await root?.remove();
  await rm(folder, { recursive: true });
});

/** The same package under another version. */
async function asVersion(version: string): Promise<string> {
  const tree = join(folder, 'tree');
  const packed = join(folder, `${version}.deb`);
  await run('dpkg-deb', ['--raw-extract', deb, tree]);
  const control = join(tree, 'DEBIAN', 'control');
  await writeFile(
    control,
    (await readFile(control, 'utf8')).replace(/^Version: .*$/m, `Version: ${version}`),
  );
  await run('dpkg-deb', ['--root-owner-group', '-Znone', '--build', tree, packed]);
  await rm(tree, { recursive: true });
  return packed;
}

/** What is installed, as dpkg tells it; empty if nothing is known of it. */
async function status(): Promise<string> {
  return (await root.run('dpkg-query', '--show', `--showformat=\${Status} \${Version}`, 'mdevfleet')).stdout;
}

/** An agent on a simulated kernel, until the work is done. */
async function withAgent(work: () => Promise<void>): Promise<void> {
  const agent = await root.start('agent started', 'mdevfleet', 'agent', '--config', CONFIG, '--simulate');
  await work();
  expect(await end(agent)).toBe(0);
}

async function verified(): Promise<{ readonly tail: { readonly seq: number } }> {
  return JSON.parse(await root.must('mdevfleet', 'verify', ...HOST, '--json'));
}

test('is installed in a clean system, with what an operator expects of a service', async () => {
  await root.install(earlier);
  expect(await status()).toBe(`install ok installed ${EARLIER}`);
  expect(await root.must('mdevfleet', '--version')).toBe(`${manifest.version}\n`);
  expect(await root.must('mdevfleet', 'explain', 'UuidHeld')).toContain('UuidHeld');
  expect(existsSync(root.path('/lib/systemd/system/mdevfleet.service'))).toBe(true);
  expect(await root.must('readlink', ENABLED)).toBe('/lib/systemd/system/mdevfleet.service\n');
  expect(await root.must('stat', '--format=%U:%G %a', '/etc/mdevfleet')).toBe('root:mdevfleet 750\n');
  expect(await root.must('dpkg', '--verify', 'mdevfleet')).toBe('');
});

test('has the licences of all that is in it', async () => {
  const text = await readFile(root.path('/usr/share/doc/mdevfleet/copyright'), 'utf8');
  expect(text).toContain('Node.js is licensed for use as follows');
  for (const name of await readdir(root.path('/usr/lib/mdevfleet/node_modules'))) {
    expect(text).toContain(name);
  }
});

test('has manual pages that roff reads without a complaint, and that tell of every verb', async () => {
  const verbs = (await root.must('mdevfleet', '--help')).matchAll(/^ {2}(?!help )([a-z][a-z-]+)(?:\||\s)/gm);
  const pages = ['man1/mdevfleet.1.gz', 'man8/mdevfleet-agent.8.gz'];
  for (const page of pages) {
    const file = join(folder, 'page');
    await writeFile(file, gunzipSync(await readFile(root.path(`/usr/share/man/${page}`))));
    const { stdout, stderr } = await run('groff', ['-man', '-ww', '-Tutf8', '-P-cbou', file]);
    expect(stderr).toBe('');
    if (page === pages[0]) for (const [, verb] of verbs) expect(stdout).toContain(`mdevfleet ${verb}`);
  }
});

test('has completions that the shell reads', async () => {
  const script = '. /usr/share/bash-completion/completions/mdevfleet && complete -p mdevfleet';
  expect(await root.must('bash', '-c', script)).toContain('_mdevfleet');
  const zsh = await readFile(root.path('/usr/share/zsh/vendor-completions/_mdevfleet'), 'utf8');
  expect(zsh).toMatch(/^#compdef mdevfleet\n/);
});

test('keeps a host’s devices, by the settings in its folder', async () => {
  await root.write(CONFIG, 'host: host-a\ndata: /var/lib/mdevfleet\n', 0o640);
  await root.write('/tmp/fleet.yaml', MANIFEST);
  await mkdir(root.path('/var/lib/mdevfleet'), { mode: 0o700 });
  await withAgent(async () => {
    const declare = ['apply', '--config', CONFIG, '-f', '/tmp/fleet.yaml', '--wait', '--yes'];
    await root.must('mdevfleet', ...declare);
    expect(await root.must('mdevfleet', 'get', 'devices', '--config', CONFIG)).toMatch(
      new RegExp(`${UUID}.*ready`),
    );
  });
});

test('is upgraded with the journal in place, and ends the old agent first if it runs', async () => {
  const before = await verified();
  const settings = await stat(root.path(CONFIG));
  await root.pretendSystemd('active');
  await root.install(deb);
  expect(await status()).toBe(`install ok installed ${manifest.version}`);
  expect(await root.askedOfSystemd()).toEqual(['stop', 'start']);
  expect(await verified()).toEqual(before);
  expect((await stat(root.path(CONFIG))).mtimeMs).toBe(settings.mtimeMs);
  await withAgent(async () => {
    expect(await root.must('mdevfleet', 'status', '--config', CONFIG)).not.toBe('');
  });
  expect((await verified()).tail.seq).toBeGreaterThan(before.tail.seq);
});

test('an upgrade starts no agent that did not run', async () => {
  await root.pretendSystemd('inactive');
  await root.must('/var/lib/dpkg/info/mdevfleet.prerm', 'upgrade', EARLIER);
  await root.must('/var/lib/dpkg/info/mdevfleet.postinst', 'configure', EARLIER);
  expect(await root.askedOfSystemd()).toEqual([]);
});

test('is removed, and the journal is kept', async () => {
  await root.pretendSystemd('active');
  await root.must('dpkg', '--remove', 'mdevfleet');
  expect(await root.askedOfSystemd()).toEqual(['stop']);
  expect(await status()).toBe(`deinstall ok config-files ${manifest.version}`);
  expect(existsSync(root.path('/usr/lib/mdevfleet'))).toBe(false);
  expect(existsSync(root.path(CONFIG))).toBe(true);
  expect(await readdir(root.path('/var/lib/mdevfleet/hosts'))).toEqual(['host-a']);
});

test('leaves nothing but its group when it is purged', async () => {
  await root.must('dpkg', '--purge', 'mdevfleet');
  expect(await status()).toBe('');
  const found = ['/etc', '/lib', '/usr', '/var', '-name', '*mdevfleet*', '-not', '-name', 'dpkg.log'];
  expect(await root.must('find', ...found)).toBe('');
});
