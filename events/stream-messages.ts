/**
 * All messages of a stream, read a batch at a time.
 */
import type { Message, Stream } from './stream.ts';

/** Messages read at a time. */
const BATCH_MESSAGES_MAX = 256;

/** Every message after `after` that the filter takes, in order, up to the end. Throws StreamUnavailable. */
export async function* messagesOf(stream: Stream, filter: string, after = 0): AsyncGenerator<Message> {
  for (let from = after; ; ) {
    const batch = await stream.next(filter, from, BATCH_MESSAGES_MAX);
    const last = batch.at(-1);
    if (last === undefined) return;
    yield* batch;
    from = last.sequence;
  }
}
