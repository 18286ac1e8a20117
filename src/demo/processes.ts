/**
 * The processes that the demo starts: `mdevfleet` run with other arguments, from the same code.
 *
 * However the demo ends, it ends them too, each by its id. They get none of the settings in the
 * environment of whoever runs it, since the demo must not meet a real fleet.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { siblingOf } from '../../events/sibling.ts';
import { systemClock } from '../../reconciler/clock-system.ts';

/** Time to stop when asked to; an agent gives itself 10 s. */
const END_MS_MAX = 15_000;
const MAIN = siblingOf(import.meta.filename, '../main');

type OnLine = (line: string) => void;

export class Processes {
  readonly #running = new Set<Running>();
  readonly #killAll = (): void => {
    for (const one of this.#running) one.kill('SIGKILL');
  };

  constructor() {
    process.once('exit', this.#killAll);
  }

  start(args: readonly string[], onLine: OnLine): Running {
    const running = new Running(args, onLine);
    this.#running.add(running);
    void running.ended.then(() => this.#running.delete(running));
    return running;
  }

  /** Ends those that still run. */
  async close(): Promise<void> {
    await Promise.all([...this.#running].map((one) => one.end('SIGTERM')));
    process.off('exit', this.#killAll);
  }
}

/** A process that was started. */
export class Running {
  /** Resolves when it has ended and all it said was heard: with how it ended, for people. */
  readonly ended: Promise<string>;
  readonly #child: ChildProcess;
  #stopped = false;

  constructor(args: readonly string[], onLine: OnLine) {
    const env = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !name.startsWith('MDEVFLEET_')),
    );
    const child = spawn(process.execPath, [MAIN, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const input of [child.stdout, child.stderr]) createInterface({ input }).on('line', onLine);
    this.#child = child;
    this.ended = new Promise((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('close', (status, signal) => resolve(signal ?? `with status ${status}`));
    });
  }

  /** 0 when it could not be started. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** True once it was told to end. */
  get stopped(): boolean {
    return this.#stopped;
  }

  kill(signal: NodeJS.Signals): void {
    this.#stopped = true;
    this.#child.kill(signal);
  }

  /** Ends it with the signal, in the end by force; resolves when it is gone. */
  async end(signal: NodeJS.Signals): Promise<void> {
    this.kill(signal);
    const cancel = systemClock.after(END_MS_MAX, () => this.kill('SIGKILL'));
    await this.ended;
    cancel();
  }
}
