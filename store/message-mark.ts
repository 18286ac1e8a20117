/**
 * What a cursor remembers of the message it stands at, to know it again.
 *
 * A stream that was put back may give its number to another message; and to the very same one, published once more, with
 * others before it that were never read. So when it was stored counts too, where the stream keeps that.
 */
import { sha256 } from '../events/digest.ts';
import type { Cursor } from '../events/fact.ts';
import type { Message } from '../events/stream.ts';

/** The digest of the message as it is stored. */
export function markOf({ data, storedAt }: Message): string {
  return sha256(storedAt === undefined ? data : Buffer.concat([Buffer.from(`${storedAt}\n`), data]));
}

/** True if this is the message at which the cursor stands. Cursors of the first version remember its data alone. */
export function isAt({ digest }: Cursor, message: Message): boolean {
  return digest === markOf(message) || digest === sha256(message.data);
}
