/**
 * A disk with a fresh Debian system and some files more, as an image that an emulated machine boots from.
 */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { debianRoot } from '../../tools/debian-root.ts';

/** As large as nothing complains of; what nobody writes takes nothing of this machine's disk. */
const BYTES = 8 * 1_024 ** 3;

const run = promisify(execFile);

/**
 * Writes the image.
 * @param files copied into it: by where they come to be, where they are
 * @param prepare what is done to the tree before it becomes an image
 */
export async function freshDisk(
  image: string,
  files: Readonly<Record<string, string>>,
  prepare: (tree: string) => Promise<void> = async () => {},
): Promise<void> {
  const tree = await mkdtemp(join(tmpdir(), 'mdevfleet-disk-'));
  try {
    await run('tar', ['--extract', '--numeric-owner', '--file', await debianRoot(), '--directory', tree]);
    for (const [path, source] of Object.entries(files)) {
      await mkdir(dirname(join(tree, path)), { recursive: true });
      await cp(source, join(tree, path), { recursive: true });
    }
    await prepare(tree);
    await writeFile(image, '');
    await truncate(image, BYTES);
    // What is lost when the machine is cut off is of no use, and a journal takes time.
    await run('/sbin/mke2fs', ['-q', '-F', '-t', 'ext4', '-O', '^has_journal', '-d', tree, image]);
  } finally {
    await rm(tree, { recursive: true, force: true });
  }
}
