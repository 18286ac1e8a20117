/**
 * kill -9 before each call of the file system that moves records into segments: every record is where it was or in a
 * segment, and the same once more does the rest.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { StoredRecord } from '../../../events/record.ts';
import { archive, journalIn, readAll, text, verdictOn } from './archive-fixture.ts';
import { makeTempFolder } from './journal-folder.ts';

const PROGRAM = fileURLToPath(new URL('./archiver.ts', import.meta.url));
/** Fewer would mean that calls are not seen. */
const CALLS_MIN = 30;
const ALL_MS_MAX = 180_000;

/** Archives, and answers whether it was killed at that call; not when it ended before. */
async function killedAt(dir: string, call: number): Promise<boolean> {
  const program = spawn(process.execPath, [PROGRAM, dir, String(call)], { stdio: 'inherit' });
  const [status, signal] = await once(program, 'exit');
  expect([status, signal]).toBeOneOf([
    [0, null],
    [null, 'SIGKILL'],
  ]);
  return signal === 'SIGKILL';
}

async function expectAll(dir: string, records: readonly StoredRecord[]): Promise<void> {
  expect(await verdictOn(dir)).toMatchObject({ kind: 'sound' });
  expect(text(await readAll(dir))).toEqual(text(records));
}

test('killed at whichever call, it has lost nothing, and is done by the next', {
  timeout: ALL_MS_MAX,
}, async () => {
  const before = makeTempFolder();
  const records = await journalIn(before);
  let call = 1;
  for (let isKilled = true; isKilled; call += 1) {
    const dir = makeTempFolder();
    cpSync(before, dir, { recursive: true });
    isKilled = await killedAt(dir, call);
    await expectAll(dir, records);
    await archive(dir, 11);
    await expectAll(dir, records);
    expect(readdirSync(join(dir, 'archive'))).toHaveLength(3);
    expect(existsSync(join(dir, 'archiving'))).toBe(false);
  }
  expect(call).toBeGreaterThan(CALLS_MIN);
});
