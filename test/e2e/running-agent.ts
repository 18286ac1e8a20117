/**
 * An agent as an operator starts it: a process of `mdevfleet agent`, its log, and how it ends.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'main.ts');

export class RunningAgent {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#ended = once(child, 'exit');
  }

  /** Starts one; resolves when it says that it has started, and throws with what it said when it ends before. */
  static async start(args: readonly string[]): Promise<RunningAgent> {
    const own = Object.entries(process.env).filter(([name]) => !name.startsWith('MDEVFLEET_'));
    const stdio = ['ignore', 'ignore', 'pipe'] as const;
    const child = spawn(process.execPath, [MAIN, 'agent', ...args], {
      env: Object.fromEntries(own),
      stdio: [...stdio],
    });
    const said: string[] = [];
    await new Promise<void>((resolve, reject) => {
      if (child.stderr === null) return reject(new Error('an agent without a pipe for its log'));
      createInterface({ input: child.stderr }).on('line', (line) => {
        said.push(line);
        if (line.includes('agent started')) resolve();
      });
      child.once('exit', () => reject(new Error(`the agent did not start:\n${said.join('\n')}`)));
    });
    return new RunningAgent(child);
  }

  /** Nothing that it is told or asked reaches it until `resume`. */
  pause(): void {
    this.#child.kill('SIGSTOP');
  }

  resume(): void {
    this.#child.kill('SIGCONT');
  }

  /** Asks it to end, and answers with its exit status; null when a signal ended it. */
  async stop(): Promise<number | null> {
    return this.#end('SIGTERM');
  }

  /** Ends it by force, if it still runs. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async #end(signal: NodeJS.Signals): Promise<number | null> {
    this.#child.kill(signal);
    await this.#ended;
    return this.#child.exitCode;
  }
}
