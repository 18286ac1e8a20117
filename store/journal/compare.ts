/**
 * A journal against what the fleet was told of it.
 *
 * The stream may have records twice, late, or not at all: each that it has must be the journal's own. Holds one
 * hash of 32 bytes for each record.
 */
import type { StoredRecord } from '../../events/record.ts';
import type { Tail } from './journal-storage.ts';

export type Compared = {
  /** The first record that is another one in the stream; null when there is none. */
  readonly differs: number | null;
  /** The last record of the journal that the stream has; 0 when it has none. */
  readonly reaches: number;
  /** The first record up to there that the stream does not have; null when it has them all. */
  readonly missing: number | null;
};

/** Compares; `told` are numbers and hashes as the stream has them, in any order. Throws what reading either throws. */
export async function compareWith(
  records: AsyncIterable<StoredRecord> | Iterable<StoredRecord>,
  told: AsyncIterable<Tail>,
): Promise<Compared> {
  const hashes: Buffer[] = [];
  for await (const { hash } of records) hashes.push(Buffer.from(hash, 'hex'));
  const seen = new Uint8Array(hashes.length);
  let differs: number | null = null;
  let reaches = 0;
  for await (const { seq, hash } of told) {
    if (hashes[seq - 1]?.toString('hex') !== hash) differs = Math.min(differs ?? seq, seq);
    else seen[seq - 1] = 1;
    reaches = Math.max(reaches, seq);
  }
  const missing = seen.indexOf(0) + 1;
  return { differs, reaches, missing: missing > 0 && missing < reaches ? missing : null };
}
