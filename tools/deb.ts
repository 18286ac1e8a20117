/**
 * Makes the Debian package: the program compiled, the npm packages that it runs on, a Node of its own, and what an
 * operator expects of a service of the distribution. The same sources give the same bytes.
 *
 *     node tools/deb.ts      prints the path of .cache/deb/mdevfleet_VERSION_ARCHITECTURE.deb
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import manifest from '../package.json' with { type: 'json' };
import { buildProgram } from '../src/cli/program.ts';
import { build } from './build.ts';
import { control } from './deb/control.ts';
import { copyright } from './deb/copyright.ts';
import { manPage } from './deb/man.ts';
import { copyPackages } from './deb/packages.ts';
import { NODE_PINNED, nodeRelease } from './node-release.mjs';

const ROOT = dirname(import.meta.dirname);
const CACHE = join(ROOT, '.cache', 'deb');
const LIB = 'usr/lib/mdevfleet';
const DOC = 'usr/share/doc/mdevfleet';
/** All that it is made of. */
const SOURCES = [
  ...['events', 'store', 'reconciler', 'src', 'deploy', 'docs', 'examples', 'tools'],
  ...['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json', 'CHANGELOG.md'],
];
const SCRIPTS = ['postinst', 'prerm', 'postrm'];
const COMPLETIONS = {
  bash: 'usr/share/bash-completion/completions/mdevfleet',
  zsh: 'usr/share/zsh/vendor-completions/_mdevfleet',
  fish: 'usr/share/fish/vendor_completions.d/mdevfleet.fish',
} as const;
/** As they are: from the checkout, to the package. */
const FILES = {
  'package.json': `${LIB}/package.json`,
  'deploy/debian/mdevfleet': 'usr/bin/mdevfleet',
  'deploy/debian/config.yaml': `${DOC}/examples/config.yaml`,
  'deploy/systemd/mdevfleet.service': 'lib/systemd/system/mdevfleet.service',
  'deploy/systemd/mdevfleet.sysusers': 'usr/lib/sysusers.d/mdevfleet.conf',
  'deploy/nats.conf': `${DOC}/examples/nats.conf`,
  'deploy/nats-users.conf': `${DOC}/examples/nats-users.conf`,
  'deploy/prometheus': `${DOC}/examples/prometheus`,
  'deploy/grafana': `${DOC}/examples/grafana`,
  examples: `${DOC}/examples`,
  docs: `${DOC}/docs`,
} as const;
/** What only a compiler or a debugger reads. */
const NOT_RUN = /\.([cm]?ts|map)$/;
const EXECUTABLE = ['usr/bin/mdevfleet', `${LIB}/bin/node`];

const execute = promisify(execFile);

/** Makes the package of this checkout unless it is there, and gives its path. */
export async function makeDeb(): Promise<string> {
  const date = await lastCommit();
  const architecture = await outputOf('dpkg', ['--print-architecture']);
  const name = `mdevfleet_${manifest.version}_${architecture}.deb`;
  const madeOf = join(CACHE, `${name}.made-of`);
  const sources = await digestOfSources(date);
  if (existsSync(join(CACHE, name)) && existsSync(madeOf) && (await readFile(madeOf, 'utf8')) === sources) {
    return join(CACHE, name);
  }
  await mkdir(CACHE, { recursive: true });
  const scratch = await mkdtemp(join(CACHE, '.new-'));
  try {
    const tree = join(scratch, 'tree');
    await fill(tree, date);
    await describe(tree, architecture);
    await pack(tree, join(scratch, name), date);
    await rename(join(scratch, name), join(CACHE, name));
    await writeFile(madeOf, sources);
    return join(CACHE, name);
  } finally {
    await rm(scratch, { recursive: true });
  }
}

/** Packs a tree with its DEBIAN folder, quickly: a stronger compression takes a minute for an eighth less. */
async function pack(tree: string, deb: string, date: Date): Promise<void> {
  const env = { ...process.env, SOURCE_DATE_EPOCH: String(date.getTime() / 1000) };
  await execute('dpkg-deb', ['--root-owner-group', '-Zzstd', '-z6', '--build', tree, deb], { env });
}

