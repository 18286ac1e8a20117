/**
 * An agent as an operator starts it: a process of `mdevfleet agent`, its log, and how it ends.
 */
import { once } from 'node:events';
import { join } from 'node:path';
import { type Program, startProgram } from './program.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'main.ts');

export class RunningAgent {
  readonly #program: Program;
  readonly #ended: Promise<unknown>;

  private constructor(program: Program) {
    this.#program = program;
    this.#ended = once(program, 'exit');
  }

  /** Starts one; resolves when it says that it has started, and throws with what it said when it ends before. */
  static start(args: readonly string[]): Promise<RunningAgent> {
    const said: string[] = [];
    return new Promise((resolve, reject) => {
      const program = startProgram(MAIN, ['agent', ...args], (line) => {
        said.push(line);
        if (line.includes('agent started')) resolve(agent);
      });
      const agent = new RunningAgent(program);
      program.once('error', reject);
      program.once('close', () => reject(new Error(`the agent did not start:\n${said.join('\n')}`)));
    });
  }

  /** Nothing that it is told or asked reaches it until `resume`. */
  pause(): void {
    this.#program.kill('SIGSTOP');
  }

  resume(): void {
    this.#program.kill('SIGCONT');
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
    this.#program.kill(signal);
    await this.#ended;
    return this.#program.exitCode;
  }
}
