import { describe, expect, test } from 'vitest';
import { sleep } from '../../../reconciler/clock.ts';
import { systemClock } from '../../../reconciler/clock-system.ts';
import type { WriterPool } from '../../../reconciler/sysfs/writer-pool.ts';
import { ManualClock } from '../../manual-clock.ts';
import { A, B, eachWithPoolWorld, isRunning, OK, SOON } from './pool-world.ts';

const world = eachWithPoolWorld();

/** Comes up as a helper does, and spins at its first order, as in a write that is answered EINTR each time. */
const SPINS = `
  import { writeSync } from 'node:fs';
  console.log('{"kind":"ok"}');
  process.stdin.once('data', () => {
    for (;;) writeSync(2, '');
  });`;

describe('a helper that spins', () => {
  function openSpinning(clock: ManualClock): WriterPool {
    const program = world().file('spins.mjs', SPINS);
    return world().open({ clock, program, helpersMin: 1, spinMs: 10, deadlineMs: 1_000 });
  }

  /** It spins by the real clock, and is looked at by this one. */
  const untilKilled = (pool: WriterPool, clock: ManualClock) =>
    expect.poll(() => clock.advance(10).then(() => pool.writing(A)), SOON).toBeUndefined();

  test('is killed, and its write was interrupted', async () => {
    const clock = new ManualClock();
    const pool = openSpinning(clock);
    const target = world().file('target');
    const spinning = pool.run({ op: 'create', file: target, data: 'x' }, A);
    await expect.poll(() => pool.writing(A), SOON).toBeDefined();
    const pid = pool.writing(A);
    await untilKilled(pool, clock);
    expect(await spinning).toEqual({ kind: 'errno', errno: 4, call: 'write', file: target });
    expect(isRunning(pid ?? 0)).toBe(false);
  });

  test('is killed also when its deadline has passed, and gives its UUID back', async () => {
    const clock = new ManualClock();
    const pool = openSpinning(clock);
    const spinning = pool.run({ op: 'create', file: world().file('target'), data: 'x' }, A);
    await expect.poll(() => pool.writing(A), SOON).toBeDefined();
    await clock.advance(1_000);
    expect(await spinning).toEqual({ kind: 'stuck', afterMs: 1_000 });
    await untilKilled(pool, clock);
  });

  test('is told from one that is blocked, which is left alone', async () => {
    const pool = world().open({ spinMs: 50 });
    const slow = pool.run(world().hang, A);
    await world().underWay(pool);
    const pid = pool.writing(A);
    await sleep(systemClock, 500);
    expect(pool.writing(A)).toBe(pid);
    expect(world().letGo()).toBe('x');
    expect(await slow).toEqual(OK);
    expect(world().helpers()).toEqual([pid]);
  });
});

describe('a helper without work', () => {
  test('ends after a while, unless it is the last that must be there', async () => {
    const clock = new ManualClock();
    const pool = world().open({ clock, helpersMin: 1, idleMs: 60_000 });
    const slow = pool.run(world().hang, A);
    await world().underWay(pool);
    expect(await pool.run({ op: 'create', file: world().file('quick'), data: 'x' }, B)).toEqual(OK);
    world().letGo();
    expect(await slow).toEqual(OK);
    expect(world().helpers()).toHaveLength(2);
    await clock.advance(60_000);
    await expect.poll(() => world().helpers(), SOON).toHaveLength(1);
    await clock.advance(600_000);
    expect(await pool.run({ op: 'create', file: world().file('next'), data: 'x' }, A)).toEqual(OK);
    expect(world().helpers()).toHaveLength(1);
  });
});
