/**
 * The pool of helpers through which everything goes that may never return.
 *
 * A helper works on one order at a time. One that does not answer within the deadline is
 * stuck: whoever waits is told so at once, another helper takes its place, and the UUID stays
 * busy until the write returns, which is the kernel's to decide. Nobody waits for ever, and
 * no stuck helper keeps the agent from ending.
 */
import { strict as assert } from 'node:assert';
import { mkdirSync } from 'node:fs';
import type { Uuid } from '../../events/names.ts';
import type { Cancel, Clock } from '../clock.ts';
import { ERRNO } from '../errno.ts';
import { type Order, type Task, targetOf } from './order.ts';
import { SpinWatch } from './spin.ts';
import { type Ended, Helper, type Reply } from './writer-process.ts';

export type WriterPoolOptions = {
  readonly clock: Clock;
  /** Folder of the helpers' marks; it is made if it is missing. */
  readonly marksDir: string;
  /** Helpers started at once; more are started when they are needed. */
  readonly helpersMin: number;
  /** Helpers that can be at work, stuck ones aside. */
  readonly helpersMax: number;
  /** Stuck helpers that are replaced; each further one leaves the pool smaller until it returns. */
  readonly stuckMax: number;
  /** Time for one order from when a helper has it, and most time until one has it. */
  readonly deadlineMs: number;
  /** Time between two looks at a helper that is at work, whether it spins. */
  readonly spinMs: number;
  /** Time after which a helper above `helpersMin` that has nothing to do ends. */
  readonly idleMs: number;
  /** Where /proc is. */
  readonly proc: string;
  /** What a helper runs, if not its own program: for tests of one that does not behave. */
  readonly program?: string;
};

/**
 * What came of an order. `stuck`: no answer within the deadline. `ended`: the helper did not
 * survive it. `crowded`: no helper was free within the deadline, nothing was done. EINTR (4):
 * the driver answered that each time, until the helper was killed.
 */
export type Ran =
  | Reply
  | { readonly kind: 'stuck'; readonly afterMs: number }
  | { readonly kind: 'crowded'; readonly file: string };

export interface WriterPool {
  /**
   * Carries out a task. `uuid` is what it is done for, null when that does not matter; a second order
   * for a UUID before the first one has returned, stuck or not, is a bug and throws.
   */
  run(task: Task, uuid: Uuid | null): Promise<Ran>;
  /** The pid of the helper that is at work for this UUID, stuck or not. */
  writing(uuid: Uuid): number | undefined;
  /** Lets idle helpers end and waits for that; others are left to the kernel, and those who wait are told. */
  close(): Promise<void>;
}

/** A pool of helper processes, the first of which are started at once. */
export function createWriterPool(options: WriterPoolOptions): WriterPool {
  return new Pool(options);
}

/** Longest wait for idle helpers at the end. */
const CLOSE_MS_MAX = 2_000;

type Job = {
  readonly order: Order;
  readonly resolve: (ran: Ran) => void;
  cancel: Cancel;
  /** Ends the watch over the helper that has it. */
  unwatch: Cancel;
  wasKilled: boolean;
};

/** What a helper at work has, and since when. */
type Work = { readonly job: Job; readonly sinceMs: number };

class Pool implements WriterPool {
  readonly #options: WriterPoolOptions;
  readonly #starting = new Set<Helper>();
  /** With what ends the wait for the end of each; the one that was at work last comes last. */
  readonly #idle: { readonly helper: Helper; readonly cancel: Cancel }[] = [];
  readonly #working = new Map<Helper, Work>();
  readonly #stuck = new Map<Helper, Job>();
  readonly #queue: Job[] = [];
  /** Every UUID with an order that has not returned; the helper once it has one. */
  readonly #orders = new Map<Uuid, Helper | null>();
  #isClosed = false;

  constructor(options: WriterPoolOptions) {
    this.#options = options;
    mkdirSync(options.marksDir, { recursive: true });
    for (let count = 0; count < options.helpersMin; count += 1) this.#start();
  }

