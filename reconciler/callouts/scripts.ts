/**
 * Which scripts of a folder are run: those whose content nobody but root, or the agent's own user, can choose.
 *
 * As cron does it: folder and scripts belong to them, and nobody else may write there. A script that is not so is not
 * passed over, since it may be the one that would have refused: nothing is asked at all, and the reason told.
 */
import type { Stats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

const ROOT = 0;
const WRITABLE_BY_OTHERS = 0o022;
const EXECUTABLE = 0o111;

/** A folder or script that somebody else might have written. */
class Untrusted extends Error {
  override readonly name = 'Untrusted';
}

/** The paths of the executable files in the folder, by name. Throws Untrusted, or what reading the folder throws. */
export async function scriptsIn(dir: string): Promise<readonly string[]> {
  assertOwn(dir, await stat(dir));
  const paths = (await readdir(dir)).sort().map((name) => join(dir, name));
  const found = await Promise.all(paths.map(async (path) => ({ path, stats: await stat(path) })));
  const scripts = found.filter(({ stats }) => stats.isFile() && (stats.mode & EXECUTABLE) !== 0);
  for (const { path, stats } of scripts) assertOwn(path, stats);
  return scripts.map(({ path }) => path);
}

function assertOwn(path: string, { uid, mode }: Stats): void {
  if (uid !== ROOT && uid !== process.geteuid?.()) {
    throw new Untrusted(`${path} belongs to user ${uid}, not to root: \`chown root ${path}\``);
  }
  if ((mode & WRITABLE_BY_OTHERS) !== 0) {
    throw new Untrusted(`${path} may be written by others than its owner: \`chmod go-w ${path}\``);
  }
}
