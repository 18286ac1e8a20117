import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../reconciler/clock-system.ts';
import { busyWriters } from '../../../reconciler/sysfs/writer-marks.ts';
import {
  createWriterPool,
  type WriterPool,
  type WriterPoolOptions,
} from '../../../reconciler/sysfs/writer-pool.ts';
import { ManualClock } from '../../manual-clock.ts';

const A = '00000000-0000-4000-8000-00000000000a';
const B = '00000000-0000-4000-8000-00000000000b';
const OK = { kind: 'ok' };
const SOON = { timeout: 20_000 };
/** Long enough that nothing in a test ever waits for it. */
const NEVER_MS = 600_000;

let folder: string;
let marksDir: string;
let hangs: string;
const pools: WriterPool[] = [];
const compiled = mkdtempSync(join(tmpdir(), 'mdevfleet-compiled-'));

afterAll(() => rmSync(compiled, { recursive: true }));

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mdevfleet-pool-'));
  marksDir = join(folder, 'writers');
  hangs = join(folder, 'hangs');
  mkdirSync(marksDir);
  // What helpers compile is kept from one test to the next.
  symlinkSync(compiled, join(marksDir, 'cache'));
  // Opening a pipe for writing hangs until somebody reads it, like a write to a device in use.
  execFileSync('mkfifo', [hangs]);
});

afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
  for (const pid of helpers()) process.kill(pid, 'SIGKILL');
  await expect.poll(helpers, SOON).toEqual([]);
  rmSync(folder, { recursive: true });
});

function open(options: Partial<WriterPoolOptions> = {}): WriterPool {
  const limits = { helpersMin: 0, helpersMax: 2, stuckMax: 2, deadlineMs: NEVER_MS };
  const watch = { spinMs: NEVER_MS, idleMs: NEVER_MS, proc: '/proc' };
  const pool = createWriterPool({ clock: systemClock, marksDir, ...limits, ...watch, ...options });
  pools.push(pool);
  return pool;
}

function file(name: string): string {
  const path = join(folder, name);
  writeFileSync(path, '');
  return path;
}

/** Pids of the helpers that are alive, by their marks. */
function helpers(): number[] {
  const pids = readdirSync(marksDir).filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => isRunning(pid));
}

function isRunning(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
}

const hang = { op: 'create', data: 'x' } as const;
/** Lets a write that hangs go through; returns what it wrote. */
const letGo = () => execFileSync('cat', [hangs], { encoding: 'utf8', ...SOON });
/** Resolves when the order for A has begun. */
const underWay = (pool: WriterPool) =>
  expect.poll(() => pool.writing(A) !== undefined && busy()[A] === pool.writing(A), SOON).toBe(true);
const busy = () => Object.fromEntries(busyWriters(marksDir, '/proc'));

describe('a pool of helpers', () => {
  test('carries out one order after another, with the helper that is there', async () => {
    const pool = open({ helpersMin: 1 });
    for (const data of ['one', 'two', 'three']) {
      const path = file(data);
      expect(await pool.run({ op: 'create', file: path, data }, A)).toEqual(OK);
      expect(readFileSync(path, 'utf8')).toBe(data);
    }
    expect(helpers()).toHaveLength(1);
    expect(busy()).toEqual({});
  });

  test('says why when a helper cannot be started, to one who waits for each', async () => {
    const pool = open();
    rmSync(marksDir, { recursive: true });
    writeFileSync(marksDir, '');
    const first = pool.run({ op: 'read', file: '/proc/version' }, null);
    const second = pool.run({ op: 'read', file: '/proc/version' }, null);
    const told = { kind: 'ended', message: expect.stringContaining('ENOTDIR: not a directory') };
    expect([await first, await second]).toEqual([told, told]);
    rmSync(marksDir);
    mkdirSync(marksDir);
    await expect(pool.run({ op: 'read', file: '/proc/version' }, null)).resolves.toMatchObject({
      kind: 'text',
    });
  });

  test('is not thinned out by a signal to all processes of the service', async () => {
    const pool = open({ helpersMin: 1 });
    const task = { op: 'create', file: file('one'), data: 'x' } as const;
    expect(await pool.run(task, A)).toEqual(OK);
    const before = helpers();
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.kill(before[0] ?? 0, signal);
    expect(await pool.run(task, A)).toEqual(OK);
    expect(helpers()).toEqual(before);
  });

  test('lets no order wait for another one while there may be more helpers', async () => {
    const pool = open();
    const slow = pool.run({ ...hang, file: hangs }, A);
    expect(await pool.run({ op: 'create', file: file('quick'), data: 'x' }, B)).toEqual(OK);
    await underWay(pool);
    expect(letGo()).toBe('x');
    expect(await slow).toEqual(OK);
    expect(pool.writing(A)).toBeUndefined();
    expect(busy()).toEqual({});
    expect(helpers()).toHaveLength(2);
  });

  test('takes a second order for a UUID before the first has returned for a bug', async () => {
    const pool = open();
    const slow = pool.run({ ...hang, file: hangs }, A);
    expect(() => pool.run({ op: 'create', file: file('second'), data: 'x' }, A)).toThrow(
      'two writes at once',
    );
    await underWay(pool);
    letGo();
    expect(await slow).toEqual(OK);
  });

  test('says that a helper ended, why, and goes on with another one', async () => {
    const pool = open({ helpersMax: 1 });
    const slow = pool.run({ ...hang, file: hangs }, A);
    await underWay(pool);
    process.kill(pool.writing(A) ?? 0, 'SIGKILL');
    await expect(slow).resolves.toMatchObject({ kind: 'ended', message: expect.stringContaining('SIGKILL') });
    expect(await pool.run({ op: 'create', file: file('next'), data: 'x' }, A)).toEqual(OK);
    const none = null as unknown as Parameters<WriterPool['run']>[0];
    await expect(pool.run(none, null)).resolves.toMatchObject({
      message: expect.stringContaining('TypeError'),
    });
    expect(await pool.run({ op: 'read', file: file('last') }, null)).toEqual({ kind: 'text', text: '' });
  });
});

