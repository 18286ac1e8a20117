/**
 * The records that were moved out of a journal's file, read as if they were still in it.
 *
 * One segment at a time is unpacked and kept. Whether records follow each other is for whoever reads them; that each is
 * where it must be, and can be unpacked, is found out here.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { sha256 } from '../../events/digest.ts';
import type { StoredRecord } from '../../events/record.ts';
import type { Tail } from './journal-storage.ts';
import { Misfit } from './replay.ts';
import { type Segment, segmentsIn } from './segments.ts';

/** Most bytes that a segment is unpacked to; what is written has far fewer. */
const UNPACKED_BYTES_MAX = 256 * 1024 * 1024;
const NEWLINE = 0x0a;

type Unpacked = { readonly first: number; readonly lines: readonly Uint8Array[] };

export class Archive {
  /** The last record that was moved; 0 and NO_RECORD when none was. */
  readonly tail: Tail;
  readonly #folder: string;
  #unpacked: Unpacked | undefined;

  constructor(folder: string, tail: Tail) {
    this.#folder = folder;
    this.tail = tail;
  }

  /** Up to `limit` of them with a sequence greater than `after`. Throws Misfit when one is not there. */
  read(after: number, limit: number): readonly StoredRecord[] {
    const end = Math.min(this.tail.seq, after + limit);
    const records: StoredRecord[] = [];
    for (let seq = after + 1; seq <= end; seq += 1) records.push(this.#record(seq));
    return records;
  }

  #record(seq: number): StoredRecord {
    const bytes = this.#line(seq) ?? this.#unpack(seq);
    return { seq, bytes, hash: sha256(bytes) };
  }

  #line(seq: number): Uint8Array | undefined {
    return this.#unpacked?.lines[seq - this.#unpacked.first];
  }

  #unpack(seq: number): Uint8Array {
    const { file, first } = this.#segmentWith(seq);
    this.#unpacked = { first, lines: linesIn(unpacked(file, seq)) };
    const line = this.#line(seq);
    if (line === undefined) throw new Misfit(`record ${seq} is missing in ${file}`, { seq });
    return line;
  }

  #segmentWith(seq: number): Segment {
    const found = segmentsIn(this.#folder).find(
      ({ first, last }) => first <= seq && seq <= last && last <= this.tail.seq,
    );
    if (found !== undefined) return found;
    const message = `record ${seq} was archived, and no segment in ${this.#folder} has it: put that file back`;
    throw new Misfit(message, { seq });
  }
}

function unpacked(file: string, seq: number): Buffer {
  const packed = readFileSync(file);
  try {
    return gunzipSync(packed, { maxOutputLength: UNPACKED_BYTES_MAX });
  } catch (cause) {
    throw new Misfit(`record ${seq} cannot be unpacked from ${file}`, { seq, cause });
  }
}

function linesIn(text: Buffer): readonly Uint8Array[] {
  const lines: Uint8Array[] = [];
  let start = 0;
  for (let end = text.indexOf(NEWLINE); end !== -1; end = text.indexOf(NEWLINE, start)) {
    lines.push(text.subarray(start, end));
    start = end + 1;
  }
  if (start < text.length) lines.push(text.subarray(start));
  return lines;
}
