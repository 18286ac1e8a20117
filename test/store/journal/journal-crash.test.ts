/**
 * kill -9 in the middle of appending: what was reported as durable is there afterwards.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { Journal } from '../../../store/journal/journal.ts';
import { openJournal } from '../../../store/journal/journal-lmdb.ts';
import { verifyJournalFiles } from '../../../store/journal/probe.ts';
import { makeStamp, OWN } from './journal-fixture.ts';
import { makeTempFolder } from './journal-folder.ts';

const WRITER = fileURLToPath(new URL('./journal-writer.ts', import.meta.url));

/** Runs the writer, kills it after so many lines, and answers with all that it said. */
async function killAfter(dir: string, linesMin: number): Promise<readonly string[]> {
  const writer = spawn(process.execPath, [WRITER, dir], { stdio: ['ignore', 'pipe', 'inherit'] });
  const said: string[] = [];
  for await (const line of createInterface(writer.stdout)) {
    said.push(line);
    if (said.length === linesMin) writer.kill('SIGKILL');
  }
  if (writer.signalCode === null) await once(writer, 'exit');
  expect(writer.signalCode).toBe('SIGKILL');
  return said;
}

function linesOf(journal: Journal): readonly string[] {
  return journal.read(0, Number.MAX_SAFE_INTEGER).map(({ seq, hash }) => `${seq} ${hash}`);
}

test('a writer that is killed again and again loses nothing that it reported', async () => {
  const dir = makeTempFolder();
  let reported: readonly string[] = [];
  for (const linesMin of [1, 23, 57, 101]) {
    reported = [...reported, ...(await killAfter(dir, linesMin))];
    expect(await verifyJournalFiles(dir)).toMatchObject({ kind: 'sound' });
    const journal = await openJournal({ ...OWN, dir, stamp: makeStamp() });
    expect(linesOf(journal)).toEqual(expect.arrayContaining([...reported]));
    await journal.close();
  }
  expect(reported.length).toBeGreaterThanOrEqual(1 + 23 + 57 + 101);
});
