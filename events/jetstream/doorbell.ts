/**
 * The doorbell on a NATS server: a plain subscription to what the streams republish for one host.
 *
 * It costs the server no consumer. Anyone may publish there, so a ring is a hint and nothing more. What the streams
 * republish has no address to answer to; whoever gives one only asks whether somebody is there, and is answered.
 */
import { RepublishHeaders } from '@nats-io/jetstream';
import { type MsgHdrs, type Subscription, TimeoutError } from 'nats';
import type { HostId } from '../names.ts';
import type { AskPresence, Presence } from '../presence.ts';
import type { Ring } from '../stream.ts';
import { formatSubject, subjectFilter } from '../subject.ts';
import { isUnheard } from './nats-errors.ts';
import { streamNameOf } from './settings.ts';
import type { Uplink } from './uplink.ts';

/** Rings until the returned function is called, also over connections that come later. */
export function openDoorbell(
  uplink: Uplink,
  prefix: string,
  host: HostId,
  onRing: (ring: Ring) => void,
): () => void {
  let subscription: Subscription | undefined;
  const subject = subjectFilter(prefix, 'doorbell', { host });
  const cancel = uplink.onSession(({ connection }) => {
    subscription = connection.subscribe(subject, {
      callback: (error, message) => {
        if (error !== null) return;
        if (!message.respond()) onRing(readRing(prefix, message.headers));
      },
    });
  });
  return () => {
    cancel();
    subscription?.unsubscribe();
  };
}

/** Asks at a host's doorbell. That nobody listens there the server says at once; for an answer it waits `timeoutMs`. */
export function askAtDoorbell(uplink: Uplink, prefix: string): AskPresence {
  return async (host) => {
    try {
      const { connection } = uplink.session();
      const subject = formatSubject(prefix, { kind: 'doorbell', host, uuid: null });
      await connection.request(subject, undefined, { timeout: uplink.timeoutMs });
      return 'there';
    } catch (error) {
      return presenceOf(error);
    }
  };
}

function presenceOf(error: unknown): Presence {
  if (isUnheard(error)) return 'absent';
  return error instanceof TimeoutError ? 'mute' : 'unknown';
}

/** What a ring's headers say; undefined when they are none of a stream's. */
function readRing(prefix: string, headers: MsgHdrs | undefined): Ring {
  const from = headers?.last(RepublishHeaders.Stream);
  const stream = (['desired', 'command'] as const).find((name) => streamNameOf(prefix, name) === from);
  const sequence = Number(headers?.last(RepublishHeaders.Sequence));
  return stream !== undefined && Number.isSafeInteger(sequence) && sequence > 0
    ? { stream, sequence }
    : undefined;
}
