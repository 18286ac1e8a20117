/**
 * What the kernel tells of a process in `/proc/<pid>/stat`: whether it lives, which one it is, and what CPU it used.
 */
import { readFileSync } from 'node:fs';

type ProcessStat = {
  /** When it was started, in ticks since the boot: with its pid and the boot it names one process for ever. */
  readonly start: string;
  /** Time on a CPU so far, in the program and in the kernel. */
  readonly cpuMs: number;
};

/** The kernel counts here in hundredths of a second, whatever its own timer does. */
const TICK_MS = 10;

/** Null when there is no such process, or only its exit status is left of it. */
export function statOf(proc: string, pid: number): ProcessStat | null {
  const stat = readText(`${proc}/${pid}/stat`);
  if (stat === null) return null;
  // The second field is the program's name in brackets and may contain anything; what follows it is the third.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, user, kernel, start] = [fields[0], fields[11], fields[12], fields[19]];
  if (state === undefined || start === undefined || state === 'Z' || state === 'X') return null;
  return { start, cpuMs: (Number(user) + Number(kernel)) * TICK_MS };
}

const ENOENT = -2;
const ESRCH = -3;

/** Null when there is no such file, or no such process any more. */
export function readText(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { errno } = error as NodeJS.ErrnoException;
    if (errno === ENOENT || errno === ESRCH) return null;
    throw error;
  }
}