async function fill(tree: string, date: Date): Promise<void> {
  const node = nodeRelease(NODE_PINNED);
  const inTree = (path: string) => join(tree, path);
  await build(inTree(`${LIB}/dist`));
  const packages = await copyPackages(ROOT, inTree(LIB));
  for (const path of await filesIn(inTree(LIB))) if (NOT_RUN.test(path)) await rm(join(tree, LIB, path));
  await cp(join(node, 'bin', 'node'), inTree(`${LIB}/bin/node`));
  for (const [from, to] of Object.entries(FILES)) {
    await cp(join(ROOT, from), inTree(to), { recursive: true });
  }
  await mkdir(inTree('etc/mdevfleet'), { recursive: true });
  await write(inTree(`${DOC}/copyright`), await copyright(node, packages));
  await write(inTree(`${DOC}/changelog.gz`), zipped(await readFile(join(ROOT, 'CHANGELOG.md'))));
  await write(inTree(`${DOC}/changelog.Debian.gz`), zipped(debianChangelog(date)));
  await write(inTree('usr/share/man/man1/mdevfleet.1.gz'), zipped(manual(date)));
  await write(inTree('usr/share/man/man8/mdevfleet-agent.8.gz'), zipped(await agentManual(date)));
  for (const [shell, file] of Object.entries(COMPLETIONS)) {
    const main = inTree(`${LIB}/dist/src/main.js`);
    await write(inTree(file), await outputOf(process.execPath, [main, 'completion', shell]));
  }
}

async function describe(tree: string, architecture: string): Promise<void> {
  await execute('chmod', ['-R', 'u=rwX,go=rX', tree]);
  for (const path of await filesIn(tree))
    await chmod(join(tree, path), EXECUTABLE.includes(path) ? 0o755 : 0o644);
  await chmod(join(tree, 'etc/mdevfleet'), 0o750);
  const kilobytes = Number.parseInt(await outputOf('du', ['-sk', '--apparent-size', tree]), 10);
  const sums = await outputOf('md5sum', ['--', ...(await filesIn(tree))], tree);
  const folder = join(tree, 'DEBIAN');
  await write(join(folder, 'control'), control({ version: manifest.version, architecture, kilobytes }));
  await write(join(folder, 'md5sums'), `${sums}\n`);
  for (const script of SCRIPTS) {
    await cp(join(ROOT, 'deploy', 'debian', script), join(folder, script));
    await chmod(join(folder, script), 0o755);
  }
}

function manual(date: Date): string {
  const program = buildProgram(manifest.version, () => Promise.reject(new Error('no verb is run here')));
  return manPage(program, { version: manifest.version, date });
}

async function agentManual(date: Date): Promise<string> {
  const text = await readFile(join(ROOT, 'deploy', 'debian', 'mdevfleet-agent.8'), 'utf8');
  return text.replace('@DATE@', date.toISOString().slice(0, 10)).replace('@VERSION@', manifest.version);
}

function debianChangelog(date: Date): string {
  const day = date.toUTCString().replace('GMT', '+0000');
  return `mdevfleet (${manifest.version}) unstable; urgency=medium

  * What changed: changelog.gz beside this file.

 -- mdevfleet developers <developers@mdevfleet.io>  ${day}
`;
}

/** The time that everything in the package gets. */
async function lastCommit(): Promise<Date> {
  return new Date(Number(await outputOf('git', ['log', '-1', '--format=%ct'], ROOT)) * 1000);
}

/** Tells whether a package is still what would be made. */
async function digestOfSources(date: Date): Promise<string> {
  const hash = createHash('sha256').update(date.toISOString());
  for (const source of SOURCES) {
    const path = join(ROOT, source);
    const files = statSync(path).isFile() ? [path] : (await filesIn(path)).map((file) => join(path, file));
    for (const file of files) hash.update(file).update(await readFile(file));
  }
  return hash.digest('hex');
}

/** Paths of all files, from the folder, in order. */
async function filesIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1)).sort();
}

function zipped(content: string | Buffer): Buffer {
  return gzipSync(content, { level: 9 });
}

async function write(file: string, content: string | Buffer): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
}

async function outputOf(program: string, args: readonly string[], cwd?: string): Promise<string> {
  const { stdout } = await execute(program, args, { cwd, maxBuffer: 2 ** 26 });
  return stdout.trimEnd();
}

if (import.meta.main) console.log(await makeDeb());
