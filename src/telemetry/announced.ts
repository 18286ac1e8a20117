/**
 * How many events a host was told of and has not taken yet.
 *
 * Only what was announced can be counted: while the server is away nobody tells. The embedded stream tells of the last of
 * several at once.
 */

/** As many are counted at most: the newest, since the oldest are the first to be taken. */
export const ANNOUNCED_MAX = 10_000;

export class Announced {
  readonly #sequences = new Set<number>();

  rang(sequence: number): void {
    this.#sequences.add(sequence);
    const [oldest] = this.#sequences;
    if (this.#sequences.size > ANNOUNCED_MAX && oldest !== undefined) this.#sequences.delete(oldest);
  }

  /** The stream is another one: what was told of the old one says nothing. */
  forget(): void {
    this.#sequences.clear();
  }

  /** How many were announced beyond the cursor. */
  behind(cursor: number): number {
    for (const sequence of this.#sequences) if (sequence <= cursor) this.#sequences.delete(sequence);
    return this.#sequences.size;
  }
}
