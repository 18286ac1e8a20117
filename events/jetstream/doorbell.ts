/**
 * The doorbell on a NATS server: a plain subscription to what the streams republish for one host.
 *
 * It costs the server no consumer. Anyone may publish there, so a ring is a hint and nothing more.
 */
import { RepublishHeaders } from '@nats-io/jetstream';
import type { MsgHdrs, Subscription } from 'nats';
import type { HostId } from '../names.ts';
import type { Ring } from '../stream.ts';
import { subjectFilter } from '../subject.ts';
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
      callback: (error, { headers }) => {
        if (error === null) onRing(readRing(prefix, headers));
      },
    });
  });
  return () => {
    cancel();
    subscription?.unsubscribe();
  };
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
