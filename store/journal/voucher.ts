/**
 * A program for a thread of its own: says whether every record of a journal up to one of them follows the one before
 * it by number and by hash, and is, but for its fact, in the form in which records are written.
 *
 * It reads the file itself, so that the thread that folds the records is not held up. See vouched.ts.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { sha256 } from '../../events/digest.ts';
import { NO_RECORD } from '../../events/record.ts';
import { frameOf } from '../../events/record-quick.ts';
import { type JournalFiles, openFiles } from './journal-files.ts';

/** The journal in `dir`, from its first record to the one with the number `last`. */
export type Vouching = { readonly dir: string; readonly last: number };

function isSound({ log }: JournalFiles, last: number): boolean {
  let hash = NO_RECORD;
  for (let seq = 1; seq <= last; seq += 1) {
    const value = log.getBinaryFast(seq);
    if (value === undefined) return false;
    const bytes = value.subarray(0, value.length);
    const frame = frameOf(bytes);
    if (frame?.seq !== seq || frame.prev !== hash) return false;
    hash = sha256(bytes);
  }
  return true;
}

const { dir, last } = workerData as Vouching;
const files = openFiles(dir, true);
const sound = isSound(files, last);
await files.root.close();
parentPort?.postMessage(sound);
