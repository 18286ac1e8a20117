/**
 * The keyed queue: many producers, one run per key at a time.
 *
 * A key added while it runs runs once more afterwards; a key added twice waits once. Keys
 * belong to lanes (parents); lanes take turns, and each has a limit of its own, so that one
 * that is slow or always fails starves no other.
 */
import type { Cancel, Clock } from './clock.ts';

export type QueueOptions = {
  readonly clock: Clock;
  readonly runningMax: number;
  readonly runningPerLaneMax: number;
  readonly laneOf: (key: string) => string;
  /** `turn` counts runs from 1. */
  readonly run: (key: string, turn: number) => Promise<void>;
};

export class KeyedQueue {
  readonly #options: QueueOptions;
  /** Ready keys by lane, in order of arrival; the lane whose turn it is comes first. */
  readonly #ready = new Map<string, Set<string>>();
  /** The lane in which a ready key waits: one only, though what a key writes to may change meanwhile. */
  readonly #waiting = new Map<string, string>();
  /** Running keys with their lane. */
  readonly #running = new Map<string, string>();
  readonly #again = new Set<string>();
  readonly #timers = new Map<string, { dueMs: number; cancel: Cancel }>();
  #open = true;
  readonly #idle: (() => void)[] = [];
  #turns = 0;
  /** When a run last began or ended. */
  #turnedMs: number;

  constructor(options: QueueOptions) {
    this.#options = options;
    this.#turnedMs = options.clock.monotonicMs();
  }

  /** Keys that wait for their turn, and keys that run. */
  get depth(): { readonly ready: number; readonly running: number; readonly delayed: number } {
    return { ready: this.#waiting.size, running: this.#running.size, delayed: this.#timers.size };
  }

  /** How long no run has begun or ended though there are keys that wait or run; 0 if there are none. */
  get standstillMs(): number {
    const isIdle = this.#waiting.size === 0 && this.#running.size === 0;
    return isIdle ? 0 : this.#options.clock.monotonicMs() - this.#turnedMs;
  }

  /** Runs the key as soon as there is room; a timer set for it is void. */
  add(key: string): void {
    if (!this.#open) return;
    this.#clearTimer(key);
    if (this.#running.has(key)) {
      this.#again.add(key);
      return;
    }
    this.#enter(key, this.#options.laneOf(key));
    this.#pump();
  }

  /** Runs the key after the delay, unless it is added sooner. */
  addAfter(key: string, delayMs: number): void {
    if (!this.#open || this.#again.has(key)) return;
    const dueMs = this.#options.clock.monotonicMs() + delayMs;
    const set = this.#timers.get(key);
    if (set !== undefined && set.dueMs <= dueMs) return;
    this.#clearTimer(key);
    const cancel = this.#options.clock.after(delayMs, () => this.add(key));
    this.#timers.set(key, { dueMs, cancel });
  }

  /** Starts nothing more; resolves when what runs has ended. */
  close(): Promise<void> {
    this.#open = false;
    for (const key of this.#timers.keys()) this.#clearTimer(key);
    this.#ready.clear();
    this.#waiting.clear();
    this.#again.clear();
    if (this.#running.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #enter(key: string, lane: string): void {
    const before = this.#waiting.get(key);
    if (before === lane) return;
    if (before !== undefined) this.#leave(key, before);
    const keys = this.#ready.get(lane) ?? new Set();
    this.#ready.set(lane, keys.add(key));
    this.#waiting.set(key, lane);
  }

  #leave(key: string, lane: string): void {
    this.#waiting.delete(key);
    const keys = this.#ready.get(lane);
    keys?.delete(key);
    if (keys?.size === 0) this.#ready.delete(lane);
  }

  #clearTimer(key: string): void {
    this.#timers.get(key)?.cancel();
    this.#timers.delete(key);
  }

  #pump(): void {
    while (this.#running.size < this.#options.runningMax) {
      const next = this.#take();
      if (next === undefined) return;
      this.#running.set(next.key, next.lane);
      void this.#run(next.key);
    }
  }

  /** The first key of the first lane with room; that lane goes to the end of the line. */
  #take(): { key: string; lane: string } | undefined {
    for (const [lane, keys] of this.#ready) {
      const [key] = keys;
      if (key === undefined || this.#runningIn(lane) >= this.#options.runningPerLaneMax) continue;
      this.#leave(key, lane);
      if (this.#ready.delete(lane)) this.#ready.set(lane, keys);
      return { key, lane };
    }
    return undefined;
  }

  #runningIn(lane: string): number {
    let count = 0;
    for (const one of this.#running.values()) if (one === lane) count += 1;
    return count;
  }

  async #run(key: string): Promise<void> {
    this.#turns += 1;
    this.#turned();
    await this.#options.run(key, this.#turns);
    this.#turned();
    this.#running.delete(key);
    if (this.#again.delete(key)) this.add(key);
    this.#pump();
    if (this.#running.size === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  #turned(): void {
    this.#turnedMs = this.#options.clock.monotonicMs();
  }
}
