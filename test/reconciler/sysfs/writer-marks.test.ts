import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { busyWriters, isWriting, Mark } from '../../../reconciler/sysfs/writer-marks.ts';

const A = '00000000-0000-4000-8000-00000000000a';
const BOOT = 'b0071d00-0000-4000-8000-000000000001';

let folder: string;
let marks: string;
let proc: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mdevfleet-marks-'));
  marks = join(folder, 'marks');
  proc = join(folder, 'proc');
  mkdirSync(join(proc, 'sys/kernel/random'), { recursive: true });
  mkdirSync(join(marks, 'cache'), { recursive: true });
  writeFileSync(join(proc, 'sys/kernel/random/boot_id'), `${BOOT}\n`);
});

afterEach(() => rmSync(folder, { recursive: true }));

/** A process whose name is as awkward as a name can be. */
function runs(pid: number, start: number, state = 'S'): void {
  const between = Array.from({ length: 18 }, (_, index) => index).join(' ');
  mkdirSync(join(proc, String(pid)), { recursive: true });
  writeFileSync(
    join(proc, `${pid}/stat`),
    `${pid} (no) de) S 1 ${state} ) ${state} ${between} ${start} 0 0\n`,
  );
}

function marked(pid: number, start: number, uuid = A, boot = BOOT): void {
  writeFileSync(join(marks, String(pid)), `${boot} ${String(start).padStart(20)} ${uuid}\n`);
}

const busy = () => [...busyWriters(marks, proc)];
const isKept = (pid: number) => existsSync(join(marks, String(pid)));

describe('the mark of a process', () => {
  test('says for which UUID it writes, and nothing once the write has returned', () => {
    const mark = new Mark(marks, process.pid);
    expect([...busyWriters(marks, '/proc')]).toEqual([]);
    mark.set(A);
    expect([...busyWriters(marks, '/proc')]).toEqual([[A, process.pid]]);
    expect(isWriting(marks, process.pid, A, '/proc')).toBe(true);
    const length = readFileSync(join(marks, String(process.pid))).length;
    mark.set(null);
    expect([...busyWriters(marks, '/proc')]).toEqual([]);
    expect(isWriting(marks, process.pid, A, '/proc')).toBe(false);
    expect(readFileSync(join(marks, String(process.pid)))).toHaveLength(length);
    mark.remove();
    expect(isKept(process.pid)).toBe(false);
  });
});

describe('marks of earlier helpers', () => {
  test('that are alive and write make their UUID busy', () => {
    runs(41, 777);
    marked(41, 777);
    runs(42, 778, 'D');
    marked(42, 778, A.replace('a', 'b'));
    expect(busy()).toEqual([
      [A, 41],
      [A.replace('a', 'b'), 42],
    ]);
    expect(isKept(41)).toBe(true);
  });

  test('that are dead are deleted: gone, a zombie, another process of that pid, or of another boot', () => {
    marked(40, 777);
    runs(41, 777, 'Z');
    marked(41, 777);
    runs(42, 778);
    marked(42, 777);
    runs(43, 777);
    marked(43, 777, A, 'b0071d00-0000-4000-8000-000000000002');
    expect(isWriting(marks, 42, A, proc)).toBe(false);
    expect(busy()).toEqual([]);
    expect([40, 41, 42, 43].filter(isKept)).toEqual([]);
  });

  test('that are alive and idle, or have just been started, are left alone', () => {
    runs(41, 777);
    marked(41, 777, '-'.repeat(36));
    runs(42, 778);
    writeFileSync(join(marks, '42'), '');
    expect(busy()).toEqual([]);
    expect([41, 42].filter(isKept)).toEqual([41, 42]);
  });
});
