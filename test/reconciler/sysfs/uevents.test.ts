/**
 * The process that hears uevents, from its start to its end. Programs of the test stand in for udevadm; time is the
 * test's own.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import type { Change } from '../../../reconciler/host.ts';
import { Uevents } from '../../../reconciler/sysfs/uevents.ts';
import { ManualClock } from '../../manual-clock.ts';
import { FakeUdevadm, LISTENS } from './fake-udevadm.ts';
import { deviceEvent, PARENT, parentEvent, UUID } from './uevent-text.ts';

/** For what takes a process to start, on a machine that may be busy. */
const SOON = { timeout: 20_000 };
const HOUR_MS = 3_600_000;
const UNKNOWN: Change = { kind: 'unknown' };
const DEVICE: Change = { kind: 'device', uuid: UUID };

const cleanUp: (() => void)[] = [];
afterEach(() => {
  for (const each of cleanUp.splice(0).reverse()) each();
});

class Ear {
  readonly clock = new ManualClock();
  readonly told: Change[] = [];
  readonly listening: boolean[] = [];
  readonly warnings: (object & { readonly message: string })[] = [];
  readonly uevents: Uevents;

  constructor(program: string, proc = '/nowhere') {
    this.uevents = new Uevents({
      clock: this.clock,
      program,
      proc,
      listener: (change) => this.told.push(change),
      onListening: (isListening) => this.listening.push(isListening),
      warn: (fields, message) => this.warnings.push({ ...fields, message }),
    });
    cleanUp.push(() => this.uevents.end());
  }
}

function fake(body: string): FakeUdevadm {
  const made = new FakeUdevadm(body);
  cleanUp.push(() => made.remove());
  return made;
}

describe('one that listens', () => {
  test("is asked for the kernel's own events, says that something may have been missed, then what happens", async () => {
    const udevadm = fake(LISTENS);
    const ear = new Ear(udevadm.program);
    await expect.poll(() => ear.told, SOON).toEqual([UNKNOWN]);
    expect(ear.uevents.isListening).toBe(true);
    udevadm.say(deviceEvent(UUID, 'add'));
    udevadm.say(parentEvent(PARENT, 'registered'));
    await expect.poll(() => ear.told, SOON).toEqual([UNKNOWN, DEVICE, { kind: 'parent', parent: PARENT }]);
    expect(udevadm.starts.map((line) => line.replace(/^\d+ /, ''))).toEqual(['monitor --kernel --property']);
    expect(ear.warnings).toEqual([]);
  });

  test('is ended, and nothing is told any more', async () => {
    const udevadm = fake(LISTENS);
    const ear = new Ear(udevadm.program);
    await expect.poll(() => ear.told, SOON).toEqual([UNKNOWN]);
    ear.uevents.end();
    await expect.poll(() => udevadm.isRunning(), SOON).toBe(false);
    await ear.clock.advance(HOUR_MS);
    expect([ear.told, ear.warnings, udevadm.starts.length]).toEqual([[UNKNOWN], [], 1]);
  });

  test('and is killed, is started again after a while, and something may have been missed', async () => {
    const udevadm = fake(LISTENS);
    const ear = new Ear(udevadm.program);
    await expect.poll(() => ear.told, SOON).toEqual([UNKNOWN]);
    process.kill(udevadm.pid, 'SIGKILL');
    await expect.poll(() => ear.listening, SOON).toEqual([true, false]);
    expect(ear.warnings).toMatchObject([
      { err: { message: expect.stringContaining('SIGKILL') }, restartMs: 500 },
    ]);
    await ear.clock.advance(499);
    expect(udevadm.starts).toHaveLength(1);
    await ear.clock.advance(1);
    await expect.poll(() => ear.told, SOON).toEqual([UNKNOWN, UNKNOWN]);
    expect(udevadm.starts).toHaveLength(2);
    expect(ear.listening).toEqual([true, false, true]);
  });

  test('is left with nobody who reads when the agent is killed, and ends at the next event', async () => {
    const udevadm = fake('cat "$0.header"; while sleep 0.1; do echo; done');
    const alone = join(import.meta.dirname, 'uevents-alone.ts');
    await promisify(execFile)(process.execPath, [alone, udevadm.program], SOON);
    expect(udevadm.starts).toHaveLength(1);
    await expect.poll(() => udevadm.isRunning(), SOON).toBe(false);
  });
});

