/**
 * One agent per journal: a lock that the kernel gives back however the agent ends.
 *
 * flock(1) locks a descriptor that this process keeps open; it closes on exec, so that no
 * helper process outlives the agent with the lock. The lock file names its holder.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from './directory.ts';
import { JournalRefused } from './journal-refused.ts';

/** Exit status of flock(1) when somebody else has the lock. */
const HELD = 1;

/** Who holds a journal; `since` is wall time, RFC 3339. */
export type LockHolder = { readonly pid: number; readonly host: string; readonly since: string };

export type JournalLock = { release(): void };

/** Takes the journal in `dir` for this process. Throws JournalRefused, naming the holder, when it is taken. */
export function lockJournal(dir: string, holder: LockHolder): JournalLock {
  makeFolder(dir);
  const file = join(dir, 'agent.lock');
  const fd = openSync(file, 'a+');
  try {
    lock(fd, dir, file);
    ftruncateSync(fd);
    writeSync(fd, `${JSON.stringify(holder)}\n`);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return { release: () => closeSync(fd) };
}

function lock(fd: number, dir: string, file: string): void {
  const done = spawnSync('flock', ['-n', '-x', '3'], { stdio: ['ignore', 'ignore', 'pipe', fd] });
  if (done.status === 0) return;
  if (done.status === HELD) {
    const message = `the journal in ${dir} is in use by ${describeHolder(file)}: stop that agent first, or give this one another data directory`;
    throw new JournalRefused('held', message);
  }
  if (done.error !== undefined && 'code' in done.error && done.error.code === 'ENOENT') {
    throw new JournalRefused(
      'no-flock',
      'cannot lock the journal: flock is not installed, install util-linux',
      { cause: done.error },
    );
  }
  throw new Error(`cannot lock ${file}: ${done.stderr?.toString().trim() || done.error?.message}`, {
    cause: done.error,
  });
}

/** The holder writes its name a moment after it has the lock. */
function describeHolder(file: string): string {
  try {
    const { pid, host, since }: LockHolder = JSON.parse(readFileSync(file, 'utf8'));
    return `process ${pid} on ${host} since ${since}`;
  } catch {
    return 'another process';
  }
}
