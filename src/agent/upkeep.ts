/**
 * Work against the fleet that may fail at any time and is then simply done again: on demand, after a
 * failure with backoff, and now and then.
 */
import { backoffMs } from '../../reconciler/backoff.ts';
import type { Cancel, Clock, Random } from '../../reconciler/clock.ts';

export type UpkeepOptions = {
  readonly work: () => Promise<void>;
  /** Told of each failure; the work is done again unless it answers 'give-up'. */
  readonly onFailure: (error: unknown) => 'again' | 'give-up';
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: {
    /** Time until the work is done again though nobody asked. */
    readonly pollMs: number;
    readonly retryDelayMsMin: number;
    readonly retryDelayMsMax: number;
  };
};

export class Upkeep {
  readonly #options: UpkeepOptions;
  #underWay = false;
  #asked = false;
  #failures = 0;
  #timer: Cancel = () => {};
  #open = true;

  constructor(options: UpkeepOptions) {
    this.#options = options;
  }

  /** Does the work now, or once more if it is under way. */
  kick(): void {
    if (!this.#open) return;
    this.#timer();
    this.#asked = true;
    if (!this.#underWay) void this.#keepUp();
  }

  /** Does nothing more of itself; a run under way goes on. */
  stop(): void {
    this.#open = false;
    this.#timer();
  }

  /** One failure is told once, however many asked; who asked meanwhile waits like the others. */
  async #keepUp(): Promise<void> {
    this.#underWay = true;
    let delayMs = this.#options.limits.pollMs;
    try {
      do {
        this.#asked = false;
        await this.#options.work();
      } while (this.#asked && this.#open);
      this.#failures = 0;
    } catch (error) {
      delayMs = this.#failed(error);
    }
    this.#underWay = false;
    this.#schedule(delayMs);
  }

  /** The delay until the next attempt. */
  #failed(error: unknown): number {
    const { limits, random, onFailure } = this.#options;
    if (!this.#open || onFailure(error) === 'give-up') this.stop();
    this.#failures += 1;
    return backoffMs(this.#failures, limits.retryDelayMsMin, limits.retryDelayMsMax, random());
  }

  #schedule(delayMs: number): void {
    this.#timer();
    if (this.#open) this.#timer = this.#options.clock.after(delayMs, () => this.kick());
  }
}
