/**
 * Moments of the past, and where in a journal each of them lies.
 *
 * A record's time is its host's wall clock, which can jump. So a journal is read in its own order, and a moment
 * ends before the first record of a later time: whatever is recorded afterwards, under whatever time, the state
 * at a moment that has passed stays the same.
 */
import { z } from 'zod';
import type { Generation } from '../../events/names.ts';
import type { StoredRecord } from '../../events/record.ts';

export type Moment =
  | { readonly kind: 'time'; readonly ms: number }
  /** After the record with this number of one journal. */
  | { readonly kind: 'seq'; readonly seq: number }
  /** After the record of this declaration. */
  | { readonly kind: 'generation'; readonly generation: Generation }
  /** After all that is known. */
  | { readonly kind: 'now' };

/** Where a moment lies in one journal. */
export type End =
  | { readonly kind: 'time'; readonly ms: number }
  /** `here`: in this journal and in no later one of the same host. */
  | { readonly kind: 'seq'; readonly seq: number; readonly here: boolean }
  | { readonly kind: 'now' };

const time = z.iso.datetime({ offset: true });
const SEQ = /^[1-9][0-9]{0,9}$/;
const GENERATION = /^([1-9][0-9]{0,9})\/([1-9][0-9]{0,15})$/;

/** `now`, a time of RFC 3339, a record's number, or `<epoch>/<sequence>` of a declaration; undefined for anything else. */
export function parseMoment(text: string): Moment | undefined {
  if (text === 'now') return { kind: 'now' };
  if (SEQ.test(text)) return { kind: 'seq', seq: Number(text) };
  const [, epoch, sequence] = GENERATION.exec(text) ?? [];
  if (epoch !== undefined) {
    return { kind: 'generation', generation: { epoch: Number(epoch), sequence: Number(sequence) } };
  }
  const ms = parseTime(text);
  return ms === undefined ? undefined : { kind: 'time', ms };
}

/** Milliseconds of a time of RFC 3339 with its zone; undefined for anything else. */
export function parseTime(text: string): number | undefined {
  return time.safeParse(text).success ? Date.parse(text) : undefined;
}

/** True for a record that comes after the end; `ms` is the latest time up to it in its journal. */
export function isBeyond(end: End, seq: number, ms: number): boolean {
  switch (end.kind) {
    case 'time':
      return ms > end.ms;
    case 'seq':
      return seq > end.seq;
    case 'now':
      return false;
    default:
      return end satisfies never;
  }
}

/** How every record of ours begins; the time is found without reading the rest. */
const HEAD = /^\{"seq":[0-9]+,"time":"([^"\\]*)"/;
const HEAD_BYTES_MAX = 96;

/** The time that a record says; an empty one if it says none. */
export function timeOf({ bytes }: StoredRecord): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, HEAD_BYTES_MAX));
  return HEAD.exec(text.toString('latin1'))?.[1] ?? timeInside(bytes);
}

function timeInside(bytes: Uint8Array): string {
  try {
    const { time } = JSON.parse(new TextDecoder().decode(bytes)) as { readonly time?: unknown };
    return typeof time === 'string' ? time : '';
  } catch {
    return '';
  }
}

/** The time in milliseconds; one that cannot be read is no later than any other. */
export function msOf(time: string): number {
  const ms = Date.parse(time);
  return Number.isNaN(ms) ? 0 : ms;
}
