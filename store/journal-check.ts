/**
 * A program: looks at a journal and prints what it finds as one line of JSON.
 *
 *   node store/journal-check.ts [--full] DIR
 *
 * It runs in a process of its own, by way of probe.ts, since a damaged LMDB file can kill
 * the process that reads it. Without --full it reads what an agent reads when it opens the
 * journal and loads as little as it can; with --full it is verify.ts on the whole of it.
 */
import { statSync } from 'node:fs';
import { constants } from 'node:os';
import { sha256 } from '../events/digest.ts';
import { dataFile, type JournalFiles, openFiles, STATE } from './journal-files.ts';
import type { Tail } from './journal-storage.ts';
import type { Damaged, Verified } from './verify.ts';

/** How many records of the log's end are checked before a journal is opened. */
const TAIL_RECORDS_MAX = 1000;

export type Checked = { readonly kind: 'sound'; readonly tail: Tail };

class Damage extends Error {
  readonly firstBad: number | null;

  constructor(firstBad: number | null, reason: string) {
    super(reason);
    this.firstBad = firstBad;
  }
}

async function check(dir: string, full: boolean): Promise<Checked | Verified | Damaged> {
  try {
    const files = openFiles(dir, true);
    assertWholeFile(dir, files);
    return full ? await verify(files) : { kind: 'sound', tail: checkEnd(files) };
  } catch (error) {
    if (isCircumstance(error)) throw error;
    const firstBad = error instanceof Damage ? error.firstBad : null;
    return { kind: 'damaged', reason: error instanceof Error ? error.message : String(error), firstBad };
  }
}

/** What says something about this process's rights and means, and nothing about the journal. */
function isCircumstance(error: unknown): boolean {
  const { EACCES, EPERM, EROFS, ENOMEM, EMFILE, ENFILE, ENOSPC } = constants.errno;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return [EACCES, EPERM, EROFS, ENOMEM, EMFILE, ENFILE, ENOSPC].some((errno) => errno === code);
}

async function verify(files: JournalFiles): Promise<Verified | Damaged> {
  const [{ verifyJournal }, { LmdbStorage }] = await Promise.all([
    import('./verify.ts'),
    import('./lmdb-storage.ts'),
  ]);
  return verifyJournal(new LmdbStorage(files));
}

/** Nothing is ever deleted from a journal, so the file reaches to the last page that LMDB ever used. */
function assertWholeFile(dir: string, files: JournalFiles): void {
  const { lastPageNumber, pageSize } = files.root.getStats() as { lastPageNumber: number; pageSize: number };
  const expected = (lastPageNumber + 1) * pageSize;
  const { size } = statSync(dataFile(dir));
  if (size < expected)
    throw new Damage(null, `the file has ${size} bytes of at least ${expected}: it was cut short`);
}

function checkEnd(files: JournalFiles): Tail {
  const state = files.positions.get(STATE);
  if (state === undefined) throw new Damage(null, 'its projections are missing');
  assertContiguous(files, state.tail.seq);
  assertChained(files, state.tail);
  for (const { key, value } of files.devices.getRange()) {
    if (value.version <= state.tail.seq) continue;
    throw new Damage(
      null,
      `the projection of ${key} is of record ${value.version}, beyond the end of the log`,
    );
  }
  return state.tail;
}

/** `last` keys between 1 and `last` leave no room for a gap. */
function assertContiguous(files: JournalFiles, last: number): void {
  const { log } = files;
  const [end] = log.getKeys({ reverse: true, limit: 1 });
  if (end === last && log.getKeysCount() === last) return;
  let expected = 1;
  for (const key of log.getKeys()) {
    if (key !== expected) throw new Damage(expected, `record ${expected} is missing, ${key} comes next`);
    expected += 1;
  }
  throw new Damage(expected, `the log ends at record ${expected - 1}, its projections at ${last}`);
}

function assertChained(files: JournalFiles, tail: Tail): void {
  let { hash } = tail;
  let seq = tail.seq;
  const range = files.log.getRange({ start: seq, reverse: true, limit: TAIL_RECORDS_MAX });
  for (const { key, value } of range) {
    if (key !== seq || sha256(value) !== hash)
      throw new Damage(seq, `record ${seq} was changed: its hash is not the one recorded`);
    const record: { seq: number; prev: string } = JSON.parse(Buffer.from(value).toString());
    if (record.seq !== seq) throw new Damage(seq, `record ${seq} says that it is record ${record.seq}`);
    hash = record.prev;
    seq -= 1;
  }
}

const args = process.argv.slice(2);
const dir = args.find((one) => one !== '--full');
if (dir === undefined) throw new Error('usage: journal-check.ts [--full] DIR');
console.log(JSON.stringify(await check(dir, args.includes('--full'))));
