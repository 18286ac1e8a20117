/**
 * Who has a device open: found by reading links below /proc, and by nothing else.
 *
 * To open or stat what another process has open may hang; to read where a link of /proc leads never does. What is not
 * found: processes outside this pid namespace, or hidden by the mount of /proc; a process that has closed the node and
 * kept the device that it got through it; and one whose node stands under another name.
 */
import { readdirSync, readlinkSync } from 'node:fs';
import { E, errnoOf, isErrno } from '../errno-numbers.ts';
import type { DeviceUser } from '../host.ts';
import { readText } from './process-stat.ts';

/** Most processes that are named. */
const USERS_MAX = 4;
/** Answers for a process that has ended, or a file that was closed, meanwhile. */
const ENDED = [E.NOENT, E.SRCH];

/** `isComplete` is false when some processes would not let themselves be looked at. */
type Users = { readonly users: readonly DeviceUser[]; readonly isComplete: boolean };

/**
 * Processes that have one of these nodes open, but for this one.
 * @param nodes below /dev, as `vfio/12`; in a container's own /dev they are found under the same name
 */
export function usersOf(proc: string, nodes: readonly string[]): Users {
  const users: DeviceUser[] = [];
  let isComplete = true;
  for (const pid of pids(proc)) {
    const has = pid === process.pid ? false : hasOpen(`${proc}/${pid}/fd`, nodes);
    if (has === 'hidden') isComplete = false;
    if (has !== true) continue;
    users.push({ pid, command: commandOf(proc, pid) });
    if (users.length === USERS_MAX) break;
  }
  return { users, isComplete };
}

function pids(proc: string): readonly number[] {
  return readdirSync(proc)
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function hasOpen(folder: string, nodes: readonly string[]): boolean | 'hidden' {
  try {
    return readdirSync(folder).some((link) => {
      const file = linkOf(`${folder}/${link}`);
      return file !== null && nodes.some((node) => file.endsWith(`/${node}`));
    });
  } catch (error) {
    if (errnoOf(error) === null) throw error;
    return isErrno(error, ...ENDED) ? false : 'hidden';
  }
}

/** Null when it was closed meanwhile. */
function linkOf(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch (error) {
    if (isErrno(error, ...ENDED)) return null;
    throw error;
  }
}

/** The name that the kernel keeps of a program: at most 15 bytes, which the program can choose. */
function commandOf(proc: string, pid: number): string {
  const name = readText(`${proc}/${pid}/comm`) ?? '';
  return name.trimEnd().replaceAll(/\p{C}/gu, '?') || '?';
}
