/**
 * Work against the fleet that may fail at any time and is then simply done again: on demand, after a
 * failure with backoff, and now and then.
 */
import { backoffMs } from '../reconciler/backoff.ts';
import type { Cancel, Clock, Random } from '../reconciler/clock.ts';
import { coalesced } from '../store/coalesced.ts';

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
  readonly #work: () => Promise<void>;
  #failures = 0;
  #timer: Cancel = () => {};
  #open = true;

  constructor(options: UpkeepOptions) {
    this.#options = options;
    this.#work = coalesced(async () => {
      if (this.#open) await options.work();
    });
  }

  /** Does the work now, or once more if it is under way. */
  kick(): void {
    this.#timer();
    void this.#once();
  }

  /** Does nothing more of itself; a run under way goes on. */
  stop(): void {
    this.#open = false;
    this.#timer();
  }

  async #once(): Promise<void> {
    const { limits, random, onFailure } = this.#options;
    const { retryDelayMsMin, retryDelayMsMax, pollMs } = limits;
    try {
      await this.#work();
      this.#failures = 0;
      this.#schedule(pollMs);
    } catch (error) {
      if (!this.#open || onFailure(error) === 'give-up') return;
      this.#failures += 1;
      this.#schedule(backoffMs(this.#failures, retryDelayMsMin, retryDelayMsMax, random()));
    }
  }

  #schedule(delayMs: number): void {
    this.#timer();
    if (this.#open) this.#timer = this.#options.clock.after(delayMs, () => this.kick());
  }
}