describe('a helper that does not answer in time', () => {
  test('is stuck: its UUID stays busy until the write returns, and others are not kept', async () => {
    const clock = new ManualClock();
    const pool = open({ clock, helpersMin: 1, helpersMax: 1, deadlineMs: 3000 });
    const slow = pool.run({ ...hang, file: hangs }, A);
    await underWay(pool);
    const pid = pool.writing(A);
    await clock.advance(3000);
    expect(await slow).toEqual({ kind: 'stuck', afterMs: 3000 });
    expect(pool.writing(A)).toBe(pid);
    expect(await pool.run({ op: 'create', file: file('other'), data: 'x' }, B)).toEqual(OK);
    expect(letGo()).toBe('x');
    await expect.poll(() => pool.writing(A), SOON).toBeUndefined();
    await expect.poll(() => isRunning(pid ?? 0), SOON).toBe(false);
    expect(await pool.run({ op: 'create', file: file('again'), data: 'x' }, A)).toEqual(OK);
    expect(clock.pendingMs.length).toBe(0);
  });

  test('is replaced so often and no more; then an order that finds no helper says so, undone', async () => {
    const clock = new ManualClock();
    const pool = open({ clock, helpersMin: 1, helpersMax: 1, stuckMax: 0, deadlineMs: 1000 });
    const slow = pool.run({ ...hang, file: hangs }, A);
    await underWay(pool);
    await clock.advance(1000);
    expect((await slow).kind).toBe('stuck');
    const target = file('target');
    const crowded = pool.run({ op: 'create', file: target, data: 'x' }, B);
    await clock.advance(1000);
    expect(await crowded).toEqual({ kind: 'crowded', file: target });
    letGo();
    await expect.poll(() => pool.writing(A), SOON).toBeUndefined();
    expect(await pool.run({ op: 'read', file: target }, B)).toEqual({ kind: 'text', text: '' });
    expect(clock.pendingMs.length).toBe(0);
  });
});

/** Comes up as a helper does, and spins at its first order, as in a write that is answered EINTR each time. */
const SPINS = `
  console.log('{"kind":"ok"}');
  process.stdin.once('data', () => {
    for (;;);
  });`;

