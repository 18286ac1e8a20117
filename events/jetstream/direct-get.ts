/**
 * Direct get: the messages that follow a sequence, from whichever replica of the stream answers.
 *
 * A server from 2.11 on sends a batch and says where it ends; an older one sends one message, so
 * it is asked again and again. A message is known by the sequence that the server put on it, since
 * its publisher may have given it a status, or no content. A message that was lost on the way would
 * be missed for ever, so each must follow the one before.
 */
import { DirectMsgHeaders, PubHeaders } from '@nats-io/jetstream';
import { type Msg, NoRespondersError } from 'nats';
import type { Message } from '../stream.ts';
import { replies } from './replies.ts';
import { atLeast, BATCH_VERSION_MIN, serverVersion } from './server-version.ts';
import type { Uplink } from './uplink.ts';

/** Most bytes in a batch; a server cuts off a client that lets 64 MB lie. */
const BATCH_BYTES_MAX = 4 * 1024 * 1024;
/** HTTP's words, which the server uses. */
const STATUS = { endOfBatch: 204, notFound: 404, unavailable: 503 } as const;

/** What to get; the stream is called by the server's name for it. */
export type DirectQuery = {
  readonly stream: string;
  readonly filter: string;
  readonly after: number;
  readonly limit: number;
};

/** Up to `limit` messages after the sequence, in order; none at the end. Throws what the client library does. */
export async function directGet(uplink: Uplink, query: DirectQuery): Promise<readonly Message[]> {
  const batches = atLeast(serverVersion(uplink.session().connection), BATCH_VERSION_MIN);
  if (batches) return getBatch(uplink, query);
  const messages: Message[] = [];
  while (messages.length < query.limit) {
    const after = messages.at(-1)?.sequence ?? query.after;
    const [next] = await getBatch(uplink, { ...query, after, limit: 1 });
    if (next === undefined) break;
    messages.push(next);
  }
  return messages;
}

async function getBatch(uplink: Uplink, query: DirectQuery): Promise<readonly Message[]> {
  const messages: Message[] = [];
  const { stream, filter, after, limit } = query;
  const single = limit === 1;
  const request = {
    seq: after + 1,
    next_by_subj: filter,
    ...(single ? {} : { batch: limit, max_bytes: BATCH_BYTES_MAX }),
  };
  await replies(uplink, `$JS.API.DIRECT.GET.${stream}`, request, (reply) => {
    const message = toMessage(reply);
    if (message === undefined) return isEnd(reply);
    const batched = !single && header(reply, DirectMsgHeaders.NumPending) !== '';
    const before = Number(header(reply, DirectMsgHeaders.LastSequence));
    if (batched && before !== (messages.at(-1)?.sequence ?? 0)) {
      throw new Error(`a message between ${before} and ${message.sequence} was lost on its way`);
    }
    messages.push(message);
    return !batched;
  });
  return messages;
}

function isEnd(reply: Msg): boolean {
  const code = reply.headers?.code;
  if (code === STATUS.endOfBatch || code === STATUS.notFound) return true;
  if (code === STATUS.unavailable) throw new NoRespondersError(reply.subject);
  throw new Error(`the server says: ${reply.headers?.status ?? 'nothing that can be understood'}`);
}

/** The message in a reply, or undefined when it is a status of the server itself. */
function toMessage(reply: Msg): Message | undefined {
  const sequence = Number(header(reply, DirectMsgHeaders.Sequence));
  if (sequence === 0) return undefined;
  const id = reply.headers?.get(PubHeaders.MsgIdHdr) ?? '';
  const subject = header(reply, DirectMsgHeaders.Subject);
  const storedAt = header(reply, DirectMsgHeaders.TimeStamp);
  return { sequence, subject, id: id === '' ? null : id, data: reply.data, storedAt };
}

/** The server adds its headers after the publisher's, so the last one of a name is the server's. */
function header(reply: Msg, name: string): string {
  return reply.headers?.last(name) ?? '';
}
