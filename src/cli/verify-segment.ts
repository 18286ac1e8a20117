/**
 * `verify --file` of an archived segment on its own.
 *
 * Its records must be whole, follow each other, and be those that its name says. Which record comes before, and which
 * is the last, is told by hash, to be compared with the segments around it.
 */
import { chainOf } from '../../store/journal/chain.ts';
import { readExport } from '../../store/journal/export.ts';
import type { Tail } from '../../store/journal/journal-storage.ts';
import { Misfit } from '../../store/journal/replay.ts';
import type { Segment } from '../../store/journal/segments.ts';
import type { Damaged } from '../../store/journal/verify.ts';
import type { Outcome } from '../exit.ts';
import type { Output } from './output.ts';

/** A segment in which everything fits: the record that comes before it, and its last one. */
export type SoundSegment = { readonly kind: 'sound'; readonly before: Tail; readonly tail: Tail };

/** Damage is an answer. Throws what reading the file throws. */
export async function verifySegment({ file, first, last }: Segment): Promise<SoundSegment | Damaged> {
  try {
    const { before, tail } = await chainOf(readExport(file));
    if (before === null || tail === null) throw new Misfit('there is no record', { seq: first });
    if (before.seq !== first - 1) throw new Misfit(`it begins with record ${before.seq + 1}`, { seq: first });
    if (tail.seq !== last)
      throw new Misfit(`it ends with record ${tail.seq}`, { seq: Math.min(tail.seq, last) + 1 });
    return { kind: 'sound', before, tail };
  } catch (error) {
    if (!(error instanceof Misfit)) throw error;
    return { kind: 'damaged', reason: error.message, firstBad: error.seq };
  }
}

/** Tells what was found. */
export function showSegment(out: Output, { file }: Segment, { before, tail }: SoundSegment): Outcome {
  out.line(`${file} is whole: records ${before.seq + 1} to ${tail.seq}, each follows the one before`);
  out.line(`record ${before.seq}, before it, must be ${before.hash}`);
  out.line(`record ${tail.seq}, its last, is ${tail.hash}`);
  return 'ok';
}
