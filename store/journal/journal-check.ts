/**
 * A program: looks at a journal and prints what it finds as one line of JSON.
 *
 *   node store/journal/journal-check.ts DIR
 *   node store/journal/journal-check.ts DIR --full '[{"seq":…,"hash":…}…]'
 *
 * It runs in a process of its own, by way of probe.ts, since a damaged LMDB file can kill
 * the process that reads it. Without --full it reads what an agent reads when it opens the
 * journal and loads as little as it can; with --full it is verify.ts on the whole of it, in which those records
 * must be.
 */

import { statSync } from 'node:fs';
import { constants } from 'node:os';
import { sha256 } from '../../events/digest.ts';
import { messageOf } from '../../events/message-of.ts';
import {
  archivedIn,
  dataFile,
  isIntact,
  type JournalFiles,
  openFiles,
  STATE,
  statsOf,
} from './journal-files.ts';
import type { Tail } from './journal-storage.ts';
import { SCHEMA_VERSION, schemaOf } from './schema.ts';
import { archiveFolder, firstMissing, segmentsIn } from './segments.ts';
import type { Damaged, Verified } from './verify.ts';

/** How many records of the log's end are checked before a journal is opened. */
const TAIL_RECORDS_MAX = 1000;

export type Checked = { readonly kind: 'sound'; readonly tail: Tail };

/** Kept in a way that this program does not know; nothing more was read. */
export type Newer = { readonly kind: 'newer'; readonly schema: number };

class Damage extends Error {
  readonly firstBad: number | null;

  constructor(reason: string, firstBad: number | null = null) {
    super(reason);
    this.firstBad = firstBad;
  }
}

async function check(
  dir: string,
  expected: readonly Tail[] | null,
): Promise<Checked | Newer | Verified | Damaged> {
  try {
    const files = openFiles(dir, true);
    const schema = schemaOf(files);
    if (schema > SCHEMA_VERSION) return { kind: 'newer', schema };
    assertWholeFile(dir, files);
    return expected === null ? { kind: 'sound', tail: checkEnd(files) } : await verify(files, expected);
  } catch (error) {
    if (isCircumstance(error)) throw error;
    const firstBad = error instanceof Damage ? error.firstBad : null;
    return { kind: 'damaged', reason: messageOf(error), firstBad };
  }
}

/** What says something about this process's rights and means, and nothing about the journal. */
function isCircumstance(error: unknown): boolean {
  const { EACCES, EPERM, EROFS, ENOMEM, EMFILE, ENFILE, ENOSPC } = constants.errno;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return [EACCES, EPERM, EROFS, ENOMEM, EMFILE, ENFILE, ENOSPC].some((errno) => errno === code);
}

async function verify(files: JournalFiles, expected: readonly Tail[]): Promise<Verified | Damaged> {
  const [{ verifyJournal }, { LmdbStorage }, { followsOn }, { readVouched }] = await Promise.all([
    import('./verify.ts'),
    import('./lmdb-storage.ts'),
    import('./chain.ts'),
    import('./vouched.ts'),
  ]);
  const archived = archivedIn(files);
  const storage = new LmdbStorage(files);
  const known = archived.seq === 0 ? expected : [...expected, archived];
  const found = await readVouched(files.dir, files, (reader) => verifyJournal(reader, known));
  if (found.kind === 'sound' || found.firstBad === null || found.firstBad > archived.seq) return found;
  const rest = followsOn(storage, archived);
  return { ...found, reason: `${found.reason}. Of what is not archived, ${rest}` };
}

/** Nothing is ever deleted from a journal's file (what is archived is left out of a new one), so the file reaches to the last page that LMDB ever used. */
function assertWholeFile(dir: string, files: JournalFiles): void {
  const { lastPageNumber, pageSize } = statsOf(files.root);
  const expected = (lastPageNumber + 1) * pageSize;
  const { size } = statSync(dataFile(dir));
  if (size < expected)
    throw new Damage(`the file has ${size} bytes of at least ${expected}: it was cut short`);
}

function checkEnd(files: JournalFiles): Tail {
  const state = files.positions.get(STATE);
  if (state === undefined) throw new Damage('its projections are missing');
  if (!isIntact(state)) throw new Damage('its positions were changed');
  const archived = archivedIn(files);
  assertArchived(files, archived.seq);
  assertContiguous(files, archived.seq, state.tail.seq);
  assertChained(files, archived, state.tail);
  assertDevices(files, state.tail.seq);
  return state.tail;
}

/** Only by their names: what is in the segments is read when it is needed. */
function assertArchived({ dir }: JournalFiles, last: number): void {
  const folder = archiveFolder(dir);
  const seq = firstMissing(segmentsIn(folder), last);
  if (seq === undefined) return;
  throw new Damage(`record ${seq} was archived, and no segment in ${folder} has it: put that file back`, seq);
}

/** As many keys as there are numbers leave no room for a gap; the keys are only walked to name it. */
function assertContiguous(files: JournalFiles, archived: number, last: number): void {
  const { log } = files;
  const [end] = log.getKeys({ reverse: true, limit: 1 });
  if (end === last && statsOf(log).entryCount === last - archived) return;
  let expected = archived + 1;
  for (const key of log.getKeys()) {
    if (key !== expected) throw new Damage(`record ${expected} is missing, ${key} comes next`, expected);
    expected += 1;
  }
  throw new Damage(`the log ends at record ${expected - 1}, its projections at ${last}`, expected);
}

/** From the hash stored with the projections backwards, each record naming the hash of the one before. */
function assertChained(files: JournalFiles, archived: Tail, tail: Tail): void {
  const range = files.log.getRange({ start: tail.seq, reverse: true, limit: TAIL_RECORDS_MAX });
  let { seq, hash } = tail;
  for (const { key, value } of range) {
    if (key !== seq || sha256(value) !== hash)
      throw new Damage(`record ${seq} is not the one that was written`, seq);
    hash = JSON.parse(Buffer.from(value).toString()).prev;
    seq -= 1;
  }
  if (seq === archived.seq && hash !== archived.hash)
    throw new Damage(
      `record ${seq + 1}, the first that is not archived, was not written after record ${seq}`,
      seq + 1,
    );
  if (seq > Math.max(archived.seq, tail.seq - TAIL_RECORDS_MAX))
    throw new Damage(`record ${seq} cannot be found`, seq);
}

function assertDevices(files: JournalFiles, last: number): void {
  let devices = 0;
  for (const { key, value } of files.devices.getRange()) {
    if (value.version > last)
      throw new Damage(`what is known of ${key} is of a record beyond ${last}, the last`);
    devices += 1;
  }
  const { entryCount } = statsOf(files.devices);
  if (devices !== entryCount) throw new Damage(`${devices} of ${entryCount} devices can be read`);
}

const [dir, full, expected = '[]'] = process.argv.slice(2);
if (dir === undefined) throw new Error('usage: journal-check.ts DIR [--full RECORDS]');
console.log(JSON.stringify(await check(dir, full === '--full' ? JSON.parse(expected) : null)));
