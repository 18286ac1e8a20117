/**
 * `verify`: a host's journal, or an exported one, against itself, against what was signed, and against what the fleet
 * was told.
 *
 * A journal is read in a process that can be spared. An exported one needs nothing but its file and the host's
 * public key: no network, and none of this program's folders.
 */

import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { messageOf } from '../../events/message-of.ts';
import { isSignedBy, type Note, nameOfKey, parseNote } from '../../store/journal/checkpoint.ts';
import { readExport } from '../../store/journal/export.ts';
import { verifyJournalFiles } from '../../store/journal/probe.ts';
import { type Segment, segmentNamed } from '../../store/journal/segments.ts';
import { type Damaged, verifyRecords } from '../../store/journal/verify.ts';
import { journalFolder, required, type Settings } from '../config.ts';
import { Failure, type Outcome } from '../exit.ts';
import { compareWithStream, type Found, type Place } from './compare.ts';
import { guarded } from './guarded.ts';
import type { Output } from './output.ts';
import type { Invocation, Verb } from './verb.ts';
import { showSegment, verifySegment } from './verify-segment.ts';

/** What is known from elsewhere. */
type Known = { readonly note: Note | null; readonly key: string | null };

/** Only to compare its records is a journal read in this process. */
export const verify: Verb = guarded(
  run,
  ({ flags }) => flags['againstStream'] === true && flags['file'] === undefined,
);

async function run(invocation: Invocation): Promise<Outcome> {
  const { file } = invocation.flags;
  const segment = typeof file === 'string' ? segmentNamed(file) : undefined;
  return segment === undefined || segment.first === 1
    ? runOnJournal(invocation)
    : runOnSegment(invocation, segment);
}

async function runOnSegment({ flags, out }: Invocation, segment: Segment): Promise<Outcome> {
  const { file } = segment;
  const place: Place = { name: `the segment ${file}`, file, dir: null };
  const found = await verifySegment(segment).catch((cause: unknown) => {
    throw unreadable('the segment', file, cause);
  });
  if (flags['json'] === true) out.json({ ...place, ...found });
  if (found.kind === 'damaged') throw damaged(place, found.reason);
  return flags['json'] === true ? 'ok' : showSegment(out, segment, found);
}

async function runOnJournal({ settings, flags, out }: Invocation): Promise<Outcome> {
  const place = placeOf(settings, flags['file']);
  const known = { note: noteIn(flags['checkpoint']), key: keyIn(flags['publicKey']) };
  assertSigned(known, out);
  const verdict = await verdictOn(place, known);
  if (verdict.kind === 'damaged') {
    await assertOfThis(place, known);
    if (flags['json'] === true) out.json({ ...place, ...verdict });
    throw damaged(place, verdict.reason);
  }
  assertSame(place, verdict, known);
  const told = flags['againstStream'] === true ? await compareWithStream(settings, place, verdict) : null;
  if (flags['json'] === true) out.json({ ...place, ...verdict, told });
  else for (const line of linesOf(place, verdict, told?.reaches ?? verdict.forwarded)) out.line(line);
  for (const warning of warningsOf(verdict, known)) out.warn(warning);
  return 'ok';
}

function placeOf(settings: Settings, file: unknown): Place {
  if (typeof file === 'string') return { name: `the journal in ${file}`, file, dir: null };
  const host = required(settings, 'host');
  const dir = journalFolder(required(settings, 'data'), host);
  return { name: `the journal of host ${host} in ${dir}`, file: null, dir };
}

async function verdictOn({ name, file, dir }: Place, { note }: Known): Promise<Found | Damaged> {
  const expected = note === null ? [] : [note.head];
  if (file !== null) return verdictOnFile(file, expected);
  const found = await verifyJournalFiles(dir ?? '', expected);
  if (found.kind !== 'absent') return found;
  throw new Failure(`verifying ${name}: there is none`, {
    outcome: 'usage',
    wayOut: 'check --host and --data',
  });
}

async function verdictOnFile(
  file: string,
  expected: Parameters<typeof verifyRecords>[1],
): Promise<Found | Damaged> {
  const found = await verifyRecords(readExport(file), expected).catch((cause: unknown) => {
    throw unreadable('the exported journal', file, cause);
  });
  return found.kind === 'damaged' ? found : { ...found, forwarded: null };
}

