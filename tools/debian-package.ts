/**
 * Debian packages unpacked without being installed: nothing of them runs, no daemon is started, and root is not needed.
 */
import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Downloads a package, `name` or `name=version`, as the machine's own apt knows it, and unpacks it into an empty folder.
 * @throws if apt does not have it, with what root can do about that.
 */
export async function unpackPackage(wanted: string, folder: string, cure: string): Promise<void> {
  await run('apt-get', ['--quiet=2', '-o', 'APT::Sandbox::User=root', 'download', wanted], {
    cwd: folder,
  }).catch((cause: unknown) => {
    throw new Error(`apt has no ${wanted}. As root: ${cure}`, { cause });
  });
  const file = (await readdir(folder)).find((name) => name.endsWith('.deb'));
  if (file === undefined) throw new Error(`apt-get download ${wanted} left no package in ${folder}`);
  await run('dpkg', ['--extract', join(folder, file), folder]);
}
