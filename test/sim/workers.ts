/**
 * Seeds on several processes, so that they use more than one core.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { systemClock } from '../../reconciler/clock-system.ts';
import type { Order, Report } from './worker.ts';

/** Far more than any run takes, also on a busy machine. */
const RUN_MS_MAX = 600_000;
const WORKER = join(import.meta.dirname, 'worker.ts');

type Answer = { readonly worker: ChildProcess; readonly report: Report };

export class Workers {
  readonly #workers: readonly ChildProcess[];

  constructor(processes: number) {
    this.#workers = Array.from({ length: processes }, () => fork(WORKER));
  }

  /** Runs each order in one of the processes; answers come in the order in which runs end. One call at a time. */
  async *run(orders: Iterable<Order>): AsyncGenerator<Report> {
    const waiting = orders[Symbol.iterator]();
    const running = new Map<ChildProcess, Promise<Answer>>();
    const begin = (worker: ChildProcess): void => {
      const next = waiting.next();
      if (next.done === true) return void running.delete(worker);
      running.set(worker, answerOf(worker, next.value.seed));
      worker.send(next.value);
    };
    for (const worker of this.#workers) begin(worker);
    while (running.size > 0) {
      const { worker, report } = await Promise.race(running.values());
      begin(worker);
      yield report;
    }
  }

  /** Ends the processes. */
  close(): void {
    for (const worker of this.#workers) worker.disconnect();
  }
}

/** A run that goes on for ever must not keep the others waiting for ever: its process is killed, and it is named. */
async function answerOf(worker: ChildProcess, seed: number): Promise<Answer> {
  const over = new AbortController();
  const cancel = systemClock.after(RUN_MS_MAX, () => worker.kill('SIGKILL'));
  const ended = once(worker, 'exit', over).then(([code]) => {
    throw new Error(`seed ${seed}: its process ended with ${code ?? 'a signal'}; it may run for ever`);
  });
  try {
    const [report] = (await Promise.race([once(worker, 'message', over), ended])) as [Report];
    return { worker, report };
  } finally {
    cancel();
    over.abort();
  }
}
