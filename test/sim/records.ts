/**
 * What a machine's disk, and the observed stream, have of its journal.
 */
import { sha256 } from '../../events/digest.ts';
import { type DecodedRecord, decodeRecord, type StoredRecord } from '../../events/record.ts';
import { parseWitness } from '../../store/witness.ts';
import type { ServerStream } from './server-stream.ts';

const known = new WeakMap<Uint8Array, DecodedRecord>();

/** A record of a disk, read once however often it is asked for. */
export function recordOf({ bytes }: StoredRecord): DecodedRecord {
  const before = known.get(bytes);
  if (before !== undefined) return before;
  const decoded = decodeRecord(bytes);
  known.set(bytes, decoded);
  return decoded;
}

/** Id of the journal of a machine. */
export function journalOf(machine: string): string {
  return `journal-of-${machine}`;
}

/** Number and hash of each record of the machine's journal that the stream has, in its order. */
export function recordsOf(
  machine: string,
  observed: ServerStream,
): readonly { readonly seq: number; readonly hash: string }[] {
  const mine = observed.all().filter(({ id }) => id?.startsWith(`${journalOf(machine)}-`));
  return mine.map(({ id, data }) => ({ seq: parseWitness(id)?.seq ?? 0, hash: sha256(data) }));
}
