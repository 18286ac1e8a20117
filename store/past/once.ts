/**
 * Which records of a journal were told already, where they come in any order and perhaps again.
 */

/** Most numbers that are remembered one by one. */
const AHEAD_MAX = 4_096;

export class Once {
  /** Every record up to this one was told, or was given up. */
  #upTo = 0;
  readonly #ahead = new Set<number>();

  /** True for a record that was not told yet; it is from now on. */
  isNew(seq: number): boolean {
    if (seq <= this.#upTo || this.#ahead.has(seq)) return false;
    this.#ahead.add(seq);
    if (this.#ahead.size > AHEAD_MAX) this.#upTo = Math.min(...this.#ahead) - 1;
    while (this.#ahead.delete(this.#upTo + 1)) this.#upTo += 1;
    return true;
  }
}