  run(task: Task, uuid: Uuid | null): Promise<Ran> {
    assert(!this.#isClosed, 'a write was ordered after the end');
    assert(uuid === null || !this.#orders.has(uuid), `two writes at once for ${uuid}`);
    if (uuid !== null) this.#orders.set(uuid, null);
    return new Promise((resolve) => {
      const nothing = (): void => undefined;
      const job = { order: { task, uuid }, resolve, cancel: nothing, unwatch: nothing, wasKilled: false };
      job.cancel = this.#options.clock.after(this.#options.deadlineMs, () => this.#giveUp(job));
      this.#queue.push(job);
      this.#next();
    });
  }

  writing(uuid: Uuid): number | undefined {
    return this.#orders.get(uuid)?.pid;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const job of [...this.#queue]) this.#giveUp(job);
    const nowMs = this.#options.clock.monotonicMs();
    for (const [helper, { sinceMs }] of [...this.#working])
      this.#abandon(helper, Math.round(nowMs - sinceMs));
    for (const job of this.#stuck.values()) job.unwatch();
    const atRest = this.#idle.splice(0);
    for (const { cancel } of atRest) cancel();
    const idle = [...this.#starting, ...atRest.map(({ helper }) => helper)];
    for (const helper of idle) helper.end();
    await this.#gone(idle);
    for (const helper of idle) helper.leave();
  }

  /** Waits for helpers to end, but not for ever: a stopped process never does. */
  #gone(helpers: readonly Helper[]): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(CLOSE_MS_MAX, resolve);
      void Promise.all(helpers.map(({ ended }) => ended)).then(() => {
        cancel();
        resolve();
      });
    });
  }

  #next(): void {
    while (this.#queue.length > 0) {
      const rested = this.#idle.pop();
      if (rested === undefined) break;
      rested.cancel();
      const job = this.#queue.shift();
      assert(job !== undefined);
      this.#give(rested.helper, job);
    }
    while (this.#starting.size < this.#queue.length && this.#hasRoom()) this.#start();
  }

  #hasRoom(): boolean {
    const { helpersMax, stuckMax } = this.#options;
    const notReplaced = Math.max(0, this.#stuck.size - stuckMax);
    return this.#able() + notReplaced < helpersMax;
  }

  /** Helpers that are at work, will be, or could be. */
  #able(): number {
    return this.#starting.size + this.#idle.length + this.#working.size;
  }

  #rest(helper: Helper): void {
    const { clock, idleMs, helpersMin } = this.#options;
    const isSpare = this.#able() >= helpersMin;
    const cancel = isSpare ? clock.after(idleMs, () => this.#dismiss(helper)) : () => undefined;
    this.#idle.push({ helper, cancel });
  }

  /** It has had nothing to do for long. */
  #dismiss(helper: Helper): void {
    if (this.#able() <= this.#options.helpersMin) return;
    this.#forget(helper);
    helper.end();
  }

  #forget(helper: Helper): void {
    const at = this.#idle.findIndex((rested) => rested.helper === helper);
    if (at >= 0) this.#idle.splice(at, 1)[0]?.cancel();
  }

  #start(): void {
    const helper = new Helper(this.#options.marksDir, this.#options.program);
    this.#starting.add(helper);
    void helper.up.then((ended) => {
      this.#starting.delete(helper);
      if (this.#isClosed) return;
      if (ended === null) this.#rest(helper);
      else this.#failFirst(ended);
      this.#next();
    });
    void helper.ended.then(() => this.#forget(helper));
  }

  /** A helper did not come up: whoever waits longest is told why, so that it shows. */
  #failFirst(ended: Ended): void {
    const job = this.#queue.shift();
    if (job === undefined) return;
    job.cancel();
    this.#return(job);
    job.resolve(ended);
  }

  #give(helper: Helper, job: Job): void {
    const { clock, deadlineMs } = this.#options;
    job.cancel();
    job.cancel = clock.after(deadlineMs, () => this.#abandon(helper, deadlineMs));
    this.#working.set(helper, { job, sinceMs: clock.monotonicMs() });
    this.#watch(helper, job);
    if (job.order.uuid !== null) this.#orders.set(job.order.uuid, helper);
    void helper.ask(job.order).then((reply) => this.#finish(helper, job, reply));
  }

  /** Looks now and then, also when the deadline has passed, whether it spins. */
  #watch(helper: Helper, job: Job): void {
    const { clock, spinMs, proc } = this.#options;
    const watch = new SpinWatch(proc, helper.pid ?? 0);
    const look = (): void => {
      job.unwatch = clock.after(spinMs, () => {
        if (!watch.spins()) return look();
        job.wasKilled = true;
        helper.kill();
      });
    };
    look();
  }

  /** The helper has answered, in time or long after. */
  #finish(helper: Helper, job: Job, reply: Reply): void {
    job.cancel();
    job.unwatch();
    this.#return(job);
    const wasStuck = this.#stuck.delete(helper);
    this.#working.delete(helper);
    if (!wasStuck && !job.wasKilled && reply.kind !== 'ended') this.#rest(helper);
    job.resolve(job.wasKilled && reply.kind === 'ended' ? interrupted(job.order.task) : reply);
    this.#next();
  }

  /** Its deadline has passed: the helper is left to itself, and ends when the write returns. */
  #abandon(helper: Helper, afterMs: number): void {
    const work = this.#working.get(helper);
    assert(work !== undefined);
    this.#working.delete(helper);
    this.#stuck.set(helper, work.job);
    helper.leave();
    if (this.#isClosed) work.job.unwatch();
    work.job.cancel();
    work.job.resolve({ kind: 'stuck', afterMs });
    this.#next();
  }

  /** No helper was free in time. */
  #giveUp(job: Job): void {
    job.cancel();
    this.#queue.splice(this.#queue.indexOf(job), 1);
    this.#return(job);
    job.resolve({ kind: 'crowded', file: targetOf(job.order.task) });
  }

  #return({ order }: Job): void {
    if (order.uuid !== null) this.#orders.delete(order.uuid);
  }
}

function interrupted(task: Task): Ran {
  return { kind: 'errno', errno: ERRNO.interrupted, call: 'write', file: targetOf(task) };
}
