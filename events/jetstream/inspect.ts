/**
 * Looks at a fleet's streams and bucket on a server, and changes nothing: are they there, and set as `init` makes them?
 */
import {
  JetStreamApiCodes,
  type JetStreamManager,
  jetstreamManager,
  type StreamInfo,
} from '@nats-io/jetstream';
import type { NatsConnection } from 'nats';
import type { StreamUnavailable } from '../stream.ts';
import { type Difference, differences } from './init.ts';
import { apiCode, streamError } from './nats-errors.ts';
import { type WantedStream, wantedStreams } from './settings.ts';

/** A stream as it was found. `offline`: servers that should have a copy, and are away or behind. */
export type StreamSeen = {
  readonly kind: 'seen';
  readonly stream: string;
  readonly differences: readonly Difference[];
  readonly messages: number;
  readonly bytes: number;
  readonly replicas: number;
  readonly offline: readonly string[];
  /** The server's wall clock when it answered; null for a server that does not tell. */
  readonly at: string | null;
};

export type StreamLook =
  | StreamSeen
  | { readonly kind: 'missing'; readonly stream: string }
  | { readonly kind: 'unknown'; readonly stream: string; readonly cause: StreamUnavailable };

/** Looks at all of them, or the first few, one after the other, in the order in which `init` makes them. */
export async function inspectFleet(
  connection: NatsConnection,
  { prefix, timeoutMs }: { readonly prefix: string; readonly timeoutMs: number },
  count = Number.POSITIVE_INFINITY,
): Promise<readonly StreamLook[]> {
  const manager = await jetstreamManager(connection, { timeout: timeoutMs, checkAPI: false });
  const looks: StreamLook[] = [];
  for (const wanted of wantedStreams(prefix).slice(0, count)) looks.push(await look(manager, wanted));
  return looks;
}

async function look(manager: JetStreamManager, wanted: WantedStream): Promise<StreamLook> {
  const stream = wanted.name;
  try {
    return seen(wanted, await manager.streams.info(stream));
  } catch (error) {
    if (apiCode(error) === JetStreamApiCodes.StreamNotFound) return { kind: 'missing', stream };
    return { kind: 'unknown', stream, cause: streamError('looking at', stream, error) };
  }
}

function seen(wanted: WantedStream, { config, state, cluster, ts }: StreamInfo): StreamSeen {
  const away = (cluster?.replicas ?? []).filter(({ offline, current }) => offline === true || !current);
  return {
    kind: 'seen',
    stream: wanted.name,
    differences: differences(wanted, config),
    messages: state.messages,
    bytes: state.bytes,
    replicas: config.num_replicas,
    offline: away.map(({ name }) => name).sort(),
    at: ts ?? null,
  };
}
