/**
 * Asks another process whether a journal is sound, and survives when that one does not.
 *
 * What kills or stalls the program journal-check.ts would have killed or stalled the agent:
 * both are damage. Only a journal of which nothing was ever written is absent.
 */
import { type ExecFileException, execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import { siblingOf } from '../../events/sibling.ts';
import type { Checked, Newer } from './journal-check.ts';
import { dataFile } from './journal-files.ts';
import type { Tail } from './journal-storage.ts';
import { newer } from './schema.ts';
import type { Damaged, Verified } from './verify.ts';

/**
 * How long the check before opening may take. It reads a bounded number of records, in milliseconds; but while a machine
 * boots with all its guests, a process may get little of it, and a sound journal must not be called damaged for that.
 */
const CHECK_MS_MAX = 300_000;
const PROGRAM = siblingOf(import.meta.filename, 'journal-check');

export type Absent = { readonly kind: 'absent' };

/** The check before opening: what an agent reads when it starts, and the end of the chain. */
export function checkJournal(dir: string): Promise<Absent | Checked | Damaged> {
  return probe<Checked>(dir, [dir], CHECK_MS_MAX);
}

/** The whole journal, as verify.ts checks it, in which the `expected` records must be; takes as long as it takes. */
export function verifyJournalFiles(
  dir: string,
  expected: readonly Tail[] = [],
): Promise<Absent | Verified | Damaged> {
  return probe<Verified>(dir, [dir, '--full', JSON.stringify(expected)], 0);
}

/** Throws when the journal could not be looked at, e.g. without the right to read it; JournalRefused for a newer one. */
async function probe<Sound extends Checked | Verified>(
  dir: string,
  args: string[],
  timeout: number,
): Promise<Absent | Sound | Damaged> {
  const file = statSync(dataFile(dir), { throwIfNoEntry: false });
  if (file === undefined) return { kind: 'absent' };
  if (file.size === 0) return damaged(`${dataFile(dir)} is empty`);
  const { error, stdout, stderr } = await run(args, timeout);
  if (error === null) {
    const found = JSON.parse(stdout) as Sound | Damaged | Newer;
    if (isNewer(found)) throw newer(dir, found.schema);
    return found;
  }
  if (error.killed) return damaged(`reading it did not end within ${timeout} ms`);
  if (typeof error.signal === 'string') return damaged(`reading it ended in ${error.signal}`);
  throw new Error(`cannot check the journal in ${dir}: ${stderr.trim() || error.message}`, { cause: error });
}

function isNewer<F extends { readonly kind: string }>(found: F | Newer): found is Newer {
  return found.kind === 'newer';
}

function damaged(reason: string): Damaged {
  return { kind: 'damaged', reason, firstBad: null };
}

type Ended = { readonly error: ExecFileException | null; readonly stdout: string; readonly stderr: string };

function run(args: string[], timeout: number): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [PROGRAM, ...args],
      { timeout, killSignal: 'SIGKILL' },
      (error, stdout, stderr) => resolve({ error, stdout, stderr }),
    );
  });
}