function noteIn(file: unknown): Note | null {
  if (typeof file !== 'string') return null;
  const note = parseNote(textOf('the checkpoint', file));
  if (note !== undefined) return note;
  throw new Failure(`reading the checkpoint ${file}: it is none`, {
    outcome: 'input',
    wayOut: 'give --checkpoint a file with what `mdevfleet checkpoint` printed, as it was',
  });
}

function keyIn(file: unknown): string | null {
  if (typeof file !== 'string') return null;
  const pem = textOf('the public key', file);
  try {
    return nameOfKey(createPublicKey(pem));
  } catch (cause) {
    throw new Failure(`reading the public key ${file}: it is none`, {
      outcome: 'input',
      wayOut: 'give --public-key a file with what `mdevfleet checkpoint --public-key` printed',
      cause,
    });
  }
}

function textOf(what: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw unreadable(what, file, cause);
  }
}

function unreadable(what: string, file: string, cause: unknown): Failure {
  const message = messageOf(cause);
  return new Failure(`reading ${what} ${file}: ${message}`, {
    outcome: 'input',
    wayOut: 'give the path of a file that mdevfleet wrote',
    cause,
  });
}

function assertSigned({ note, key }: Known, out: Output): void {
  if (note === null) return;
  if (key === null) return out.warn('who signed the checkpoint is not known: give --public-key, too');
  if (!isSignedBy(note, key))
    throw new Failure(
      `verifying the checkpoint of record ${note.head.seq}: it is not signed with the key that is given`,
      {
        outcome: 'damaged',
        wayOut: "give the host's public key as it was when the checkpoint was made",
      },
    );
}

/** That a checkpoint of another journal does not fit is no damage. */
async function assertOfThis(place: Place, known: Known): Promise<void> {
  if (known.note === null) return;
  const alone = await verdictOn(place, { ...known, note: null });
  if (alone.kind !== 'damaged') assertSame(place, alone, known);
}

function assertSame(place: Place, { host, journal, signings }: Found, { note, key }: Known): void {
  if (note !== null && (note.head.host !== host || note.head.journal !== journal)) {
    throw new Failure(
      `verifying ${place.name}: it is journal ${journal} of host ${host}, and the checkpoint is of journal ${note.head.journal} of host ${note.head.host}`,
      { outcome: 'foreign', wayOut: 'give a checkpoint of this journal' },
    );
  }
  const others = signings.length > 0 && signings.every(({ publicKey }) => publicKey !== key);
  if (key === null || !others) return;
  const first = signings[0]?.first;
  throw damaged(
    place,
    `its checkpoints, from record ${first} on, are signed with another key than the one that is given`,
  );
}

function damaged({ name }: Place, reason: string): Failure {
  return new Failure(`verifying ${name}: ${reason}`, {
    outcome: 'damaged',
    wayOut:
      'stop the agent of this host, keep what is there aside as it is, and restore the journal from a backup',
  });
}

function* linesOf({ name }: Place, found: Found, reaches: number | null): Generator<string> {
  const { host, journal, tail, devices, unknown, signings } = found;
  const newer = unknown === 0 ? '' : `, ${unknown} records of a newer program`;
  yield `${name} is whole: ${tail.seq} records, ${devices} devices${newer}`;
  yield `journal ${journal} of host ${host}, last record ${tail.hash}`;
  for (const { publicKey, first, last } of signings)
    yield `signed up to record ${last - 1} with key ${publicKey}, first in record ${first}`;
  if (reaches === null) return;
  const lost = Math.max(0, tail.seq - reaches);
  yield lost === 0
    ? 'the fleet has all of it'
    : `the fleet has it up to record ${reaches}: ${lost === 1 ? '1 record is' : `${lost} records are`} nowhere else`;
}

function* warningsOf({ tail, signings }: Found, { note, key }: Known): Generator<string> {
  if (signings.length === 0 && note === null)
    yield 'there is no checkpoint in it: that its end was not cut off, nor all of it written anew, is not shown';
  const [, another] = signings;
  if (another !== undefined)
    yield `from record ${another.first} on it is signed with another key: was the first one lost?`;
  const signed = signings.find(({ publicKey }) => publicKey === key);
  if (key !== null && signed !== undefined && signed.last < tail.seq)
    yield `nothing signed with the key that is given vouches for the records after ${signed.last}`;
}
