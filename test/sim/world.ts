/**
 * The simulated world: virtual time, one seed for every choice, and a history of what happened.
 *
 * Nothing happens but what the world lets happen, one event after another; between two
 * events all promises that can go on do. So the same seed gives the same history, byte for byte.
 */
import { createHash } from 'node:crypto';
import type { Cancel, Clock } from '../../reconciler/clock.ts';
import { Dice } from './dice.ts';

/** 2026-01-01T00:00:00Z: the wall clock of every world begins there. */
const EPOCH_MS = Date.UTC(2026, 0, 1);

type Event = { readonly atMs: number; readonly order: number; readonly run: () => void; off: boolean };

export class World extends Dice implements Clock {
  readonly seed: number;
  readonly history: string[] = [];
  readonly violations: string[] = [];
  /** True while faults may strike. */
  trouble = true;
  /** Set by whatever may break an invariant; the checks clear it. */
  stirred = true;
  #nowMs = 0;
  #order = 0;
  readonly #events: Event[] = [];

  constructor(seed: number) {
    super(seed);
    this.seed = seed;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  wall(): string {
    return this.wallAt(0);
  }

  /** What a clock shows that is off by so much. */
  wallAt(offsetMs: number): string {
    return new Date(EPOCH_MS + this.#nowMs + offsetMs).toISOString();
  }

  after(delayMs: number, run: () => void): Cancel {
    const event: Event = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, run, off: false };
    this.#push(event);
    return () => {
      event.off = true;
    };
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => void this.after(delayMs, resolve));
  }

  /** Adds a line to the history. */
  note(who: string, what: string): void {
    this.history.push(`${this.#nowMs.toFixed(3)} ${who} ${what}`);
  }

  /** Something that must hold does not; the same words are told once. */
  violation(what: string): void {
    if (this.violations.includes(what)) return;
    this.note('VIOLATION', what);
    this.violations.push(what);
  }

  /** SHA-256 of the history. */
  digest(): string {
    const hash = createHash('sha256');
    for (const line of this.history) hash.update(`${line}\n`);
    return hash.digest('hex');
  }

  /** Lets time pass for so long; `check` runs after every event. */
  async run(forMs: number, check: () => void): Promise<void> {
    const endMs = this.#nowMs + forMs;
    await settle();
    for (let next = this.#pop(endMs); next !== undefined; next = this.#pop(endMs)) {
      this.#nowMs = next.atMs;
      next.run();
      await settle();
      check();
    }
    this.#nowMs = endMs;
  }

  #push(event: Event): void {
    this.#events.push(event);
    let at = this.#events.length - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!this.#before(at, above)) break;
      this.#swap(at, above);
      at = above;
    }
  }

  #pop(endMs: number): Event | undefined {
    for (;;) {
      const [first] = this.#events;
      if (first === undefined || first.atMs > endMs) return undefined;
      const last = this.#events.pop();
      if (last !== undefined && this.#events.length > 0) {
        this.#events[0] = last;
        this.#sink();
      }
      if (!first.off) return first;
    }
  }

  #sink(): void {
    for (let at = 0; ; ) {
      const left = 2 * at + 1;
      const right = left + 1;
      let least = at;
      if (left < this.#events.length && this.#before(left, least)) least = left;
      if (right < this.#events.length && this.#before(right, least)) least = right;
      if (least === at) return;
      this.#swap(at, least);
      at = least;
    }
  }

  #before(a: number, b: number): boolean {
    const one = this.#events[a] as Event;
    const other = this.#events[b] as Event;
    return one.atMs === other.atMs ? one.order < other.order : one.atMs < other.atMs;
  }

  #swap(a: number, b: number): void {
    const kept = this.#events[a] as Event;
    this.#events[a] = this.#events[b] as Event;
    this.#events[b] = kept;
  }
}

/** Lets every promise that can go on do so. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
