/**
 * A stream on which everything that is appended is signed by its publisher.
 */
import type { KeyObject } from 'node:crypto';
import { signed } from './signature.ts';
import type { Appended, Message, Outgoing, Stream, StreamInfo, StreamName } from './stream.ts';

export class SignedStream implements Stream {
  readonly name: StreamName;
  readonly #stream: Stream;
  readonly #key: KeyObject;

  constructor(stream: Stream, key: KeyObject) {
    this.name = stream.name;
    this.#stream = stream;
    this.#key = key;
  }

  append(message: Outgoing): Promise<Appended> {
    return this.#stream.append(this.#signed(message));
  }

  appendAll(messages: readonly Outgoing[]): Promise<readonly Appended[]> {
    return this.#stream.appendAll(messages.map((message) => this.#signed(message)));
  }

  info(): Promise<StreamInfo> {
    return this.#stream.info();
  }

  at(sequence: number): Promise<Message | undefined> {
    return this.#stream.at(sequence);
  }

  next(filter: string, after: number, limit: number): Promise<readonly Message[]> {
    return this.#stream.next(filter, after, limit);
  }

  last(filter: string): Promise<Message | undefined> {
    return this.#stream.last(filter);
  }

  lastPerSubject(filter: string | readonly string[]): AsyncIterable<Message> {
    return this.#stream.lastPerSubject(filter);
  }

  subjects(filter: string): Promise<readonly string[]> {
    return this.#stream.subjects(filter);
  }

  #signed(message: Outgoing): Outgoing {
    const event = signed(JSON.parse(new TextDecoder().decode(message.data)), this.#key);
    return { ...message, data: new TextEncoder().encode(JSON.stringify(event)) };
  }
}
