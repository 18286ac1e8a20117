/**
 * A Debian system as a fresh installation has it, with systemd and next to nothing else: what a package is installed in,
 * and what an emulated machine boots. Made by mmdebstrap from the machine's own sources, so no mirror is written down
 * here, and kept in .cache/debian until that folder is deleted.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { cached } from './kernel/cache.ts';

const TOOLS = import.meta.dirname;
const CACHE = join(dirname(TOOLS), '.cache', 'debian');
const SUITE = 'bookworm';
/** Beside what is essential and apt. */
const PACKAGES = ['kmod', 'libstdc++6', 'systemd-sysv', 'udev'];
const SOURCES = '/etc/apt/sources.list.d';

const run = promisify(execFile);

/**
 * The path of a tar file of it; at once when it is cached.
 * @throws if mmdebstrap is missing or fails, with what it said.
 */
export async function debianRoot(): Promise<string> {
  await mkdir(CACHE, { recursive: true });
  await run('flock', [join(CACHE, '.lock'), 'sh', join(TOOLS, 'debian.sh')]);
  const key = createHash('sha256').update(PACKAGES.join()).digest('hex').slice(0, 8);
  return cached(join(CACHE, `${SUITE}-${key}.tar`), async (made) => {
    const options = ['--quiet', '--variant=minbase', '--format=tar', `--include=${PACKAGES.join()}`];
    await run('mmdebstrap', [...options, SUITE, made, ...(await sources())]);
  });
}

/** The files that say where this machine has its packages from. */
async function sources(): Promise<readonly string[]> {
  const names = await readdir(SOURCES);
  const files = names
    .filter((name) => /^debian\.(list|sources)$/.test(name))
    .map((name) => join(SOURCES, name));
  return files.length > 0 ? files : ['/etc/apt/sources.list'];
}

if (import.meta.main) console.log(await debianRoot());
