/**
 * Keeps an agent running, as systemd would: one that is killed is started again at once, without its point.
 */
import { join } from 'node:path';
import { type Program, startProgram } from '../e2e/program.ts';
import type { Orders } from './agent.ts';
import type { Point } from './points.ts';

const AGENT = join(import.meta.dirname, 'agent.ts');

export type KeeperOptions = {
  readonly flags: Orders['flags'];
  /** Called between a death and the start after it. */
  readonly onDeath: () => Promise<void>;
  /** The agent ended though nobody told it to, nor was it killed. */
  readonly onFailure: (failure: Error) => void;
};

export class Keeper {
  readonly #options: KeeperOptions;
  readonly #told: string[] = [];
  #program: Program | null = null;
  #ended: Promise<void> = Promise.resolve();
  #stopping = false;
  #stopped = false;
  deaths = 0;

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  start(point: Point | null): void {
    const orders: Orders = { flags: this.#options.flags, point };
    const program = startProgram(AGENT, [JSON.stringify(orders)], (line) => this.#told.push(line));
    this.#program = program;
    this.#ended = new Promise((resolve) => {
      program.once('close', (status, signal) => void this.#over(status, signal).then(resolve));
    });
  }

  /** True once an agent ended because it was told to. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** Tells the agent to end, and resolves when that process has; it may have been killed, and started again. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#program?.kill('SIGTERM');
    await this.#ended;
  }

  /** Ends whatever still runs. */
  async close(): Promise<void> {
    this.#stopping = true;
    this.#stopped = true;
    this.#program?.kill('SIGKILL');
    await this.#ended;
  }

  async #over(status: number | null, signal: NodeJS.Signals | null): Promise<void> {
    this.#program = null;
    if (this.#stopped) return;
    if (signal === 'SIGKILL') {
      this.deaths += 1;
      this.#stopping = false;
      await this.#options.onDeath();
      if (!this.#stopped) this.start(null);
    } else if (status === 0 && this.#stopping) {
      this.#stopped = true;
    } else {
      const how = `the agent ended with ${signal ?? status}:\n${this.#told.join('\n')}`;
      this.#options.onFailure(new Error(how));
    }
  }
}
