import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { KeyedQueue } from '../../reconciler/queue.ts';
import { ManualClock } from '../manual-clock.ts';

type Setting = { readonly runningMax?: number; readonly runningPerLaneMax?: number };

/** A queue whose runs end when the test says so. A key's lane is its first letter, unless it was moved. */
class Bench {
  readonly clock = new ManualClock();
  /** Every run in the order in which they began. */
  readonly begun: string[] = [];
  readonly running: string[] = [];
  readonly queue: KeyedQueue;
  readonly #lanes = new Map<string, string>();
  readonly #ends = new Map<string, () => void>();

  constructor({ runningMax = 4, runningPerLaneMax = 2 }: Setting = {}) {
    this.queue = new KeyedQueue({
      clock: this.clock,
      runningMax,
      runningPerLaneMax,
      laneOf: (key) => this.laneOf(key),
      run: (key) => this.#run(key),
    });
  }

  laneOf(key: string): string {
    return this.#lanes.get(key) ?? key.slice(0, 1);
  }

  move(key: string, lane: string): void {
    this.#lanes.set(key, lane);
  }

  add(...keys: string[]): void {
    for (const key of keys) this.queue.add(key);
  }

  async end(...keys: string[]): Promise<void> {
    for (const key of keys) this.#ends.get(key)?.();
    await this.clock.advance(0);
  }

  #run(key: string): Promise<void> {
    this.begun.push(key);
    this.running.push(key);
    return new Promise((resolve) => {
      this.#ends.set(key, () => {
        this.#ends.delete(key);
        this.running.splice(this.running.indexOf(key), 1);
        resolve();
      });
    });
  }
}

describe('the keyed queue', () => {
  test('tells how long nothing has begun or ended, and that it is nothing while it is idle', async () => {
    const bench = new Bench({ runningPerLaneMax: 1 });
    await bench.clock.advance(1_000);
    expect(bench.queue.standstillMs).toBe(0);
    bench.add('a1', 'a2');
    await bench.clock.advance(1_000);
    expect(bench.queue.standstillMs).toBe(1_000);
    await bench.end('a1');
    expect(bench.queue.standstillMs).toBe(0);
    await bench.clock.advance(500);
    expect(bench.queue.standstillMs).toBe(500);
    await bench.end('a2');
    await bench.clock.advance(500);
    expect(bench.queue.standstillMs).toBe(0);
  });

  test('runs a key at once when there is room', () => {
    const bench = new Bench();
    bench.add('a1');
    expect(bench.running).toEqual(['a1']);
    expect(bench.queue.depth).toEqual({ ready: 0, running: 1, delayed: 0 });
  });

  test('runs a key once that was added twice while it waited', async () => {
    const bench = new Bench({ runningMax: 1 });
    bench.add('a1', 'b1', 'b1');
    await bench.end('a1');
    await bench.end('b1');
    expect(bench.begun).toEqual(['a1', 'b1']);
  });

  test('runs a key once more, and not at the same time, that was added while it ran', async () => {
    const bench = new Bench();
    bench.add('a1', 'a1', 'a1');
    expect(bench.begun).toEqual(['a1']);
    await bench.end('a1');
    expect(bench.begun).toEqual(['a1', 'a1']);
    await bench.end('a1');
    expect(bench.begun).toEqual(['a1', 'a1']);
  });

  test('keeps to its limits, of all and of each lane', () => {
    const bench = new Bench({ runningMax: 3, runningPerLaneMax: 2 });
    bench.add('a1', 'a2', 'a3', 'b1', 'b2');
    expect(bench.running).toEqual(['a1', 'a2', 'b1']);
    expect(bench.queue.depth).toEqual({ ready: 2, running: 3, delayed: 0 });
  });

  test('lets lanes take turns, and keys of one lane in order of arrival', async () => {
    const bench = new Bench({ runningMax: 1 });
    bench.add('a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c1');
    for (const key of ['a1', 'a2', 'b1', 'c1', 'a3', 'b2']) await bench.end(key);
    expect(bench.begun).toEqual(['a1', 'a2', 'b1', 'c1', 'a3', 'b2', 'a4']);
  });

  test('is not held up by a lane whose runs never end', async () => {
    const bench = new Bench({ runningMax: 3, runningPerLaneMax: 2 });
    bench.add('a1', 'a2', 'a3', 'b1', 'b2', 'b3');
    for (const key of ['b1', 'b2', 'b3']) await bench.end(key);
    expect(bench.begun).toEqual(['a1', 'a2', 'b1', 'b2', 'b3']);
    expect(bench.running).toEqual(['a1', 'a2']);
  });

  test('runs a key in one lane only that moved to another while it waited', async () => {
    const bench = new Bench({ runningMax: 2, runningPerLaneMax: 1 });
    bench.add('a1', 'b1', 'a2');
    bench.move('a2', 'c');
    bench.add('a2');
    await bench.end('a1', 'b1');
    expect(bench.running).toEqual(['a2']);
    await bench.end('a2');
    expect(bench.begun).toEqual(['a1', 'b1', 'a2']);
  });

  describe('with a delay', () => {
    test('runs a key when its time has come, not sooner', async () => {
      const bench = new Bench();
      bench.queue.addAfter('a1', 100);
      await bench.clock.advance(99);
      expect(bench.begun).toEqual([]);
      await bench.clock.advance(1);
      expect(bench.begun).toEqual(['a1']);
    });

    test('keeps the sooner of two times', async () => {
      const bench = new Bench();
      bench.queue.addAfter('a1', 100);
      bench.queue.addAfter('a1', 50);
      bench.queue.addAfter('a1', 200);
      await bench.clock.advance(50);
      expect(bench.begun).toEqual(['a1']);
      await bench.end('a1');
      await bench.clock.advance(1_000);
      expect(bench.begun).toEqual(['a1']);
    });

    test('forgets the time of a key that is added meanwhile', async () => {
      const bench = new Bench();
      bench.queue.addAfter('a1', 100);
      bench.add('a1');
      await bench.end('a1');
      await bench.clock.advance(1_000);
      expect(bench.begun).toEqual(['a1']);
    });

    test('holds a time that is set while the key runs', async () => {
      const bench = new Bench();
      bench.add('a1');
      bench.queue.addAfter('a1', 100);
      await bench.end('a1');
      expect(bench.queue.depth).toEqual({ ready: 0, running: 0, delayed: 1 });
      await bench.clock.advance(100);
      expect(bench.begun).toEqual(['a1', 'a1']);
    });

    test('needs no time for a key that runs once more anyway', async () => {
      const bench = new Bench();
      bench.add('a1', 'a1');
      bench.queue.addAfter('a1', 100);
      await bench.end('a1');
      await bench.end('a1');
      await bench.clock.advance(1_000);
      expect(bench.begun).toEqual(['a1', 'a1']);
    });
  });

  describe('once closed', () => {
    test('starts nothing more, and is closed when what runs has ended', async () => {
      const bench = new Bench({ runningMax: 1 });
      bench.add('a1', 'a1', 'b1');
      bench.queue.addAfter('c1', 100);
      let closed = false;
      const closing = bench.queue.close().then(() => {
        closed = true;
      });
      bench.add('d1');
      bench.queue.addAfter('e1', 1);
      await bench.clock.advance(1_000);
      expect(closed).toBe(false);
      await bench.end('a1');
      await closing;
      expect(bench.begun).toEqual(['a1']);
      expect(bench.queue.depth).toEqual({ ready: 0, running: 0, delayed: 0 });
      expect(bench.clock.pendingMs).toEqual([]);
    });

    test('is closed at once when nothing runs', async () => {
      await expect(new Bench().queue.close()).resolves.toBeUndefined();
    });
  });
});

