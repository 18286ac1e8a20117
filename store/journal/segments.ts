/**
 * Where the records lie that were moved out of a journal's file: packed exports, each with the numbers of its first
 * and last record for a name, in a folder beside it.
 *
 * The journal's file says up to which record they go. A segment that goes beyond is the rest of a move that did not
 * come to its end, and counts for nothing.
 */
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';

/** Digits in a name, so that the order of names is that of records; the log's keys have 32 bits. */
const DIGITS = 10;
const NAME = new RegExp(`^([0-9]{${DIGITS}})-([0-9]{${DIGITS}})\\.ndjson\\.gz$`);

export type Segment = { readonly file: string; readonly first: number; readonly last: number };

/** The folder of the segments of the journal in `dir`. */
export function archiveFolder(dir: string): string {
  return join(dir, 'archive');
}

/** The path of a segment in the folder. */
export function segmentFile(folder: string, first: number, last: number): string {
  const [from, to] = [first, last].map((seq) => String(seq).padStart(DIGITS, '0'));
  return join(folder, `${from}-${to}.ndjson.gz`);
}

/** The segment that a file is by its name, if it is one. */
export function segmentNamed(file: string): Segment | undefined {
  const [, first, last] = NAME.exec(basename(file)) ?? [];
  if (first === undefined || last === undefined) return undefined;
  return { file, first: Number(first), last: Number(last) };
}

/** By their first records; none when the folder is not there. */
export function segmentsIn(folder: string): readonly Segment[] {
  return namesIn(folder)
    .flatMap((name) => segmentNamed(join(folder, name)) ?? [])
    .sort((a, b) => a.first - b.first);
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

/** The first record up to `last` that is in none of them; undefined when each is in one. */
export function firstMissing(segments: readonly Segment[], last: number): number | undefined {
  let due = 1;
  for (const segment of segments) {
    if (segment.last > last) continue;
    if (segment.first > due) break;
    due = Math.max(due, segment.last + 1);
  }
  return due > last ? undefined : due;
}
