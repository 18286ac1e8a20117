/**
 * Whether the kernel had to drop uevents because nobody fetched them in time.
 *
 * udevadm is silent about that, but the kernel counts what it drops for each netlink socket. An
 * automatic socket's number is the pid of its process.
 */
import { readFileSync } from 'node:fs';
import { errnoOf } from '../errno-numbers.ts';

/** NETLINK_KOBJECT_UEVENT. */
const UEVENTS = '15';

/** Uevents that were dropped for a process so far; 0 if that cannot be read. */
export function droppedUevents(proc: string, pid: number): number {
  const rows = netlinkSockets(proc).filter(
    ([, protocol, port]) => protocol === UEVENTS && port === String(pid),
  );
  return rows.reduce((sum, row) => sum + Number(row[8] ?? 0), 0);
}

/** The rows of the table, of which the ninth column counts what was dropped. */
function netlinkSockets(proc: string): readonly string[][] {
  try {
    const [, ...lines] = readFileSync(`${proc}/net/netlink`, 'utf8').split('\n');
    return lines.map((line) => line.split(/\s+/));
  } catch (error) {
    if (errnoOf(error) === null) throw error;
    return [];
  }
}
