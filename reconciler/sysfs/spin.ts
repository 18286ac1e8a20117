/**
 * Tells a helper that spins from one that is blocked.
 *
 * A driver that always answers EINTR never lets go of its writer: Node makes the same write again, for ever, and burns a
 * core. Such a process uses the CPU all the time, while one that waits in the kernel uses none.
 */
import { statOf } from './process-stat.ts';

/** The part of the time from which on a process does nothing but compute; several may share a core. */
const SPIN_SHARE_MIN = 0.5;

export class SpinWatch {
  readonly #proc: string;
  readonly #pid: number;
  #last: { readonly atMs: number; readonly cpuMs: number } | null = null;

  /** @param proc where /proc is */
  constructor(proc: string, pid: number) {
    this.#proc = proc;
    this.#pid = pid;
  }

  /** True when it spun from the last look until now; a look sooner than `spinMs` after the last one says nothing. */
  spins(nowMs: number, spinMs: number): boolean {
    const last = this.#last;
    if (last !== null && nowMs - last.atMs < spinMs) return false;
    const stat = statOf(this.#proc, this.#pid);
    if (stat === null) return false;
    this.#last = { atMs: nowMs, cpuMs: stat.cpuMs };
    return last !== null && stat.cpuMs - last.cpuMs >= SPIN_SHARE_MIN * (nowMs - last.atMs);
  }
}
