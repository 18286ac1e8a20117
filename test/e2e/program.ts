/**
 * Programs of this repository as processes, which end with whoever started them, however that ends.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

export type Program = ChildProcessByStdio<null, null, Readable>;

/** A test has no hosts that need time to come back: nobody waits for them. */
const GRACE_MS = '100';

/** Starts a program without the settings of whoever runs the test; calls back with each line of its log. */
export function startProgram(file: string, args: readonly string[], onLine: (line: string) => void): Program {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('MDEVFLEET_'));
  const env = {
    ...Object.fromEntries(own),
    MDEVFLEET_LIMITS_REGISTRY_GRACE_MS: GRACE_MS,
  };
  const command = ['--pdeathsig', 'KILL', process.execPath, file, ...args];
  const program = spawn('setpriv', command, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  createInterface({ input: program.stderr }).on('line', onLine);
  return program;
}
