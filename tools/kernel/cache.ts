/**
 * A cache of files and folders that several processes may fill at once: each makes its own beside the final place and
 * moves it there in one step, and whoever comes second takes the first one's.
 */
import { access, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** `path`, made by `make` at another path first if it is not there yet. */
export async function cached(path: string, make: (made: string) => Promise<void>): Promise<string> {
  if (await exists(path)) return path;
  await withScratch(dirname(path), async (scratch) => {
    const made = join(scratch, 'made');
    await make(made);
    await rename(made, path).catch(async (cause: unknown) => {
      if (!(await exists(path))) throw cause;
    });
  });
  return path;
}

/** Runs `work` with an empty folder inside `parent` that is gone afterwards. */
export async function withScratch(parent: string, work: (scratch: string) => Promise<void>): Promise<void> {
  await mkdir(parent, { recursive: true });
  const scratch = await mkdtemp(join(parent, '.scratch-'));
  try {
    await work(scratch);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