describe('one that fails', () => {
  test('at once is started again ever more slowly, and what it said is told', async () => {
    const udevadm = fake('echo "no netlink here" >&2; exit 3');
    const ear = new Ear(udevadm.program);
    for (const restartMs of [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]) {
      await expect.poll(() => ear.clock.pendingMs, SOON).toHaveLength(1);
      const message = 'udevadm ended (exit status 3): no netlink here';
      expect(ear.warnings.at(-1)).toMatchObject({ program: udevadm.program, err: { message }, restartMs });
      await ear.clock.advance(restartMs);
    }
    expect(ear.told).toEqual([]);
  });

  test('after it has run for long is started again as at first', async () => {
    const udevadm = fake(LISTENS);
    const ear = new Ear(udevadm.program);
    for (const ranMs of [0, 0, 0, HOUR_MS, 0]) {
      await expect.poll(() => ear.uevents.isListening, SOON).toBe(true);
      await ear.clock.advance(ranMs);
      process.kill(udevadm.pid, 'SIGKILL');
      await expect.poll(() => ear.uevents.isListening, SOON).toBe(false);
      await ear.clock.advance(4_000);
    }
    expect(ear.warnings).toMatchObject([500, 1_000, 2_000, 500, 1_000].map((restartMs) => ({ restartMs })));
  });

  test.each([
    ['is not there', '/no/such/udevadm'],
    ['is no program', import.meta.filename],
  ])('because it %s is not started again', async (_why, program) => {
    const ear = new Ear(program);
    await expect.poll(() => ear.warnings, SOON).toHaveLength(1);
    expect(ear.clock.pendingMs).toEqual([]);
    await ear.clock.advance(HOUR_MS);
    expect(ear.warnings).toMatchObject([
      { program, message: 'no uevents can be heard; changes are found by polling' },
    ]);
    expect([ear.told, ear.listening]).toEqual([[], []]);
  });

  test('in that it says nothing is let be', async () => {
    const udevadm = fake('exec sleep 600');
    const ear = new Ear(udevadm.program);
    await expect.poll(() => udevadm.starts, SOON).toHaveLength(1);
    await ear.clock.advance(HOUR_MS);
    expect([ear.told, ear.listening, udevadm.starts.length]).toEqual([[], [], 1]);
  });

  test('in that it writes nonsense is not believed', async () => {
    const udevadm = fake('head -c 1000000 /dev/urandom; head -c 1000000 /dev/urandom >&2; exit 0');
    const ear = new Ear(udevadm.program);
    await expect.poll(() => ear.warnings, SOON).toHaveLength(1);
    expect([ear.told, ear.listening]).toEqual([[], []]);
    expect(JSON.stringify(ear.warnings).length).toBeLessThan(20_000);
  });
});

describe('when the kernel had to drop events', () => {
  const COLUMNS = 'sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode\n';
  let proc = '';

  function table(pid: number, dropped: number): void {
    const rows = [
      `a 0 ${pid} 0 0 0 0 2 77 1`,
      `b 15 ${pid + 1} 1 0 0 0 2 78 2`,
      `c 15 ${pid} 1 0 0 0 2 ${dropped} 3`,
    ];
    mkdirSync(join(proc, 'net'), { recursive: true });
    writeFileSync(join(proc, 'net/netlink'), `${COLUMNS}${rows.join('\n')}\n`);
  }

  test('that is told once, for each time', async () => {
    proc = mkdtempSync(join(tmpdir(), 'proc-'));
    cleanUp.push(() => rmSync(proc, { recursive: true }));
    const udevadm = fake(LISTENS);
    const ear = new Ear(udevadm.program, proc);
    ear.uevents.check();
    await expect.poll(() => ear.told, SOON).toEqual([UNKNOWN]);
    ear.uevents.check();
    for (const dropped of [0, 5, 5, 5, 7, 7]) {
      table(udevadm.pid, dropped);
      ear.uevents.check();
    }
    expect(ear.told).toEqual([UNKNOWN, UNKNOWN, UNKNOWN]);
    expect(ear.warnings).toMatchObject([{ dropped: 5 }, { dropped: 2 }]);
  });
});
