/**
 * Runs one script: without a shell, in an environment that never varies, for a limited time, and heard to a limit.
 *
 * It leads a process group of its own, which is killed as a whole when the time is over. Nobody waits for what does
 * not even end then: that is left to the kernel.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Clock } from '../clock.ts';

/** Most bytes that are kept of what it says on its standard error. */
const SAID_BYTES_MAX = 1024;
/** One that says more than this is not listened to any further. */
const HEARD_BYTES_MAX = 64 * 1024;
/** After its end what it said last may be on its way, and what it left running may keep the pipe open. */
const LINGER_MS = 50;

const ENVIRONMENT = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8', HOME: '/', SHELL: '/bin/sh' };

/** `failed`: it gave no answer. */
type Ended =
  | { readonly kind: 'exited'; readonly status: number }
  | { readonly kind: 'failed'; readonly why: string };

/** `said`: the beginning of what it said on its standard error, in one line. */
export type Ran = Ended & { readonly said: string };

export type Call = { readonly argv: readonly string[]; readonly input: string; readonly timeoutMs: number };

/** Runs it to its end, or until the time is over. Never rejects. */
export function runScript(clock: Clock, script: string, { argv, input, timeoutMs }: Call): Promise<Ran> {
  const child = spawn(script, argv, {
    cwd: '/',
    env: ENVIRONMENT,
    detached: true,
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  const said = listen(child);
  // It need not read what it is given.
  child.stdin?.on('error', () => {}).end(input);
  return new Promise((resolve) => {
    const end = (ended: Ended): void => {
      cancel();
      child.stdin?.destroy();
      child.stderr?.destroy();
      resolve({ ...ended, said: said() });
    };
    const cancel = clock.after(timeoutMs, () => {
      killGroup(child);
      child.unref();
      end({ kind: 'failed', why: `did not end within ${timeoutMs} ms, and was killed` });
    });
    child.once('error', (error) => end({ kind: 'failed', why: `could not be run: ${error.message}` }));
    child.once('exit', (status, signal) => {
      cancel();
      const late = clock.after(LINGER_MS, () => end(endedIn(status, signal)));
      child.once('close', () => {
        late();
        end(endedIn(status, signal));
      });
    });
  });
}

function endedIn(status: number | null, signal: string | null): Ended {
  return status === null ? { kind: 'failed', why: `was ended by ${signal}` } : { kind: 'exited', status };
}

/** Answers with the beginning of what it has said so far. */
function listen({ stderr }: ChildProcess): () => string {
  const kept: Buffer[] = [];
  let heardBytes = 0;
  stderr?.on('data', (piece: Buffer) => {
    if (heardBytes < SAID_BYTES_MAX) kept.push(piece.subarray(0, SAID_BYTES_MAX - heardBytes));
    heardBytes += piece.length;
    if (heardBytes > HEARD_BYTES_MAX) stderr.destroy();
  });
  return () => Buffer.concat(kept).toString('utf8').replaceAll(/\s+/g, ' ').trim();
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}
