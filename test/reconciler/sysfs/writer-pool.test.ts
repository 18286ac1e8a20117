import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { WriterPool } from '../../../reconciler/sysfs/writer-pool.ts';
import { ManualClock } from '../../manual-clock.ts';
import { A, B, eachWithPoolWorld, isRunning, OK, SOON } from './pool-world.ts';

const world = eachWithPoolWorld();

describe('a pool of helpers', () => {
  test('carries out one order after another, with the helper that is there', async () => {
    const pool = world().open({ helpersMin: 1 });
    for (const data of ['one', 'two', 'three']) {
      const path = world().file(data);
      expect(await pool.run({ op: 'create', file: path, data }, A)).toEqual(OK);
      expect(readFileSync(path, 'utf8')).toBe(data);
    }
    expect(world().helpers()).toHaveLength(1);
    expect(world().busy()).toEqual({});
  });

  test('says why when a helper cannot be started, to one who waits for each', async () => {
    const pool = world().open();
    rmSync(world().marksDir, { recursive: true });
    writeFileSync(world().marksDir, '');
    const first = pool.run({ op: 'read', file: '/proc/version' }, null);
    const second = pool.run({ op: 'read', file: '/proc/version' }, null);
    const told = { kind: 'ended', message: expect.stringContaining('ENOTDIR: not a directory') };
    expect([await first, await second]).toEqual([told, told]);
    rmSync(world().marksDir);
    mkdirSync(world().marksDir);
    await expect(pool.run({ op: 'read', file: '/proc/version' }, null)).resolves.toMatchObject({
      kind: 'text',
    });
  });

  test('is not thinned out by a signal to all processes of the service', async () => {
    const pool = world().open({ helpersMin: 1 });
    const task = { op: 'create', file: world().file('one'), data: 'x' } as const;
    expect(await pool.run(task, A)).toEqual(OK);
    const before = world().helpers();
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.kill(before[0] ?? 0, signal);
    expect(await pool.run(task, A)).toEqual(OK);
    expect(world().helpers()).toEqual(before);
  });

  test('lets no order wait for another one while there may be more helpers', async () => {
    const pool = world().open();
    const slow = pool.run(world().hang, A);
    expect(await pool.run({ op: 'create', file: world().file('quick'), data: 'x' }, B)).toEqual(OK);
    await world().underWay(pool);
    expect(world().letGo()).toBe('x');
    expect(await slow).toEqual(OK);
    expect(pool.writing(A)).toBeUndefined();
    expect(world().busy()).toEqual({});
    expect(world().helpers()).toHaveLength(2);
  });

  test('takes a second order for a UUID before the first has returned for a bug', async () => {
    const pool = world().open();
    const slow = pool.run(world().hang, A);
    expect(() => pool.run({ op: 'create', file: world().file('second'), data: 'x' }, A)).toThrow(
      'two writes at once',
    );
    await world().underWay(pool);
    world().letGo();
    expect(await slow).toEqual(OK);
  });

  test('says that a helper ended, why, and goes on with another one', async () => {
    const pool = world().open({ helpersMax: 1 });
    const slow = pool.run(world().hang, A);
    await world().underWay(pool);
    process.kill(pool.writing(A) ?? 0, 'SIGKILL');
    await expect(slow).resolves.toMatchObject({ kind: 'ended', message: expect.stringContaining('SIGKILL') });
    expect(await pool.run({ op: 'create', file: world().file('next'), data: 'x' }, A)).toEqual(OK);
    const none = null as unknown as Parameters<WriterPool['run']>[0];
    await expect(pool.run(none, null)).resolves.toMatchObject({
      message: expect.stringContaining('TypeError'),
    });
    expect(await pool.run({ op: 'read', file: world().file('last') }, null)).toEqual({
      kind: 'text',
      text: '',
    });
  });
});

describe('a helper that does not answer in time', () => {
  test('is stuck: its UUID stays busy until the write returns, and others are not kept', async () => {
    const clock = new ManualClock();
    const pool = world().open({ clock, helpersMin: 1, helpersMax: 1, deadlineMs: 3000 });
    const slow = pool.run(world().hang, A);
    await world().underWay(pool);
    const pid = pool.writing(A);
    await clock.advance(3000);
    expect(await slow).toEqual({ kind: 'stuck', afterMs: 3000 });
    expect(pool.writing(A)).toBe(pid);
    expect(await pool.run({ op: 'create', file: world().file('other'), data: 'x' }, B)).toEqual(OK);
    expect(world().letGo()).toBe('x');
    await expect.poll(() => pool.writing(A), SOON).toBeUndefined();
    await expect.poll(() => isRunning(pid ?? 0), SOON).toBe(false);
    expect(await pool.run({ op: 'create', file: world().file('again'), data: 'x' }, A)).toEqual(OK);
    expect(clock.pendingMs.length).toBe(0);
  });

  test('is replaced so often and no more; then an order that finds no helper says so, undone', async () => {
    const clock = new ManualClock();
    const pool = world().open({ clock, helpersMin: 1, helpersMax: 1, stuckMax: 0, deadlineMs: 1000 });
    const slow = pool.run(world().hang, A);
    await world().underWay(pool);
    await clock.advance(1000);
    expect((await slow).kind).toBe('stuck');
    const target = world().file('target');
    const crowded = pool.run({ op: 'create', file: target, data: 'x' }, B);
    await clock.advance(1000);
    expect(await crowded).toEqual({ kind: 'crowded', file: target });
    world().letGo();
    await expect.poll(() => pool.writing(A), SOON).toBeUndefined();
    expect(await pool.run({ op: 'read', file: target }, B)).toEqual({ kind: 'text', text: '' });
    expect(clock.pendingMs.length).toBe(0);
  });
});

