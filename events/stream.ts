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
  /**
   * When the server stored it, in the server's own words. Read by sequence or by subject, on a stream that keeps it; it
   * tells a message from the same one that was published once more.
   */
  readonly storedAt?: string;
};

export type StreamInfo = {
  /** Creation time, RFC 3339: another one means another stream. */
  readonly created: string;
  /** 1 in a stream that is empty. */
  readonly firstSequence: number;
  readonly lastSequence: number;
};

/** A message to append. */
export type Outgoing = {
  readonly subject: string;
  /**
   * A second message with the same id within the server's duplicate window is dropped. Should it expect
   * a sequence that is not so any more, servers differ: it is a duplicate, or refused as wrong-sequence.
   */
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
 * Every read throws StreamUnavailable, or one of its kinds, when the server does not answer, and only then.
 */
export interface Stream {
  readonly name: StreamName;
  /** Answers 'unknown', and does not throw, when the server cannot be asked. */
  append(message: Outgoing): Promise<Appended>;
  /**
   * Appends in order, at most one batch in flight. Answers for each message that was sent; after one
   * that was not stored no new batch is begun, but later ones of its own batch may have been stored.
   */
  appendAll(messages: readonly Outgoing[]): Promise<readonly Appended[]>;
  info(): Promise<StreamInfo>;
  /** The message at this sequence, asked of the leader; undefined if there is none. */
  at(sequence: number): Promise<Message | undefined>;
  /**
   * Up to `limit` messages with a sequence greater than `after`, in order. It may be fewer although
   * more follow; none means the end, as seen by a replica that may be behind.
   */
  next(filter: string, after: number, limit: number): Promise<readonly Message[]>;
  /** The last message that the filter takes, asked of the leader. */
  last(filter: string): Promise<Message | undefined>;
  /** The last message of each subject that the filter, or one of several that share no subject, takes, in order of sequence. */
  lastPerSubject(filter: string | readonly string[]): AsyncIterable<Message>;
  /** Each subject on which there are messages and that the filter takes, without reading any of these. */
  subjects(filter: string): Promise<readonly string[]>;
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
  /**
   * Calls back whenever the connection came (back) or went, and soon after the call when it is up
   * already; embedded streams are up at once and stay up.
   */
  onConnection(listener: (state: 'up' | 'down') => void): () => void;
  close(): Promise<void>;
}

/** The server could not be asked; nothing is known of what it holds. */
export class StreamUnavailable extends Error {
  override readonly name: string = 'StreamUnavailable';
}

/** The server can be asked, but does not have the stream. */
export class StreamMissing extends StreamUnavailable {
  override readonly name = 'StreamMissing';
}

/** The server does not allow this user to ask. */
export class StreamForbidden extends StreamUnavailable {
  override readonly name = 'StreamForbidden';
}
