/**
 * Helpers of earlier agents on this host that were still writing when this one started.
 *
 * Each keeps its UUID busy until it is done. One that spins never would be, so it is killed, as its own agent
 * would have done.
 */
import type { Uuid } from '../../events/names.ts';
import type { Clock } from '../clock.ts';
import { SpinWatch } from './spin.ts';
import { busyWriters, isWriting } from './writer-marks.ts';

type EarlierWritersOptions = {
  readonly clock: Clock;
  /** Folder of the helpers' marks. */
  readonly marksDir: string;
  readonly proc: string;
  readonly spinMs: number;
};

export class EarlierWriters {
  readonly #options: EarlierWritersOptions;
  readonly #writers: Map<Uuid, { readonly pid: number; readonly watch: SpinWatch }>;

  constructor(options: EarlierWritersOptions) {
    const { marksDir, proc } = options;
    const busy = [...busyWriters(marksDir, proc)];
    this.#options = options;
    this.#writers = new Map(busy.map(([uuid, pid]) => [uuid, { pid, watch: new SpinWatch(proc, pid) }]));
  }

  /** The pid of the helper that still writes for this UUID. */
  writing(uuid: Uuid): number | undefined {
    const { marksDir, proc, clock, spinMs } = this.#options;
    const writer = this.#writers.get(uuid);
    if (writer === undefined) return undefined;
    if (!isWriting(marksDir, writer.pid, uuid, proc)) {
      this.#writers.delete(uuid);
      return undefined;
    }
    if (writer.watch.spins(clock.monotonicMs(), spinMs)) process.kill(writer.pid, 'SIGKILL');
    return writer.pid;
  }
}