describe('a helper that spins', () => {
  function openSpinning(clock: ManualClock): WriterPool {
    const program = file('spins.js');
    writeFileSync(program, SPINS);
    return open({ clock, program, helpersMin: 1, spinMs: 10, deadlineMs: 1_000 });
  }

  /** The clock goes slower than the real one, by which the helper spins: it need not have a core to itself. */
  const untilKilled = (pool: WriterPool, clock: ManualClock) =>
    expect
      .poll(() => clock.advance(10).then(() => pool.writing(A)), { ...SOON, interval: 100 })
      .toBeUndefined();

  test('is killed, and its write was interrupted', async () => {
    const clock = new ManualClock();
    const pool = openSpinning(clock);
    const target = file('target');
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
    const spinning = pool.run({ op: 'create', file: file('target'), data: 'x' }, A);
    await expect.poll(() => pool.writing(A), SOON).toBeDefined();
    await clock.advance(1_000);
    expect(await spinning).toEqual({ kind: 'stuck', afterMs: 1_000 });
    await untilKilled(pool, clock);
  });

  test('is told from one that is blocked, which is left alone', async () => {
    const pool = open({ spinMs: 50 });
    const slow = pool.run({ ...hang, file: hangs }, A);
    await underWay(pool);
    const pid = pool.writing(A);
    await new Promise((resolve) => systemClock.after(500, () => resolve(null)));
    expect(pool.writing(A)).toBe(pid);
    expect(letGo()).toBe('x');
    expect(await slow).toEqual(OK);
    expect(helpers()).toEqual([pid]);
  });
});

describe('a helper without work', () => {
  test('ends after a while, unless it is the last that must be there', async () => {
    const clock = new ManualClock();
    const pool = open({ clock, helpersMin: 1, idleMs: 60_000 });
    const slow = pool.run({ ...hang, file: hangs }, A);
    await underWay(pool);
    expect(await pool.run({ op: 'create', file: file('quick'), data: 'x' }, B)).toEqual(OK);
    letGo();
    expect(await slow).toEqual(OK);
    expect(helpers()).toHaveLength(2);
    await clock.advance(60_000);
    await expect.poll(helpers, SOON).toHaveLength(1);
    await clock.advance(600_000);
    expect(await pool.run({ op: 'create', file: file('next'), data: 'x' }, A)).toEqual(OK);
    expect(helpers()).toHaveLength(1);
  });
});

describe('at the end', () => {
  test('idle helpers are gone with their marks, and whoever waits is told', async () => {
    const pool = open({ helpersMax: 1, helpersMin: 1 });
    const slow = pool.run({ ...hang, file: hangs }, A);
    const queued = pool.run({ op: 'create', file: file('queued'), data: 'x' }, B);
    await underWay(pool);
    await pool.close();
    await expect(slow).resolves.toMatchObject({ kind: 'stuck' });
    await expect(queued).resolves.toMatchObject({ kind: 'crowded' });
    expect(() => pool.run({ op: 'read', file: hangs }, null)).toThrow('after the end');
    letGo();
    await expect.poll(helpers, SOON).toEqual([]);
    expect(readdirSync(marksDir)).toEqual(['cache']);
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
    const pid = busy()[A];
    expect(helpers()).toEqual([pid]);
    expect(letGo()).toBe('x');
    await expect.poll(helpers, SOON).toEqual([]);
    expect(busy()).toEqual({});
  });

  test('helpers of an agent that was killed end, but for those that write', async () => {
    const agent = runAgent(`
      const pool = createWriterPool({ clock: systemClock, marksDir, helpersMin: 2, helpersMax: 2, stuckMax: 2, deadlineMs: 600000, ...watch });
      await pool.run({ op: 'read', file: '/proc/version' }, null);
      void pool.run({ op: 'create', file: hangs, data: 'x' }, uuid);`);
    await expect.poll(() => [helpers().length, Object.keys(busy())], SOON).toEqual([2, [A]]);
    agent.kill('SIGKILL');
    await once(agent, 'exit');
    await expect.poll(helpers, SOON).toEqual([busy()[A]]);
    expect(letGo()).toBe('x');
    await expect.poll(helpers, SOON).toEqual([]);
  });

  test('an order is not carried out for an agent that is gone when it is heard', async () => {
    const target = file('target');
    const notOurs = 1;
    const program = join(import.meta.dirname, '../../../reconciler/sysfs/writer.ts');
    const helper = spawn(process.execPath, [program, marksDir, String(notOurs)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const order = { task: { op: 'create', file: target, data: 'x' }, uuid: A };
    helper.stdin.write(`${JSON.stringify(order)}\n`);
    expect(await text(helper)).toBe('{"kind":"ok"}\n');
    expect(readFileSync(target, 'utf8')).toBe('');
    expect(readdirSync(marksDir)).toEqual(['cache']);
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
  const args = ['--input-type=module', '-e', program, marksDir, hangs, A];
  return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
}

async function text(child: ChildProcess): Promise<string> {
  let all = '';
  for await (const chunk of child.stdout ?? []) all += String(chunk);
  return all;
}
