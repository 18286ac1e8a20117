/**
 * Tells a helper that spins from one that is blocked.
 *
 * A driver that always answers EINTR never lets go of its writer: Node makes the same call again, for ever. The kernel
 * counts the calls of a process, so one that has no answer and makes call after call spins; one that is blocked makes
 * none. The CPU that it uses tells less: a create that fails sleeps on its way, and one that works may compute.
 */
import { type Calls, callsOf } from './process-stat.ts';

/** Calls while one order has no answer from which on it spins: an order writes once, and reads a file or some hundred. */
const CALLS_MAX: Calls = { writes: 10, reads: 10_000 };

export class SpinWatch {
  readonly #proc: string;
  readonly #pid: number;
  #first: Calls | null = null;

  /** @param proc where /proc is */
  constructor(proc: string, pid: number) {
    this.#proc = proc;
    this.#pid = pid;
  }

  /** True when it has made more calls since the first look than any order needs; false where calls are not counted. */
  spins(): boolean {
    const calls = callsOf(this.#proc, this.#pid);
    if (calls === null) return false;
    this.#first ??= calls;
    const { writes, reads } = this.#first;
    return calls.writes - writes >= CALLS_MAX.writes || calls.reads - reads >= CALLS_MAX.reads;
  }
}
