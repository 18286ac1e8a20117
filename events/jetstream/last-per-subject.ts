/**
 * The last message of each subject, through a consumer that lives as long as it is read.
 *
 * The client library's ordered consumer, after a lost connection, goes on with every message and
 * not with last ones; and it would wait for a server that is down. Here a loss is an error.
 */
import { AckPolicy, DeliverPolicy, PubHeaders } from '@nats-io/jetstream';
import { type Msg, nanos, nuid } from 'nats';
import type { Message } from '../stream.ts';
import { replies } from './replies.ts';
import type { Uplink } from './uplink.ts';

/**
 * Messages asked for at a time: as many of the largest as a server lets lie for a client, which is 64 MB.
 * To ask for so many bytes instead loses messages: the one that did not fit is not sent again.
 */
const PULL_MESSAGES_MAX = 50;
/** The server removes a consumer that nobody has read from for so long, should we not have come to it. */
const CONSUMER_IDLE_MS_MAX = 300_000;

/** In order of sequence; what is published meanwhile is not among them. Throws what the client library does. */
export async function* lastPerSubject(
  uplink: Uplink,
  stream: string,
  filter: string | readonly string[],
): AsyncIterable<Message> {
  const { name, num_pending } = await uplink.session().manager.consumers.add(stream, {
    name: `last-${nuid.next()}`,
    deliver_policy: DeliverPolicy.LastPerSubject,
    ack_policy: AckPolicy.None,
    ...(typeof filter === 'string' ? { filter_subject: filter } : { filter_subjects: [...filter] }),
    mem_storage: true,
    num_replicas: 1,
    inactive_threshold: nanos(CONSUMER_IDLE_MS_MAX),
  });
  try {
    for (let left = num_pending; left > 0; left -= PULL_MESSAGES_MAX) {
      yield* await pull(uplink, `${stream}.${name}`, Math.min(left, PULL_MESSAGES_MAX));
    }
  } finally {
    await remove(uplink, stream, name);
  }
}

async function pull(uplink: Uplink, consumer: string, count: number): Promise<readonly Message[]> {
  const messages: Message[] = [];
  const request = { batch: count, expires: nanos(uplink.timeoutMs) };
  await replies(uplink, `$JS.API.CONSUMER.MSG.NEXT.${consumer}`, request, (reply) => {
    messages.push(toMessage(reply));
    return messages.length === count;
  });
  return messages;
}

/** Throws when the reply is a status of the server itself, which only says that something is missing. */
function toMessage({ subject, reply = '', headers, data }: Msg): Message {
  const sequence = sequenceIn(reply);
  if (sequence === undefined) throw new Error(`the server says: ${headers?.status ?? 'nothing'}`);
  const id = headers?.get(PubHeaders.MsgIdHdr) ?? '';
  return { sequence, subject, id: id === '' ? null : id, data };
}

/**
 * The sequence is in the subject for the acknowledgement, which only a message has:
 * `$JS.ACK.<stream>.<consumer>.<delivered>.<sequence>…`, with domain and account before the stream on newer servers.
 */
function sequenceIn(reply: string): number | undefined {
  const tokens = reply.split('.');
  if (tokens[0] !== '$JS' || tokens[1] !== 'ACK') return undefined;
  return Number(tokens.length === 9 ? tokens[5] : tokens[7]);
}

/** Left to the server where it cannot be done: the reading itself has ended, well or badly. */
async function remove(uplink: Uplink, stream: string, name: string): Promise<void> {
  try {
    await uplink.session().manager.consumers.delete(stream, name);
  } catch {
    // CONSUMER_IDLE_MS_MAX ends it.
  }
}
