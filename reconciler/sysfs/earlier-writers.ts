/**
 * Helpers of earlier agents on this host that were still writing when this one started.
 *
 * Each keeps its UUID busy until it is done. One that spins never would be, so it is killed, as its own agent
 * would have done.
 */
import type { Uuid } from '../../events/names.ts';
import { SpinWatch } from './spin.ts';
import { busyWriters, isWriting } from './writer-marks.ts';

export class EarlierWriters {
  readonly #marksDir: string;
  readonly #proc: string;
  readonly #writers: Map<Uuid, { readonly pid: number; readonly watch: SpinWatch }>;

  /** @param marksDir folder of the helpers' marks; `proc`: where /proc is */
  constructor(marksDir: string, proc: string) {
    const busy = [...busyWriters(marksDir, proc)];
    this.#marksDir = marksDir;
    this.#proc = proc;
    this.#writers = new Map(busy.map(([uuid, pid]) => [uuid, { pid, watch: new SpinWatch(proc, pid) }]));
  }

  /** The pid of the helper that still writes for this UUID. */
  writing(uuid: Uuid): number | undefined {
    const writer = this.#writers.get(uuid);
    if (writer === undefined) return undefined;
    if (!isWriting(this.#marksDir, writer.pid, uuid, this.#proc)) {
      this.#writers.delete(uuid);
      return undefined;
    }
    if (writer.watch.spins()) process.kill(writer.pid, 'SIGKILL');
    return writer.pid;
  }
}
