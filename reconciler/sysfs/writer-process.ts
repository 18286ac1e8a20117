/**
 * A helper as its agent sees it: started, asked one thing at a time, and let go.
 *
 * A helper is in a session of its own, so that a signal to the agent's terminal does not
 * reach it in the midst of a write, and one that is blocked is never killed: a write that hangs
 * would not end by that, and one that does not would be cut off from its answer. One that spins
 * (spin.ts) is killed, since nothing else would ever stop it, and it has no answer to lose.
 */
import { strict as assert } from 'node:assert';
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { siblingOf } from '../../events/sibling.ts';
import type { Answer, Order } from './order.ts';

const PROGRAM = siblingOf(import.meta.filename, 'writer');
/** One thread for all that V8 does in the background, instead of four. */
const FLAGS = ['--v8-pool-size=0'];
/** Most characters kept of what a helper says on its standard error. */
const COMPLAINT_CHARS_MAX = 2048;

/** An answer, or that the helper ended without one. */
export type Reply = Answer | Ended;
export type Ended = { readonly kind: 'ended'; readonly message: string };

export class Helper {
  /** Resolves when it is up, with null, or when it has ended instead. */
  readonly up: Promise<Ended | null>;
  /** Resolves when the process is gone. */
  readonly ended: Promise<void>;
  readonly #child: ChildProcessWithoutNullStreams;
  #waiting: ((reply: Reply) => void) | null = null;
  #complaint = '';
  #isGone = false;

  /** @param marksDir where it keeps its mark and, unless Node was told another place, what it compiles */
  constructor(marksDir: string, program: string = PROGRAM) {
    this.#child = spawn(process.execPath, [...FLAGS, program, marksDir, String(process.pid)], {
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
      env: { NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? join(marksDir, 'cache') },
    });
    this.up = this.#hear().then((reply) => (reply.kind === 'ended' ? reply : null));
    this.ended = this.#watch();
  }

  /** Undefined if it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Gives an order once it is up; one at a time. */
  ask(order: Order): Promise<Reply> {
    assert(this.#waiting === null, 'a helper was asked while it works');
    const reply = this.#hear();
    if (this.#isGone) this.#reply(this.#end());
    else this.#child.stdin.write(`${JSON.stringify(order)}\n`);
    return reply;
  }

  #hear(): Promise<Reply> {
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  /** Ends it at once, unless it is in the midst of a system call: then when that returns. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /** Tells it to end as soon as it is not at work. */
  end(): void {
    this.#child.stdin.end();
  }

  /** The same, and it no longer keeps this process from ending. */
  leave(): void {
    this.end();
    this.#child.unref();
    for (const stream of this.#child.stdio) if (stream instanceof Socket) stream.unref();
  }

  #watch(): Promise<void> {
    const { stdin, stdout, stderr } = this.#child;
    // Whatever befalls the pipes, the end of the process tells.
    for (const stream of [stdin, stdout, stderr]) stream.on('error', () => undefined);
    createInterface({ input: stdout }).on('line', (line) => this.#reply(JSON.parse(line) as Answer));
    stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#complaint = (this.#complaint + text).slice(-COMPLAINT_CHARS_MAX);
    });
    return new Promise((resolve) => {
      const gone = (error?: unknown): void => {
        if (error instanceof Error) this.#complaint += error.message;
        this.#isGone = true;
        this.#reply(this.#end());
        resolve();
      };
      this.#child.on('error', gone);
      this.#child.on('close', () => gone());
    });
  }

  #end(): Ended {
    const { exitCode, signalCode } = this.#child;
    const how = signalCode ?? (exitCode === null ? 'not started' : `exit status ${exitCode}`);
    return { kind: 'ended', message: `a writing helper ended (${how}): ${this.#complaint.trim()}` };
  }

  #reply(reply: Reply): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.(reply);
  }
}
