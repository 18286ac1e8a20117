/**
 * Makes a fleet's streams and bucket on a server, or brings them up to date; doing it again changes nothing.
 *
 * A server ignores settings that it does not know, in silence: so what it made is read back and
 * compared, and every difference is reported.
 */

import { isDeepStrictEqual } from 'node:util';
import {
  JetStreamApiCodes,
  type JetStreamManager,
  jetstreamManager,
  type StreamConfig,
} from '@nats-io/jetstream';
import type { NatsConnection } from 'nats';
import { messageOf } from '../message-of.ts';
import { apiCode } from './nats-errors.ts';
import { serverVersion } from './server-version.ts';
import { FOREIGN_SETTINGS, type WantedStream, wantedStreams } from './settings.ts';

/** Copies of each message in a new fleet, unless said otherwise. */
const REPLICAS_DEFAULT = 1;

export type FleetOptions = {
  readonly prefix: string;
  /** Copies of each message, 1 to 5; as it stands unless given. */
  readonly replicas?: number;
  readonly timeoutMs: number;
};

/** A setting that is not, or was not, as wanted. */
export type Difference = { readonly setting: string; readonly wanted: unknown; readonly found: unknown };

export type StreamReport = {
  readonly stream: string;
  readonly action: 'created' | 'updated' | 'unchanged';
  /** What an update changed, with what stood there before. */
  readonly changed: readonly Difference[];
  /** What the server did not take over: it is too old, or its operator forbids it. */
  readonly ignored: readonly Difference[];
};

export type InitReport = { readonly server: string; readonly streams: readonly StreamReport[] };

/** A stream could not be made or brought up to date; the message names it and the way out. */
export class InitFailed extends Error {
  override readonly name = 'InitFailed';
}

/** Over a connection of connectNats, which has refused servers that are too old. Throws InitFailed. */
export async function initFleet(connection: NatsConnection, options: FleetOptions): Promise<InitReport> {
  const manager = await jetstreamManager(connection, { timeout: options.timeoutMs, checkAPI: false });
  const streams: StreamReport[] = [];
  for (const wanted of wantedStreams(options.prefix)) {
    const replicas = options.replicas === undefined ? {} : { num_replicas: options.replicas };
    streams.push(await ensureStream(manager, { ...wanted, ...replicas }));
  }
  return { server: serverVersion(connection), streams };
}

/** Makes one stream, or brings it up to date. Throws InitFailed. */
export async function ensureStream(manager: JetStreamManager, wanted: WantedStream): Promise<StreamReport> {
  const { name } = wanted;
  try {
    const before = await find(manager, name);
    const changed = before === undefined ? [] : differences(wanted, before);
    if (before === undefined) await manager.streams.add({ num_replicas: REPLICAS_DEFAULT, ...wanted });
    else await update(manager, wanted, before, changed);
    const { config } = await manager.streams.info(name);
    const action = before === undefined ? 'created' : changed.length === 0 ? 'unchanged' : 'updated';
    return { stream: name, action, changed, ignored: differences(wanted, config) };
  } catch (cause) {
    if (cause instanceof InitFailed) throw cause;
    const reason = messageOf(cause);
    throw new InitFailed(`making the stream ${name}: the server says: ${reason}`, { cause });
  }
}

async function find(manager: JetStreamManager, name: string): Promise<StreamConfig | undefined> {
  try {
    return (await manager.streams.info(name)).config;
  } catch (cause) {
    if (apiCode(cause) === JetStreamApiCodes.StreamNotFound) return undefined;
    throw cause;
  }
}

async function update(
  manager: JetStreamManager,
  wanted: WantedStream,
  before: StreamConfig,
  changed: readonly Difference[],
): Promise<void> {
  const { name, subjects } = wanted;
  if (!isDeepStrictEqual(before.subjects, subjects)) {
    const theirs = before.subjects.join(', ');
    throw new InitFailed(
      `making the stream ${name}: it exists, for the subjects ${theirs}; choose another prefix`,
    );
  }
  if (changed.length > 0) await manager.streams.update(name, wanted);
}

/** Settings that are not as wanted. One that is off and one that the server does not name are the same. */
export function differences(wanted: WantedStream, found: StreamConfig): readonly Difference[] {
  const expected = { ...Object.fromEntries(FOREIGN_SETTINGS.map((name) => [name, undefined])), ...wanted };
  return Object.entries(expected).flatMap(([setting, value]) => {
    const there = found[setting as keyof StreamConfig];
    const same = isDeepStrictEqual(there ?? false, value ?? false);
    return same ? [] : [{ setting, wanted: value, found: there }];
  });
}
