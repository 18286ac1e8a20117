/**
 * What the emulated machine promises: programs run and are reported, a disk outlives the machine, and each way in which
 * a machine can end is told from the others. A harness that took a crash for a success would make every test green.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bootGuest } from './guest.ts';

const run = promisify(execFile);
let work: string;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'mdevfleet-guest-'));
});
afterAll(() => rm(work, { recursive: true, force: true }));

/** Opens the journal's database on the guest's disk: the one thing that a shared folder is no place for. */
function lmdb(script: string): readonly [string, ...string[]] {
  const start =
    "import { open } from 'lmdb'; const db = open({ path: '/guest/disk/db', overlappingSync: false });";
  return ['node', '--input-type=module', '--eval', `${start} ${script}; await db.close();`];
}

test('programs are reported, and a panic of the kernel is', async () => {
  const { ended, programs, complaints } = await bootGuest({
    work,
    disk: true,
    programs: [
      { name: 'three', argv: ['sh', '-c', 'echo out; echo err >&2; printf "no end of line"; exit 3'] },
      { name: 'words', argv: ['printf', '%s\n', "it's", '$HOME', ''], env: { WORD: 'a b' } },
      { name: 'late', argv: ['sleep', '100'], deadlineSeconds: 1 },
      { name: 'shared', argv: ['sh', '-c', 'echo from the guest >/guest/shared/note'] },
      { name: 'database', argv: lmdb("await db.put('key', 'kept')") },
      { name: 'panic', argv: ['sh', '-c', 'echo about to; echo c >/proc/sysrq-trigger'] },
      { name: 'never', argv: ['true'] },
    ],
  });
  expect(programs).toMatchObject([
    { name: 'three', status: 3, output: ['out', 'no end of line'], errors: 'err\n' },
    { name: 'words', status: 0, output: ["it's", '$HOME'] },
    { name: 'late', status: 137 },
    { name: 'shared', status: 0 },
    { name: 'database', status: 0, errors: '' },
    { name: 'panic', status: null, output: ['about to'] },
  ]);
  expect(programs).toHaveLength(6);
  expect(ended).toBe('panicked');
  expect(complaints.join('\n')).toContain('sysrq triggered crash');
  expect(await readFile(join(work, 'note'), 'utf8')).toBe('from the guest\n');
});

test('the disk is as it was at the crash, and the power can be cut', async () => {
  const power = new AbortController();
  const { ended, programs, complaints } = await bootGuest({
    work,
    disk: true,
    identity: { machineId: 'f'.repeat(32), dmiUuid: 'ffffffff-0000-4000-8000-000000000001' },
    driver: null,
    signal: power.signal,
    onLine: (_, line) => line === 'ready' && power.abort(),
    programs: [
      { name: 'database', argv: lmdb("console.log(db.get('key'))") },
      { name: 'identity', argv: ['cat', '/etc/machine-id', '/sys/class/dmi/id/product_uuid'] },
      { name: 'driver', argv: ['test', '-e', '/sys/class/mdevfleet'] },
      { name: 'wait', argv: ['sh', '-c', 'echo ready; exec sleep 1000'] },
    ],
  });
  expect(programs).toMatchObject([
    { name: 'database', status: 0, output: ['kept'] },
    { name: 'identity', output: ['f'.repeat(32), 'ffffffff-0000-4000-8000-000000000001'] },
    { name: 'driver', status: 1 },
    { name: 'wait', status: null, endedSeconds: null },
  ]);
  expect({ ended, complaints }).toEqual({ ended: 'cut', complaints: [] });
});

test('a machine that takes too long is ended', async () => {
  const { ended, programs } = await bootGuest({ work, deadlineMs: 500, programs: [] });
  expect({ ended, programs }).toEqual({ ended: 'overdue', programs: [] });
});

test('an emulator that fails says why', async () => {
  const programs = [{ name: 'none', argv: ['true'] }] as const;
  await expect(bootGuest({ work, programs, identity: { machineId: '', dmiUuid: 'wrong' } })).rejects.toThrow(
    /The emulator failed \(1\).*uuid/is,
  );
});

test('a case that fails is reported with its message and place', async () => {
  const module = join(work, 'failing.ts');
  const cases = `{ passes() {}, fails() { throw new Error('two are not three'); }, async passesToo() {} }`;
  await writeFile(module, `export const scenario = { module: import.meta.url, cases: ${cases} };`);
  const runner = join(import.meta.dirname, 'scenario-runner.ts');
  const { stdout } = await run(process.execPath, [runner, module]);
  const verdicts = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(verdicts).toEqual([
    { case: 'passes', failure: null },
    { case: 'fails', failure: expect.stringMatching(/^Error: two are not three\n[\s\S]*failing\.ts:1/) },
    { case: 'passesToo', failure: null },
  ]);
});
