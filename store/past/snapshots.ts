/**
 * Snapshots: what a journal folds to at some of its records, so that the past need not be folded from the first one.
 *
 * They lie beside the journal, are made while it is read, and can be thrown away at any time. One is only used if
 * it is whole (its digest), of this fold, and stands on the very record that the journal has there (number and
 * hash); otherwise it is as good as none. Nobody who verifies a journal goes by them.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '../../events/digest.ts';
import type { StoredRecord } from '../../events/record.ts';
import { FOLD_VERSION } from '../journal/journal-storage.ts';
import { type End, isBeyond } from './moment.ts';
import type { Kept, Past } from './past.ts';

/** Records between two snapshots: to fold so many takes about as long as to read one. */
const SPACING_RECORDS_MIN = 25_000;
/** The same for each device in a snapshot, which so takes a tenth of the room of what lies between. */
const SPACING_RECORDS_PER_DEVICE = 10;
/** With more devices none are made: one must fit in a string. */
const DEVICES_MAX = 200_000;
const FORMAT = 1;
/** `<seq>-<latest time in ms>.json` */
const NAME = /^([1-9][0-9]*)-([0-9]+)\.json$/;

type Named = { readonly file: string; readonly seq: number; readonly latestMs: number };

/** The record of the journal with this number, to hold a snapshot against. */
export type RecordAt = (seq: number) => StoredRecord | undefined;

export class Snapshots {
  readonly #dir: string;
  readonly #spacingMin: number;
  readonly #known: readonly Named[];
  #lastSeq = 0;
  #writable = true;

  /** `dir` need not be there yet; `spacingMin` is in records. */
  constructor(dir: string, spacingMin = SPACING_RECORDS_MIN) {
    this.#dir = dir;
    this.#spacingMin = spacingMin;
    this.#known = namesIn(dir);
  }

  /** The latest one that lies before all of the ends and fits the journal; undefined if there is none. */
  latest(ends: readonly End[], recordAt: RecordAt): Kept | undefined {
    for (const named of this.#known) {
      if (ends.some((end) => isBeyond(end, named.seq, named.latestMs))) continue;
      const kept = read(join(this.#dir, named.file));
      if (kept === undefined || recordAt(kept.tail.seq)?.hash !== kept.tail.hash) continue;
      this.#lastSeq = kept.tail.seq;
      return kept;
    }
    return undefined;
  }

  /** Keeps the past, if the last snapshot is far enough behind; where that cannot be done, it is not. */
  offer(past: Past): void {
    const { tail, devices } = past.replay;
    const spacing = Math.max(this.#spacingMin, SPACING_RECORDS_PER_DEVICE * devices.size);
    if (!this.#writable || tail.seq - this.#lastSeq < spacing || devices.size > DEVICES_MAX) return;
    this.#lastSeq = tail.seq;
    if (this.#known.some(({ seq }) => seq > tail.seq - spacing && seq <= tail.seq)) return;
    try {
      write(this.#dir, past.kept());
    } catch {
      // Without the right or the room to keep any, the past is folded from where it can be.
      this.#writable = false;
    }
  }
}

/** The latest first. */
function namesIn(dir: string): readonly Named[] {
  return filesIn(dir)
    .flatMap((file) => {
      const [, seq, latestMs] = NAME.exec(file) ?? [];
      return seq === undefined ? [] : [{ file, seq: Number(seq), latestMs: Number(latestMs) }];
    })
    .sort((a, b) => b.seq - a.seq);
}

function filesIn(dir: string): readonly string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}

/** The digest of the rest, a newline, the rest. */
function write(dir: string, kept: Kept): void {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const body = Buffer.from(JSON.stringify({ format: FORMAT, fold: FOLD_VERSION, kept }));
  const file = join(dir, `${kept.tail.seq}-${kept.latestMs}.json`);
  const beside = `${file}.${process.pid}`;
  try {
    writeFileSync(beside, Buffer.concat([Buffer.from(`${sha256(body)}\n`), body]), { mode: 0o600 });
    renameSync(beside, file);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
}

/** undefined for one that is not whole, or of another fold. */
function read(file: string): Kept | undefined {
  try {
    const bytes = readFileSync(file);
    const end = bytes.indexOf('\n');
    const body = bytes.subarray(end + 1);
    if (end === -1 || sha256(body) !== bytes.toString('latin1', 0, end)) return undefined;
    const { format, fold, kept } = JSON.parse(body.toString());
    return format === FORMAT && fold === FOLD_VERSION ? kept : undefined;
  } catch {
    return undefined;
  }
}
