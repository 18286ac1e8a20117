/**
 * What every npm script runs first: brings node_modules in line with the lockfile and, where the machine's Node is
 * too old, puts a pinned Node 24 into node_modules/.bin. npm places that folder first on the PATH of a script, so the
 * next command of the same script already runs on it; `env node` there keeps the shell from remembering the old one.
 *
 * It must run on Node 20, needs no network when nothing is missing, and prints one line for each thing it fetches.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NODE_PACKAGE, NODE_PINNED } from './node-release.mjs';

const NODE_MAJOR_LEAST = 24;

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');

if (!dependenciesInPlace()) {
  npm('the packages of package-lock.json', ['ci', '--ignore-scripts']);
}
if (!nodeInPlace()) {
  installNode();
}

/** Compares content, not times, so that a plain `npm ci` counts and a touched lockfile does not. */
function dependenciesInPlace() {
  const installed = packages(join(modules, '.package-lock.json'));
  if (installed === undefined) return false;
  const wanted = Object.entries(packages(join(root, 'package-lock.json')) ?? {});
  return wanted.every(([path, { version, optional }]) => {
    return path === '' || optional === true || installed[path]?.version === version;
  });
}

/**
 * @param {string} lockfile
 * @returns {Record<string, {version?: string, optional?: boolean}> | undefined} undefined: there is no such file
 */
function packages(lockfile) {
  return existsSync(lockfile) ? JSON.parse(readFileSync(lockfile, 'utf8')).packages : undefined;
}

/** Asks the `node` that the next command will get: this one, unless node_modules held it and was made anew. */
function nodeInPlace() {
  if (recentEnough(process.versions.node) && existsSync(process.execPath)) return true;
  const own = join(modules, '.bin', 'node');
  return recentEnough(versionOf(existsSync(own) ? own : 'node'));
}

/** @param {string} version */
function recentEnough(version) {
  return Number.parseInt(version, 10) >= NODE_MAJOR_LEAST;
}

/** @param {string} node */
function versionOf(node) {
  const { stdout } = spawnSync(node, ['--print', 'process.versions.node'], { encoding: 'utf8' });
  return stdout ?? '';
}

/** Also fails where the package's binary does not run, as with a C library other than glibc. */
function installNode() {
  const platform = `${process.platform}-${process.arch}`;
  if (NODE_PACKAGE !== undefined) {
    const spec = `${NODE_PACKAGE}@${NODE_PINNED}`;
    npm(`Node ${NODE_PINNED}, as this machine's is older`, [
      'install',
      '--no-save',
      '--ignore-scripts',
      spec,
    ]);
    if (nodeInPlace()) return;
  }
  fail(`mdevfleet runs on Node ${NODE_MAJOR_LEAST} or newer; this is ${process.version}, and npm has no Node
${NODE_PINNED} that runs on this machine (${platform}). Install Node ${NODE_MAJOR_LEAST} and try again: from nodejs.org, or with
nvm: nvm install ${NODE_MAJOR_LEAST}.`);
}

/**
 * @param {string} what for the line that says what is fetched
 * @param {string[]} args
 */
function npm(what, args) {
  console.error(`setup: fetching ${what}: npm ${args.join(' ')}`);
  const { status, error } = spawnSync('npm', [...args, '--loglevel=error', '--no-fund', '--no-audit'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) {
    fail(
      `setup: npm ${args[0]} failed (${error?.message ?? `exit status ${status}`}); what npm said is above.`,
    );
  }
}

/**
 * @param {string} message
 * @returns {never}
 */
function fail(message) {
  console.error(message);
  process.exit(1);
}
