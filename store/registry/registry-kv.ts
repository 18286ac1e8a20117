/**
 * The registry of a fleet: a JetStream key-value bucket, made by `mdevfleet init` and never here.
 *
 * Writes are published with the key's expected last sequence; reads ask the stream's leader. The
 * key-value client is not used for either: its reads, and its `create` after a refusal, may be
 * answered by a follower that is behind. Anything but the server's clear yes or no to a write is
 * `unknown`; an answer is waited for as long as the uplink's time-out says.
 */

import { JetStreamApiCodes, type MsgRequest, type StoredMsg } from '@nats-io/jetstream';
import { headers, type MsgHdrs } from 'nats';
import { apiCode } from '../../events/jetstream/nats-errors.ts';
import type { Uplink } from '../../events/jetstream/uplink.ts';
import { messageOf } from '../../events/message-of.ts';
import {
  type Entry,
  type Registry,
  type RegistryKey,
  RegistryUnavailable,
  type Written,
} from './registry.ts';

/** "wrong last sequence: N". */
const WRONG_LAST_SEQUENCE = 10071;
/** "wrong last sequence": another write of the key was in flight. */
const WRITE_IN_FLIGHT = 10164;
const STANDING_SEQUENCE = /: (\d+)$/;

/** Marks a message as an operation on its key; any operation leaves the key without a value. */
const OPERATION = 'KV-Operation';
/** Set by the server on a message with which it replaces a value that it removed. */
const MARKER = 'Nats-Marker-Reason';
const NO_VALUE = new Uint8Array();

/** The server can be asked, but has no registry of that name. */
export class RegistryMissing extends RegistryUnavailable {
  override readonly name = 'RegistryMissing';
}

/** The registry in a bucket; asks the server nothing until it is used. The uplink stays its opener's to close. */
export function openKvRegistry(uplink: Pick<Uplink, 'session'>, bucket: string): Registry {
  return new KvRegistry(uplink, bucket);
}

class KvRegistry implements Registry {
  readonly #uplink: Pick<Uplink, 'session'>;
  readonly #bucket: string;

  constructor(uplink: Pick<Uplink, 'session'>, bucket: string) {
    this.#uplink = uplink;
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
    // The uplink belongs to whoever opened it.
  }

  #subject(key: RegistryKey): string {
    return `$KV.${this.#bucket}.${key}`;
  }

  async #get(key: RegistryKey, query: MsgRequest): Promise<Entry | undefined> {
    try {
      const { manager } = this.#uplink.session();
      const message = await manager.streams.getMessage(`KV_${this.#bucket}`, query);
      return message?.subject === this.#subject(key) ? toEntry(message) : undefined;
    } catch (cause) {
      throw this.#unavailable(`reading ${key} from`, cause);
    }
  }

  async #publish(key: RegistryKey, value: Uint8Array, expected: number, mark?: MsgHdrs): Promise<Written> {
    const expect = { lastSubjectSequence: expected };
    const options = mark === undefined ? { expect } : { expect, headers: mark };
    try {
      const { jetstream } = this.#uplink.session();
      const ack = await jetstream.publish(this.#subject(key), value, options);
      return { kind: 'written', revision: ack.seq };
    } catch (cause) {
      const code = apiCode(cause);
      if (code === WRONG_LAST_SEQUENCE) return { kind: 'refused', revision: standingIn(cause) };
      if (code === WRITE_IN_FLIGHT) {
        return { kind: 'unknown', cause: new Error(`another write of ${key} was in flight`, { cause }) };
      }
      return { kind: 'unknown', cause: this.#unavailable(`writing ${key} to`, cause) };
    }
  }

  #unavailable(operation: string, cause: unknown): RegistryUnavailable {
    const what = `${operation} the registry ${this.#bucket}`;
    if (apiCode(cause) === JetStreamApiCodes.StreamNotFound) {
      const hint = 'there is no such bucket on this server; run mdevfleet init';
      return new RegistryMissing(`${what}: ${hint}`, { cause });
    }
    const reason = messageOf(cause);
    return new RegistryUnavailable(`${what}: ${reason}`, { cause });
  }
}

/** The revision that a refusal names, null when it names none. */
function standingIn(refusal: unknown): number | null {
  const told = refusal instanceof Error ? STANDING_SEQUENCE.exec(refusal.message)?.[1] : undefined;
  return told === undefined ? null : Number(told);
}

function toEntry(message: StoredMsg): Entry {
  const erased = [OPERATION, MARKER].some((name) => message.header.has(name));
  return { revision: message.seq, value: erased ? null : message.data, time: message.timestamp };
}