type Act =
  | { readonly do: 'add' | 'end'; readonly key: string }
  | { readonly do: 'addAfter'; readonly key: string; readonly delayMs: number }
  | { readonly do: 'move'; readonly key: string; readonly lane: string }
  | { readonly do: 'pass'; readonly ms: number };

const keys = fc.constantFrom('a1', 'a2', 'a3', 'b1', 'b2', 'c1');
const still: fc.Arbitrary<Act> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('add' as const), key: keys }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('end' as const), key: keys }) },
  fc.record({ do: fc.constant('addAfter' as const), key: keys, delayMs: fc.integer({ min: 0, max: 50 }) }),
  fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 50 }) }),
);
const moving: fc.Arbitrary<Act> = fc.oneof(
  { weight: 4, arbitrary: still },
  fc.record({ do: fc.constant('move' as const), key: keys, lane: fc.constantFrom('a', 'b', 'c') }),
);

describe('whatever is added and whenever runs end', () => {
  const LIMITS = { runningMax: 3, runningPerLaneMax: 2 };

  test('no key runs twice at once, and everything added runs after that', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(moving, { maxLength: 60, size: 'max' }), async (script) => {
        const bench = new Bench(LIMITS);
        const owed = new Map<string, number>();
        for (const act of script) {
          if (act.do === 'add' || act.do === 'addAfter') owed.set(act.key, bench.begun.length);
          await play(bench, act);
          check(bench);
        }
        await drain(bench);
        for (const [key, since] of owed) expect(bench.begun.slice(since)).toContain(key);
        expect(bench.queue.depth).toEqual({ ready: 0, running: 0, delayed: 0 });
      }),
      { numRuns: 300 },
    );
  });

  test('no limit is passed, and no key waits while there is room for it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(still, { maxLength: 60, size: 'max' }), async (script) => {
        const bench = new Bench(LIMITS);
        for (const act of script) {
          await play(bench, act);
          const lanes = Object.values(Object.groupBy(bench.running, (key) => bench.laneOf(key)));
          const full = lanes.filter((lane) => lane?.length === LIMITS.runningPerLaneMax).length;
          for (const lane of lanes) expect(lane?.length).toBeLessThanOrEqual(LIMITS.runningPerLaneMax);
          if (full === 0 && bench.running.length < LIMITS.runningMax) expect(bench.queue.depth.ready).toBe(0);
        }
      }),
    );
  });

  async function play(bench: Bench, act: Act): Promise<void> {
    switch (act.do) {
      case 'add':
        return bench.add(act.key);
      case 'end':
        return bench.end(act.key);
      case 'addAfter':
        return bench.queue.addAfter(act.key, act.delayMs);
      case 'move':
        return bench.move(act.key, act.lane);
      case 'pass':
        return bench.clock.advance(act.ms);
      default:
        return act satisfies never;
    }
  }

  function check(bench: Bench): void {
    expect(new Set(bench.running).size).toBe(bench.running.length);
    expect(bench.running.length).toBeLessThanOrEqual(LIMITS.runningMax);
    expect(bench.queue.depth.running).toBe(bench.running.length);
  }

  /** Lets everything end that runs, until nothing is left. */
  async function drain(bench: Bench): Promise<void> {
    await bench.clock.advance(50);
    while (bench.running.length > 0) {
      await bench.end(...bench.running);
      check(bench);
    }
  }
});
