/**
 * Runs the program as an operator does: a process, its flags, what it prints, and its exit status.
 */
import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';

export const MAIN = join(dirname(dirname(dirname(import.meta.dirname))), 'src', 'main.ts');

export type Ran = { readonly status: number; readonly stdout: string; readonly stderr: string };

export type RunOptions = {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
};

/** Runs `mdevfleet ...args` to its end, without the settings of whoever runs the test. */
export function mdevfleet(args: readonly string[], { env = {}, input = '' }: RunOptions = {}): Promise<Ran> {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('MDEVFLEET_'));
  return new Promise((resolve, reject) => {
    const options = { env: { ...Object.fromEntries(own), ...env }, timeout: 30_000 };
    const child = execFile(process.execPath, [MAIN, ...args], options, (error, stdout, stderr) => {
      const status = child.exitCode;
      if (status === null)
        reject(new Error(`mdevfleet ${args.join(' ')} did not end by itself`, { cause: error }));
      else resolve({ status, stdout, stderr });
    });
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}

/** Runs it with --json and gives what it printed. Throws when it did not end well. */
export async function mdevfleetJson(args: readonly string[]): Promise<unknown> {
  const { status, stdout, stderr } = await mdevfleet([...args, '--json']);
  if (status !== 0) throw new Error(`mdevfleet ${args.join(' ')} ended with ${status}: ${stderr}`);
  return JSON.parse(stdout);
}
