/**
 * The kernel's uevents, by way of `udevadm monitor`, which needs no udevd.
 *
 * One process for as long as somebody listens: started again when it ends, ever more slowly if
 * it ends soon, and not at all where there is no such program. Whenever it begins to listen,
 * and when the kernel had to drop events, something may have been missed: `unknown`.
 * Left alone by an agent that was killed, it ends at the next uevent, which nobody reads.
 */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { backoffMs } from '../backoff.ts';
import type { Cancel, Clock } from '../clock.ts';
import { E, isErrno } from '../errno-numbers.ts';
import type { Change } from '../host.ts';
import { droppedUevents } from './uevent-drops.ts';
import { UeventParser } from './uevent-parser.ts';

export type UeventParts = {
  readonly clock: Clock;
  /** Name or path of udevadm. */
  readonly program: string;
  /** Where procfs is mounted. */
  readonly proc: string;
  readonly listener: (change: Change) => void;
  /** Told when uevents begin to be heard, and when they are not heard any more. */
  readonly onListening: (isListening: boolean) => void;
  readonly warn: Warn;
};

/** Constant messages; facts are fields. */
export type Warn = (fields: object, message: string) => void;

/** No filter: a parent's events come in a subsystem of its own, and there is none for "any with MDEV_STATE". */
const ARGUMENTS = ['monitor', '--kernel', '--property'];
const RESTART_DELAY_MS_MIN = 250;
const RESTART_DELAY_MS_MAX = 60_000;
/** One that has run so long is started again as at first. */
const STEADY_MS = 30_000;
/** Most characters kept of what it says on its standard error. */
const COMPLAINT_CHARS_MAX = 2048;

export class Uevents {
  readonly #parts: UeventParts;
  #child: ChildProcess | null = null;
  #isListening = false;
  #dropped = 0;
  #failures = 0;
  #cancelRestart: Cancel = () => {};

  constructor(parts: UeventParts) {
    this.#parts = parts;
    this.#start();
  }

  /** True while nothing is missed, as far as is known. */
  get isListening(): boolean {
    return this.#isListening;
  }

  /** Finds out whether events were dropped since it was last asked, and tells so. */
  check(): void {
    const { proc, listener, warn } = this.#parts;
    const pid = this.#child?.pid;
    if (!this.#isListening || pid === undefined) return;
    const dropped = droppedUevents(proc, pid);
    if (dropped <= this.#dropped) return;
    warn({ dropped: dropped - this.#dropped }, 'uevents were dropped; everything is looked at');
    this.#dropped = dropped;
    listener({ kind: 'unknown' });
  }

  /** Ends the process; nothing is told after that. */
  end(): void {
    this.#cancelRestart();
    // It has nothing to finish, and one that is stopped heeds no other signal.
    this.#child?.kill('SIGKILL');
    this.#child = null;
  }

  #start(): void {
    const startedMs = this.#parts.clock.monotonicMs();
    const options: SpawnOptions = { stdio: ['ignore', 'pipe', 'pipe'], detached: true, env: environment() };
    const child = spawn(this.#parts.program, ARGUMENTS, options);
    this.#child = child;
    let complaint = '';
    const parser = new UeventParser();
    child.stdout?.setEncoding('utf8').on('data', (piece: string) => this.#hear(parser, piece));
    child.stderr?.setEncoding('utf8').on('data', (piece: string) => {
      complaint = (complaint + piece).slice(-COMPLAINT_CHARS_MAX);
    });
    // One that could not be started is not always said to have ended.
    child.on('error', (error) => {
      if (child.pid === undefined) this.#ended(child, startedMs, error);
    });
    child.on('close', () => this.#ended(child, startedMs, how(child, complaint)));
    leaveAlone(child);
  }

  #hear(parser: UeventParser, piece: string): void {
    for (const heard of parser.feed(piece)) {
      if (this.#child === null) return;
      if (heard.kind === 'listening') this.#listening(true);
      this.#parts.listener(heard.kind === 'listening' ? { kind: 'unknown' } : heard);
    }
  }

  #listening(isListening: boolean): void {
    if (this.#isListening === isListening) return;
    this.#isListening = isListening;
    this.#dropped = 0;
    this.#parts.onListening(isListening);
  }

  #ended(child: ChildProcess, startedMs: number, why: Error): void {
    if (this.#child !== child) return;
    this.#child = null;
    this.#listening(false);
    const { clock, program, warn } = this.#parts;
    if (isErrno(why, E.NOENT, E.ACCES)) {
      return warn({ program, err: why }, 'no uevents can be heard; changes are found by polling');
    }
    this.#failures = clock.monotonicMs() - startedMs >= STEADY_MS ? 1 : this.#failures + 1;
    const restartMs = backoffMs(this.#failures, RESTART_DELAY_MS_MIN, RESTART_DELAY_MS_MAX, 1);
    warn({ program, err: why, restartMs }, 'uevents are not heard until udevadm runs again');
    this.#cancelRestart = clock.after(restartMs, () => this.#start());
  }
}

/** In a container that sees the host's processes, it would take itself to be in a chroot, and do nothing. */
function environment(): NodeJS.ProcessEnv {
  return { ...process.env, SYSTEMD_IGNORE_CHROOT: '1' };
}

function how({ exitCode, signalCode }: ChildProcess, complaint: string): Error {
  return new Error(`udevadm ended (${signalCode ?? `exit status ${exitCode}`}): ${complaint.trim()}`);
}

/** It does not keep this process from ending. */
function leaveAlone(child: ChildProcess): void {
  child.unref();
  for (const stream of [child.stdout, child.stderr]) if (stream instanceof Socket) stream.unref();
}