describe('at the end', () => {
  test('idle helpers are gone with their marks, and whoever waits is told', async () => {
    const pool = world().open({ helpersMax: 1, helpersMin: 1 });
    const slow = pool.run(world().hang, A);
    const queued = pool.run({ op: 'create', file: world().file('queued'), data: 'x' }, B);
    await world().underWay(pool);
    await pool.close();
    await expect(slow).resolves.toMatchObject({ kind: 'stuck' });
    await expect(queued).resolves.toMatchObject({ kind: 'crowded' });
    expect(() => pool.run({ op: 'read', file: world().hangs }, null)).toThrow('after the end');
    world().letGo();
    await expect.poll(() => world().helpers(), SOON).toEqual([]);
    expect(readdirSync(world().marksDir)).toEqual(['cache']);
  });

  test('a stuck helper does not keep the agent from ending, and is found by the next one', async () => {
    const agent = runAgent(`
      const pool = createWriterPool({ clock: systemClock, marksDir, helpersMin: 1, helpersMax: 2, stuckMax: 2, deadlineMs: 2000, ...watch });
      const ran = await pool.run({ op: 'create', file: hangs, data: 'x' }, uuid);
      await pool.run({ op: 'read', file: '/proc/version' }, null);
      await pool.close();
      console.log(ran.kind);`);
    const [output, [status]] = await Promise.all([text(agent), once(agent, 'exit')]);
    expect(output).toBe('stuck\n');
    expect(status).toBe(0);
    const pid = world().busy()[A];
    expect(world().helpers()).toEqual([pid]);
    expect(world().letGo()).toBe('x');
    await expect.poll(() => world().helpers(), SOON).toEqual([]);
    expect(world().busy()).toEqual({});
  });

  test('helpers of an agent that was killed end, but for those that write', async () => {
    const agent = runAgent(`
      const pool = createWriterPool({ clock: systemClock, marksDir, helpersMin: 2, helpersMax: 2, stuckMax: 2, deadlineMs: 600000, ...watch });
      await pool.run({ op: 'read', file: '/proc/version' }, null);
      void pool.run({ op: 'create', file: hangs, data: 'x' }, uuid);`);
    await expect.poll(() => [world().helpers().length, Object.keys(world().busy())], SOON).toEqual([2, [A]]);
    agent.kill('SIGKILL');
    await once(agent, 'exit');
    await expect.poll(() => world().helpers(), SOON).toEqual([world().busy()[A]]);
    expect(world().letGo()).toBe('x');
    await expect.poll(() => world().helpers(), SOON).toEqual([]);
  });

  test('an order is not carried out for an agent that is gone when it is heard', async () => {
    const target = world().file('target');
    const notOurs = 1;
    const program = join(import.meta.dirname, '../../../reconciler/sysfs/writer.ts');
    const helper = spawn(process.execPath, [program, world().marksDir, String(notOurs)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const order = { task: { op: 'create', file: target, data: 'x' }, uuid: A };
    helper.stdin.write(`${JSON.stringify(order)}\n`);
    expect(await text(helper)).toBe('{"kind":"ok"}\n');
    expect(readFileSync(target, 'utf8')).toBe('');
    expect(readdirSync(world().marksDir)).toEqual(['cache']);
  });
});

/** An agent in a process of its own, which can be killed. */
function runAgent(body: string): ChildProcess {
  const rooms = join(import.meta.dirname, '../../../reconciler');
  const program = `
    import { systemClock } from ${JSON.stringify(join(rooms, 'clock-system.ts'))};
    import { createWriterPool } from ${JSON.stringify(join(rooms, 'sysfs', 'writer-pool.ts'))};
    const [marksDir, hangs, uuid] = process.argv.slice(1);
    const watch = { spinMs: 600000, idleMs: 600000, proc: '/proc' };
    ${body}`;
  const { marksDir, hangs } = world();
  const args = ['--input-type=module', '-e', program, marksDir, hangs, A];
  return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
}

async function text(child: ChildProcess): Promise<string> {
  let all = '';
  for await (const chunk of child.stdout ?? []) all += String(chunk);
  return all;
}
