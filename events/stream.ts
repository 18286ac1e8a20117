/**
 * The port to a stream: an append-only sequence of messages under subjects.
 *
 * Its adapters are JetStream, a stream embedded in LMDB for one machine, and one in
 * memory for tests. All keep every message. A ring of the doorbell carries no data:
 * whoever hears it reads the stream, and must also look now and then, since a ring can be missed.
 */
import type { HostId } from './names.ts';

export type StreamName = 'desired' | 'observed' | 'command';

/** A message as it is stored; `sequence` counts from 1. */
export type Message = {
  readonly sequence: number;
  readonly subject: string;
  readonly id: string | null;
  readonly data: Uint8Array;
};

export type StreamInfo = {
  /** Creation time, RFC 3339: another one means another stream. */
  readonly created: string;
  readonly firstSequence: number;
  readonly lastSequence: number;
};

/** A message to append. */
export type Outgoing = {
  readonly subject: string;
  /** A second message with the same id within the server's duplicate window is dropped. */
  readonly id: string;
  readonly data: Uint8Array;
  /** Append only if the last message on this subject has this sequence; 0 for none. */
  readonly expectedSubjectSequence?: number;
};

/** The answer to an append. `unknown`: it may or may not have been stored. */
export type Appended =
  | { readonly kind: 'stored'; readonly sequence: number; readonly duplicate: boolean }
  | { readonly kind: 'wrong-sequence' }
  | { readonly kind: 'unknown'; readonly cause: unknown };

/**
 * One stream. Subject filters use NATS's wildcards `*` and `>`.
 * Every read throws StreamUnavailable when the server cannot be asked, and only then.
 */
export interface Stream {
  readonly name: StreamName;
  /** Answers 'unknown', and does not throw, when the server cannot be asked. */
  append(message: Outgoing): Promise<Appended>;
  /** Appends in order, at most one batch in flight; stops at the first that is not stored. */
  appendAll(messages: readonly Outgoing[]): Promise<readonly Appended[]>;
  info(): Promise<StreamInfo>;
  /** The message at this sequence, asked of the leader; undefined if there is none. */
  at(sequence: number): Promise<Message | undefined>;
  /** Up to `limit` messages with a sequence greater than `after`, in order. May be served by a replica that is behind. */
  next(filter: string, after: number, limit: number): Promise<readonly Message[]>;
  /** The last message under the subject. */
  last(subject: string): Promise<Message | undefined>;
  /** The last message of each subject that the filter takes, in order of sequence. */
  lastPerSubject(filter: string): AsyncIterable<Message>;
}

/** What a ring says: a hint of where to look, never trusted; undefined for "look at everything". */
export type Ring = { readonly stream: 'desired' | 'command'; readonly sequence: number } | undefined;

/** The three streams of a fleet, and its doorbell. */
export interface Streams {
  readonly desired: Stream;
  readonly observed: Stream;
  readonly command: Stream;
  /** Rings for declarations and commands of one host until the returned function is called. */
  doorbell(host: HostId, onRing: (ring: Ring) => void): () => void;
  /** Calls back whenever the connection came (back) or went; embedded streams are up at once and stay up. */
  onConnection(listener: (state: 'up' | 'down') => void): () => void;
  close(): Promise<void>;
}

/** The server could not be asked; nothing is known of what it holds. */
export class StreamUnavailable extends Error {
  override readonly name = 'StreamUnavailable';
}
