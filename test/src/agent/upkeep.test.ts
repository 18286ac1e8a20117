/**
 * Work that is kept up: on demand, after failures, and now and then.
 */
import { describe, expect, test } from 'vitest';
import { Upkeep } from '../../../src/agent/upkeep.ts';
import { ManualClock } from '../../manual-clock.ts';

const POLL_MS = 30_000;

/** Work that takes 100 ms and ends as the test says. */
class Bench {
  readonly clock = new ManualClock();
  readonly begunMs: number[] = [];
  readonly failures: unknown[] = [];
  readonly upkeep: Upkeep;
  broken = false;
  answer: 'again' | 'give-up' = 'again';

  constructor() {
    this.upkeep = new Upkeep({
      work: () => this.#work(),
      clock: this.clock,
      random: () => 0.5,
      limits: { pollMs: POLL_MS, retryDelayMsMin: 50, retryDelayMsMax: 10_000 },
      onFailure: (error) => {
        this.failures.push(error);
        return this.answer;
      },
    });
  }

  async #work(): Promise<void> {
    this.begunMs.push(this.clock.monotonicMs());
    await new Promise<void>((resolve) => void this.clock.after(100, resolve));
    if (this.broken) throw new Error('no answer');
  }
}

describe('upkeep', () => {
  test('is done at once when asked for, and now and then by itself', async () => {
    const { upkeep, clock, begunMs } = new Bench();
    upkeep.kick();
    await clock.advance(2 * POLL_MS + 500);
    expect(begunMs).toEqual([0, POLL_MS + 100, 2 * POLL_MS + 200]);
  });

  test('is done once more when asked for while it is under way, however often', async () => {
    const { upkeep, clock, begunMs } = new Bench();
    for (let times = 0; times < 5; times += 1) upkeep.kick();
    await clock.advance(1_000);
    expect(begunMs).toEqual([0, 100]);
    expect(clock.pendingMs).toEqual([200 + POLL_MS]);
  });

  test('is tried again with growing delays after a failure', async () => {
    const bench = new Bench();
    bench.broken = true;
    bench.upkeep.kick();
    await bench.clock.advance(2_000);
    const pauses = bench.begunMs.slice(1).map((atMs, at) => atMs - (bench.begunMs[at] ?? 0) - 100);
    expect(pauses.slice(0, 4)).toEqual([75, 125, 225, 425]);
    bench.broken = false;
    await bench.clock.advance(5_000);
    expect(bench.clock.pendingMs).toHaveLength(1);
    expect((bench.clock.pendingMs[0] ?? 0) - (bench.begunMs.at(-1) ?? 0)).toBe(POLL_MS + 100);
  });

  test('fails once for all who asked for it while it was under way', async () => {
    const bench = new Bench();
    bench.broken = true;
    for (let times = 0; times < 50; times += 1) bench.upkeep.kick();
    await bench.clock.advance(100);
    expect(bench.failures).toHaveLength(1);
    expect(bench.clock.pendingMs).toEqual([100 + 75]);
  });

  test('is given up when that is the answer to a failure', async () => {
    const bench = new Bench();
    bench.broken = true;
    bench.answer = 'give-up';
    bench.upkeep.kick();
    bench.upkeep.kick();
    await bench.clock.advance(10 * POLL_MS);
    expect(bench.begunMs).toEqual([0]);
    expect(bench.failures).toHaveLength(1);
  });

  test('is not done once stopped, asked for or not', async () => {
    const { upkeep, clock, begunMs } = new Bench();
    upkeep.kick();
    await clock.advance(50);
    upkeep.stop();
    upkeep.kick();
    await clock.advance(10 * POLL_MS);
    expect(begunMs).toEqual([0]);
    expect(clock.pendingMs).toEqual([]);
  });
});
