/**
 * The service manager that started this process, if one did: systemd.
 *
 * It listens on a datagram socket, which Node cannot send to, so systemd-notify does that. That program waits until the
 * manager has read what it said, and so is still there to be asked whose it is. Each call costs a process: there are few.
 */
import { spawn } from 'node:child_process';
import type { Clock } from '../../reconciler/clock.ts';
import type { Warn } from '../../reconciler/sysfs/uevents.ts';
import type { Env } from '../config.ts';

const PROGRAM = 'systemd-notify';
/** It gives up by itself before that, if the manager does not answer. */
const DEADLINE_MS = 10_000;
const COMPLAINT_CHARS_MAX = 1024;
const USEC_PER_MS = 1_000;

export type ServiceManager = {
  /** Most time between two signs of life that it wants, in milliseconds; null if it wants none. */
  readonly watchdogMs: number | null;
  /** Tells it this, `READY=1`, after all that it was told before. Never rejects. */
  tell(...assignments: readonly string[]): Promise<void>;
};

export type ServiceParts = {
  readonly env: Env;
  /** Of this process. */
  readonly pid: number;
  readonly clock: Clock;
  readonly warn: Warn;
};

/** Null when nobody wants to be told. */
export function serviceManager({ env, pid, clock, warn }: ServiceParts): ServiceManager | null {
  const socket = env['NOTIFY_SOCKET'] ?? '';
  if (socket === '') return null;
  const own = { NOTIFY_SOCKET: socket, PATH: env['PATH'] };
  let last = Promise.resolve();
  let isHeard = true;
  const tell = async (assignments: readonly string[]): Promise<void> => {
    const complaint = await notify(clock, own, assignments);
    if (complaint !== null && isHeard) warn({ complaint }, 'the service manager could not be told');
    isHeard = complaint === null;
  };
  return {
    watchdogMs: watchdogMs(env, pid),
    tell(...assignments) {
      last = last.then(() => tell(assignments));
      return last;
    },
  };
}

/** A process that was started by the one that the manager watches is not meant. */
function watchdogMs(env: Env, pid: number): number | null {
  const usec = Number(env['WATCHDOG_USEC'] ?? 0);
  const meant = env['WATCHDOG_PID'] ?? '';
  const isMeant = meant === '' || meant === String(pid);
  return isMeant && usec > 0 ? usec / USEC_PER_MS : null;
}

/** Null when it was told, else why not. */
function notify(
  clock: Clock,
  env: NodeJS.ProcessEnv,
  assignments: readonly string[],
): Promise<string | null> {
  const child = spawn(PROGRAM, assignments, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  const cancel = clock.after(DEADLINE_MS, () => child.kill('SIGKILL'));
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-COMPLAINT_CHARS_MAX);
  });
  return new Promise((resolve) => {
    const end = (why: string | null): void => {
      cancel();
      resolve(why);
    };
    child.once('error', (error) => end(error.message));
    child.once('close', (status, signal) => {
      const how = signal ?? `exit status ${status}`;
      end(status === 0 ? null : `${PROGRAM} ended (${how}): ${complaint.trim()}`);
    });
  });
}
