/**
 * The streams of a fleet on a NATS server.
 *
 * Nothing here creates a stream: `mdevfleet init` does. What decides something is asked of the
 * stream's leader; catching up is not, and may be served by a replica that is behind.
 */
import { JetStreamApiCodes, type MsgRequest, PubHeaders, type StoredMsg } from '@nats-io/jetstream';
import type { HostId } from '../names.ts';
import {
  type Appended,
  type Message,
  type Outgoing,
  type Ring,
  type Stream,
  type StreamInfo,
  type StreamName,
  type Streams,
  StreamUnavailable,
} from '../stream.ts';
import { directGet } from './direct-get.ts';
import { openDoorbell } from './doorbell.ts';
import { lastPerSubject } from './last-per-subject.ts';
import { apiCode, isUnheard, streamError } from './nats-errors.ts';
import { streamNameOf } from './settings.ts';
import type { Uplink } from './uplink.ts';

/** Messages of `appendAll` that are in flight together. */
const APPEND_IN_FLIGHT_MAX = 256;

/** The streams over an uplink, which stays its opener's to close. */
export function openJetStreams(uplink: Uplink, prefix: string): Streams {
  return new JetStreams(uplink, prefix);
}

class JetStreams implements Streams {
  readonly desired: Stream;
  readonly observed: Stream;
  readonly command: Stream;
  readonly #uplink: Uplink;
  readonly #prefix: string;
  readonly #open = new Set<() => void>();

  constructor(uplink: Uplink, prefix: string) {
    this.desired = new JetStream(uplink, prefix, 'desired');
    this.observed = new JetStream(uplink, prefix, 'observed');
    this.command = new JetStream(uplink, prefix, 'command');
    this.#uplink = uplink;
    this.#prefix = prefix;
  }

  doorbell(host: HostId, onRing: (ring: Ring) => void): () => void {
    return this.#until(openDoorbell(this.#uplink, this.#prefix, host, onRing));
  }

  onConnection(listener: (state: 'up' | 'down') => void): () => void {
    return this.#until(this.#uplink.onState(listener));
  }

  async close(): Promise<void> {
    for (const cancel of [...this.#open]) cancel();
  }

  #until(cancel: () => void): () => void {
    const once = (): void => {
      if (this.#open.delete(once)) cancel();
    };
    this.#open.add(once);
    return once;
  }
}

class JetStream implements Stream {
  readonly name: StreamName;
  readonly #uplink: Uplink;
  readonly #stream: string;

  constructor(uplink: Uplink, prefix: string, name: StreamName) {
    this.name = name;
    this.#uplink = uplink;
    this.#stream = streamNameOf(prefix, name);
  }

  async append(message: Outgoing): Promise<Appended> {
    try {
      const { seq, duplicate } = await this.#publish(message);
      return { kind: 'stored', sequence: seq, duplicate };
    } catch (cause) {
      if (apiCode(cause) === JetStreamApiCodes.StreamWrongLastSequence) return { kind: 'wrong-sequence' };
      return { kind: 'unknown', cause: await this.#explain('appending to', cause) };
    }
  }

  /** The messages of a batch are on their way, in order, before the first answer is awaited. */
  async appendAll(messages: readonly Outgoing[]): Promise<readonly Appended[]> {
    const answers: Appended[] = [];
    for (let from = 0; from < messages.length; from += APPEND_IN_FLIGHT_MAX) {
      const batch = messages.slice(from, from + APPEND_IN_FLIGHT_MAX);
      answers.push(...(await Promise.all(batch.map((message) => this.append(message)))));
      if (answers.some(({ kind }) => kind !== 'stored')) break;
    }
    return answers;
  }

  info(): Promise<StreamInfo> {
    return this.#read(async () => {
      const { created, state } = await this.#uplink.session().manager.streams.info(this.#stream);
      return { created, firstSequence: Math.max(1, state.first_seq), lastSequence: state.last_seq };
    });
  }

  /** The server takes a request for sequence 0 for a malformed one. */
  async at(sequence: number): Promise<Message | undefined> {
    return sequence < 1 ? undefined : this.#ofLeader({ seq: sequence });
  }

  last(filter: string): Promise<Message | undefined> {
    return this.#ofLeader({ last_by_subj: filter });
  }

  next(filter: string, after: number, limit: number): Promise<readonly Message[]> {
    return this.#read(() => directGet(this.#uplink, { stream: this.#stream, filter, after, limit }));
  }

  /** The server counts the messages under each subject; it tells so without looking at them. */
  subjects(filter: string): Promise<readonly string[]> {
    return this.#read(async () => {
      const asked = { subjects_filter: filter };
      const { state } = await this.#uplink.session().manager.streams.info(this.#stream, asked);
      return Object.keys(state.subjects ?? {});
    });
  }

  async *lastPerSubject(filter: string | readonly string[]): AsyncIterable<Message> {
    try {
      yield* lastPerSubject(this.#uplink, this.#stream, filter);
    } catch (cause) {
      throw await this.#explain('reading', cause);
    }
  }

  #publish({ subject, id, data, expectedSubjectSequence }: Outgoing) {
    const sequence = expectedSubjectSequence;
    const expect = {
      streamName: this.#stream,
      ...(sequence === undefined ? {} : { lastSubjectSequence: sequence }),
    };
    return this.#uplink.session().jetstream.publish(subject, data, { msgID: id, expect });
  }

  #ofLeader(query: MsgRequest): Promise<Message | undefined> {
    return this.#read(async () => {
      const found = await this.#uplink.session().manager.streams.getMessage(this.#stream, query);
      return found === null ? undefined : toMessage(found);
    });
  }

  async #read<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (cause) {
      throw await this.#explain('reading', cause);
    }
  }

  /** Nobody hears a request to a stream that is not there, nor one to a server without JetStream: so ask which. */
  async #explain(operation: string, cause: unknown): Promise<StreamUnavailable> {
    if (!isUnheard(cause)) return streamError(operation, this.#stream, cause);
    try {
      await this.#uplink.session().manager.streams.info(this.#stream);
      return new StreamUnavailable(`${operation} ${this.#stream}: it has no leader at present`, { cause });
    } catch (closer) {
      return streamError(operation, this.#stream, closer);
    }
  }
}

function toMessage({ seq, subject, header, data, timestamp }: StoredMsg): Message {
  const id = header.get(PubHeaders.MsgIdHdr);
  return { sequence: seq, subject, id: id === '' ? null : id, data, storedAt: timestamp };
}
