/**
 * Events that the program could not read when they came, and can now: an upgrade has taught it their kind.
 *
 * The journal has noted each with its place in the stream and its digest. Which kinds were known when the
 * notes were last gone through stands beside the cursors, so that the log is read once for each upgrade.
 */
import { eventTypes } from '../events/codec.ts';
import { sha256 } from '../events/digest.ts';
import type { Cursor, FactOf } from '../events/fact.ts';
import { decodeRecord } from '../events/record.ts';
import type { Message, Stream } from '../events/stream.ts';
import { parseSubject } from '../events/subject.ts';
import type { CursorName, Journal } from './journal/journal.ts';

/** Records read at a time. */
const CHUNK_RECORDS_MAX = 1_000;
const NOTE = Buffer.from('"kind":"unsupported"');

/** What this program can read, as one string. */
const VOCABULARY = sha256(new TextEncoder().encode([...eventTypes()].sort().join()));

export type Reread = {
  readonly name: CursorName;
  readonly stream: Stream;
  readonly journal: Journal;
  readonly prefix: string;
  readonly pause: (delayMs: number) => Promise<void>;
};

/** True when the program knows other kinds than when the notes were last gone through. */
export function isRereadDue({ journal, name }: Pick<Reread, 'journal' | 'name'>): boolean {
  return journal.positions().vocabulary?.[name] !== VOCABULARY;
}

/** The position that says that the notes were gone through. */
export function rereadDone({ journal, name }: Pick<Reread, 'journal' | 'name'>) {
  return { vocabulary: { ...journal.positions().vocabulary, [name]: VOCABULARY } };
}

/**
 * The messages that can be read now, in order, as far as the stream still has them. A declaration is left out when a
 * later one of its UUID was taken meanwhile: what holds now is not undone. Throws StreamUnavailable.
 */
export async function* readableNow(reread: Reread, cursor: Cursor): AsyncGenerator<Message> {
  const known = new Set(eventTypes());
  for await (const note of notes(reread)) {
    if (!known.has(note.type) || note.sequence > cursor.sequence) continue;
    const message = await reread.stream.at(note.sequence);
    const isSame = message?.subject === note.subject && sha256(message.data) === note.digest;
    if (isSame && !isOvertaken(reread, message, cursor)) yield message;
  }
}

async function* notes({ journal, name, pause }: Reread): AsyncGenerator<FactOf<'unsupported'>> {
  for (let after = 0; ; ) {
    const records = journal.read(after, CHUNK_RECORDS_MAX);
    for (const { bytes } of records) {
      if (!Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(NOTE)) continue;
      const { fact } = decodeRecord(bytes);
      if (fact?.kind === 'unsupported' && fact.stream === name) yield fact;
    }
    const last = records.at(-1);
    if (last === undefined || records.length < CHUNK_RECORDS_MAX) return;
    after = last.seq;
    // A long log is not read in one turn of the event loop.
    await pause(0);
  }
}

function isOvertaken(
  { journal, name, prefix }: Reread,
  { subject, sequence }: Message,
  { epoch }: Cursor,
): boolean {
  const uuid = parseSubject(prefix, subject)?.uuid;
  if (name !== 'desired' || !uuid) return false;
  const { desired, refused } = journal.latest(uuid);
  return [desired, refused].some(
    (one) => one?.generation.epoch === epoch && one.generation.sequence > sequence,
  );
}
