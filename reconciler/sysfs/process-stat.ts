/**
 * What the kernel tells of a process: whether it lives, which one it is, and how often it has called to read or write.
 */
import { readFileSync } from 'node:fs';
import { E, isErrno } from '../errno-numbers.ts';

/** How often a process has called to read and to write, whatever came of it. */
export type Calls = { readonly reads: number; readonly writes: number };

const IO = /^syscr: (?<reads>\d+)\nsyscw: (?<writes>\d+)$/m;

/**
 * When a process was started, in ticks since the boot: with its pid and the boot that names one process for ever.
 * Null when there is no such process, or only its exit status is left of it.
 */
export function startOf(proc: string, pid: number): string | null {
  const stat = readText(`${proc}/${pid}/stat`);
  if (stat === null) return null;
  // The second field is the program's name in brackets and may contain anything; what follows it is the third.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, start] = [fields[0], fields[19]];
  return state === undefined || start === undefined || state === 'Z' || state === 'X' ? null : start;
}

/** Null when there is no such process, when this one may not look, or when the kernel does not count them. */
export function callsOf(proc: string, pid: number): Calls | null {
  const counted = IO.exec(readText(`${proc}/${pid}/io`) ?? '')?.groups;
  return counted === undefined
    ? null
    : { reads: Number(counted['reads']), writes: Number(counted['writes']) };
}

/** Null when there is no such file, no such process any more, or it is hidden from this one. */
export function readText(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (isErrno(error, E.NOENT, E.SRCH, E.ACCES)) return null;
    throw error;
  }
}
