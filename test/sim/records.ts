/**
 * What the observed stream has of a machine's journal.
 */
import { sha256 } from '../../events/digest.ts';
import { decodeRecord } from '../../events/record.ts';
import type { ServerStream } from './server-stream.ts';

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
  return mine.map(({ data }) => ({ seq: decodeRecord(data).envelope.seq, hash: sha256(data) }));
}
