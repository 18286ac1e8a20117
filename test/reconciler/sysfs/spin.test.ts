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
import { ManualClock } from '../../manual-clock.ts';

const A = '00000000-0000-4000-8000-00000000000a';
const SPIN_MS = 1_000;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mdevfleet-spin-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

/** So much time on a CPU: half in the program, half in the kernel. */
function used(pid: number, cpuMs: number): void {
  const between = Array.from({ length: 10 }, () => 0).join(' ');
  const ticks = cpuMs / 2 / 10;
  mkdirSync(join(folder, String(pid)), { recursive: true });
  writeFileSync(join(folder, `${pid}/stat`), `${pid} (a b) R ${between} ${ticks} ${ticks} 0 0 0 0 1 0 77\n`);
}

test('one that uses a CPU half of the time or more spins', () => {
  const watch = new SpinWatch(folder, 7);
  used(7, 5_000);
  expect(watch.spins(10_000, SPIN_MS)).toBe(false);
  used(7, 5_500);
  expect(watch.spins(11_000, SPIN_MS)).toBe(true);
  used(7, 5_980);
  expect(watch.spins(12_000, SPIN_MS)).toBe(false);
});

test('a look too soon after the last says nothing, nor does one at a process that is gone', () => {
  const watch = new SpinWatch(folder, 7);
  used(7, 0);
  expect(watch.spins(0, SPIN_MS)).toBe(false);
  used(7, 900);
  expect(watch.spins(999, SPIN_MS)).toBe(false);
  expect(watch.spins(1_000, SPIN_MS)).toBe(true);
  rmSync(join(folder, '7'), { recursive: true });
  expect(watch.spins(9_000, SPIN_MS)).toBe(false);
});

/** Looks at a process of an earlier agent until it is gone, or so often; true if it is gone. */
async function isKilled(program: string, looksMax: number): Promise<boolean> {
  const child = spawn(process.execPath, ['-e', `console.log('up'); ${program}`]);
  const exit = once(child, 'exit');
  await once(child.stdout, 'data');
  const mark = new Mark(folder, child.pid ?? 0);
  mark.set(A);
  // This clock goes slower than the real one, by which the process spins: it need not have a core to itself.
  const clock = new ManualClock();
  const earlier = new EarlierWriters({ clock, marksDir: folder, proc: '/proc', spinMs: 50 });
  try {
    for (let looks = 0; looks < looksMax; looks += 1) {
      await sleep(systemClock, 200);
      if (earlier.writing(A) === undefined) return true;
      await clock.advance(50);
    }
    return false;
  } finally {
    child.kill('SIGKILL');
    await exit;
    mark.remove();
  }
}

test("an earlier agent's helper that spins is killed, and one that is blocked is waited for", async () => {
  expect(await isKilled('for (;;);', 100)).toBe(true);
  expect(await isKilled('setInterval(() => undefined, 60000);', 8)).toBe(false);
}, 30_000);
