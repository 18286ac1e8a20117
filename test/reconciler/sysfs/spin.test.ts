import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sleep } from '../../../reconciler/clock.ts';
import { systemClock } from '../../../reconciler/clock-system.ts';
import { EarlierWriters } from '../../../reconciler/sysfs/earlier-writers.ts';
import { SpinWatch } from '../../../reconciler/sysfs/spin.ts';
import { Mark } from '../../../reconciler/sysfs/writer-marks.ts';

const A = '00000000-0000-4000-8000-00000000000a';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mdevfleet-spin-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

/** So many calls to read and to write, as the kernel counts them. */
function called(pid: number, reads: number, writes: number): void {
  mkdirSync(join(folder, String(pid)), { recursive: true });
  writeFileSync(
    join(folder, `${pid}/io`),
    `rchar: 1\nwchar: 1\nsyscr: ${reads}\nsyscw: ${writes}\nread_bytes: 0\n`,
  );
}

test('one that writes again and again without an answer spins', () => {
  const watch = new SpinWatch(folder, 7);
  called(7, 100, 200);
  expect(watch.spins()).toBe(false);
  called(7, 100, 209);
  expect(watch.spins()).toBe(false);
  called(7, 100, 210);
  expect(watch.spins()).toBe(true);
});

test('one that reads may do so often, but not for ever', () => {
  const watch = new SpinWatch(folder, 7);
  called(7, 0, 0);
  expect(watch.spins()).toBe(false);
  called(7, 2_000, 1);
  expect(watch.spins()).toBe(false);
  called(7, 10_000, 1);
  expect(watch.spins()).toBe(true);
});

test('nothing is said of one that is gone, or whose calls are not counted', () => {
  const watch = new SpinWatch(folder, 7);
  expect(watch.spins()).toBe(false);
  called(7, 0, 0);
  expect(watch.spins()).toBe(false);
  rmSync(join(folder, '7'), { recursive: true });
  expect(watch.spins()).toBe(false);
});

/** Looks at a process of an earlier agent until it is gone, or so often; true if it is gone. */
async function isKilled(program: string, looksMax: number): Promise<boolean> {
  const child = spawn(process.execPath, ['-e', `console.log('up'); ${program}`]);
  const exit = once(child, 'exit');
  await once(child.stdout, 'data');
  const mark = new Mark(folder, child.pid ?? 0);
  mark.set(A);
  const earlier = new EarlierWriters(folder, '/proc');
  try {
    for (let looks = 0; looks < looksMax; looks += 1) {
      await sleep(systemClock, 50);
      if (earlier.writing(A) === undefined) return true;
    }
    return false;
  } finally {
    child.kill('SIGKILL');
    await exit;
    mark.remove();
  }
}

test("an earlier agent's helper that spins is killed, and one that is blocked is waited for", async () => {
  expect(await isKilled("for (;;) require('fs').writeSync(2, '');", 400)).toBe(true);
  expect(await isKilled('setInterval(() => undefined, 60000);', 20)).toBe(false);
}, 30_000);
