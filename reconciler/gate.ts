/**
 * A gate per parent: so many writes below it at a time, first come, first served.
 *
 * The kernel runs writes on one parent in parallel, but drivers are better tested with one.
 */
export class Gate {
  readonly #width: number;
  readonly #lanes = new Map<string, { inside: number; waiting: (() => void)[] }>();

  constructor(width: number) {
    this.#width = width;
  }

  /** Runs `work` when there is room in the lane. */
  async through<T>(lane: string, work: () => Promise<T>): Promise<T> {
    await this.#enter(lane);
    try {
      return await work();
    } finally {
      this.#leave(lane);
    }
  }

  #enter(name: string): Promise<void> {
    const lane = this.#lanes.get(name) ?? { inside: 0, waiting: [] };
    this.#lanes.set(name, lane);
    if (lane.inside < this.#width) {
      lane.inside += 1;
      return Promise.resolve();
    }
    return new Promise((resolve) => lane.waiting.push(resolve));
  }

  #leave(name: string): void {
    const lane = this.#lanes.get(name);
    if (lane === undefined) return;
    const next = lane.waiting.shift();
    if (next !== undefined) return next();
    lane.inside -= 1;
    if (lane.inside === 0) this.#lanes.delete(name);
  }
}
