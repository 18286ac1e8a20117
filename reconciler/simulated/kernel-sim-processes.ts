/**
 * The processes of a simulated machine that write to sysfs, known by pid while they do.
 *
 * They outlive the agent that started them, and do not outlive the machine.
 */
import { strict as assert } from 'node:assert';
import type { Uuid } from '../../events/names.ts';

const PID_MIN = 100_000;

export class Processes {
  readonly #writing = new Map<Uuid, number>();
  #started = 0;

  /** The process that writes for this UUID. */
  writing(uuid: Uuid): number | undefined {
    return this.#writing.get(uuid);
  }

  /** Runs a write as a process; one at a time for a UUID. */
  async run<T>(uuid: Uuid, write: () => Promise<T>): Promise<T> {
    assert(!this.#writing.has(uuid), `two writes at once for ${uuid}`);
    this.#writing.set(uuid, PID_MIN + this.#started);
    this.#started += 1;
    const answer = await write();
    this.#writing.delete(uuid);
    return answer;
  }
}
