/**
 * The registry of a fleet: a JetStream key-value bucket, made by `mdevfleet init` and only opened here.
 *
 * Writes are published with the key's expected last sequence; reads ask the stream's leader. The
 * key-value client is not used for either: its reads, and its `create` after a refusal, may be
 * answered by a follower that is behind. Anything but the server's clear yes or no to a write is `unknown`.
 */
import {
  JetStreamApiError,
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
  type MsgRequest,
  type StoredMsg,
} from '@nats-io/jetstream';
import { headers, type MsgHdrs, type NatsConnection } from 'nats';
import {
  type Entry,
  type Registry,
  type RegistryKey,
  RegistryUnavailable,
  type Written,
} from './registry.ts';

/** How long an answer of the server is waited for. */
export const KV_TIMEOUT_MS = 5_000;

const STREAM_NOT_FOUND = 10059;
/** "wrong last sequence: N". Error 10164, the same without N, means that another write was in flight. */
const WRONG_LAST_SEQUENCE = 10071;
const STANDING_SEQUENCE = /: (\d+)$/;

/** Marks a message as an operation on its key; any operation leaves the key without a value. */
const OPERATION = 'KV-Operation';
/** Set by the server on a message with which it replaces a value that it removed. */
const MARKER = 'Nats-Marker-Reason';
const NO_VALUE = new Uint8Array();

export type KvRegistryOptions = {
  readonly bucket: string;
  /** How long an answer of the server is waited for; KV_TIMEOUT_MS unless given. */
  readonly timeoutMs?: number;
};

/** The server has no registry of that name. */
export class RegistryMissing extends Error {
  override readonly name = 'RegistryMissing';
}

/** Opens the bucket over a connection, which stays its opener's to close. Throws RegistryMissing or RegistryUnavailable. */
export async function openKvRegistry(nc: NatsConnection, options: KvRegistryOptions): Promise<Registry> {
  const { bucket, timeoutMs: timeout = KV_TIMEOUT_MS } = options;
  try {
    const manager = await jetstreamManager(nc, { timeout, checkAPI: false });
    await manager.streams.info(streamOf(bucket));
    return new KvRegistry(jetstream(nc, { timeout }), manager, bucket);
  } catch (cause) {
    if (hasCode(cause, STREAM_NOT_FOUND)) {
      throw new RegistryMissing(`there is no bucket ${bucket} on this server; run mdevfleet init`, { cause });
    }
    throw new RegistryUnavailable(`opening the registry ${bucket}`, { cause });
  }
}

function streamOf(bucket: string): string {
  return `KV_${bucket}`;
}

class KvRegistry implements Registry {
  readonly #client: JetStreamClient;
  readonly #manager: JetStreamManager;
  readonly #bucket: string;

  constructor(client: JetStreamClient, manager: JetStreamManager, bucket: string) {
    this.#client = client;
    this.#manager = manager;
    this.#bucket = bucket;
  }

  read(key: RegistryKey): Promise<Entry | undefined> {
    return this.#get(key, { last_by_subj: this.#subject(key) });
  }

  at(key: RegistryKey, revision: number): Promise<Entry | undefined> {
    return this.#get(key, { seq: revision });
  }

  write(key: RegistryKey, value: Uint8Array, expected: number): Promise<Written> {
    return this.#publish(key, value, expected);
  }

  erase(key: RegistryKey, expected: number): Promise<Written> {
    const deletion = headers();
    deletion.set(OPERATION, 'DEL');
    return this.#publish(key, NO_VALUE, expected, deletion);
  }

  async close(): Promise<void> {
    // The connection belongs to whoever opened it.
  }

  #subject(key: RegistryKey): string {
    return `$KV.${this.#bucket}.${key}`;
  }

  async #get(key: RegistryKey, query: MsgRequest): Promise<Entry | undefined> {
    try {
      const message = await this.#manager.streams.getMessage(streamOf(this.#bucket), query);
      return message?.subject === this.#subject(key) ? toEntry(message) : undefined;
    } catch (cause) {
      throw new RegistryUnavailable(`reading ${key} from the registry ${this.#bucket}`, { cause });
    }
  }

  async #publish(key: RegistryKey, value: Uint8Array, expected: number, mark?: MsgHdrs): Promise<Written> {
    const expect = { lastSubjectSequence: expected };
    const options = mark === undefined ? { expect } : { expect, headers: mark };
    try {
      const ack = await this.#client.publish(this.#subject(key), value, options);
      return { kind: 'written', revision: ack.seq };
    } catch (cause) {
      return notWritten(cause);
    }
  }
}

function notWritten(cause: unknown): Written {
  if (!hasCode(cause, WRONG_LAST_SEQUENCE)) return { kind: 'unknown', cause };
  const told = STANDING_SEQUENCE.exec(cause.message)?.[1];
  return { kind: 'refused', revision: told === undefined ? null : Number(told) };
}

function hasCode(cause: unknown, code: number): cause is JetStreamApiError {
  return cause instanceof JetStreamApiError && cause.code === code;
}

function toEntry(message: StoredMsg): Entry {
  const erased = [OPERATION, MARKER].some((name) => message.header.get(name) !== '');
  return { revision: message.seq, value: erased ? null : message.data, time: message.timestamp };
}
