/**
 * Makes what is published: JavaScript and declarations, and beside them what the program reads at run time. A checkout
 * itself never runs what is made here.
 */
import { execFile } from 'node:child_process';
import { cp, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const ROOT = dirname(import.meta.dirname);
/** What `demo` is about. */
const READ_AT_RUN_TIME = ['examples/fleet.yaml'];

const run = promisify(execFile);

/** Makes it in `folder`; what was there is gone. Throws what the compiler says. */
export async function build(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  const tsc = join(ROOT, 'node_modules', '.bin', 'tsc');
  await run(tsc, ['--project', 'tsconfig.build.json', '--outDir', folder], { cwd: ROOT }).catch(
    (cause: Error & { stdout?: string }) => {
      throw new Error(`compiling what is published: ${cause.stdout || cause.message}`, { cause });
    },
  );
  for (const file of READ_AT_RUN_TIME) await cp(join(ROOT, file), join(folder, file));
}

if (import.meta.main) await build(join(ROOT, 'dist'));
