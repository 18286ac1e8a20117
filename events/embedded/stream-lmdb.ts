/**
 * The streams of a fleet that is one machine, in the LMDB environment DIR/fleet.
 *
 * Per stream: `log` has the messages by sequence; `last` the last sequence of each subject; `places`
 * the sequences under each host, so that a host catches up without reading the others' messages;
 * `ids` the message ids, which are remembered for ever. All of it only grows.
 */
import { Buffer } from 'node:buffer';
import type { Database } from 'lmdb';
import { sha256 } from '../digest.ts';
import {
  type Appended,
  type Message,
  type Outgoing,
  type Stream,
  type StreamInfo,
  type StreamName,
  StreamUnavailable,
} from '../stream.ts';
import { literalHead, matches, splitLast } from '../wildcard.ts';
import type { Embedded } from './embedded.ts';

/** Between a message's subject and id, as JSON, and its data. */
const NEWLINE = 10;
const NO_VALUE = Buffer.alloc(0);
/** Comes after every sequence. */
const LAST_SEQUENCE = Number.MAX_SAFE_INTEGER;
/** Comes after every character of a subject. */
const LAST_CHARACTER = '\uffff';

/** Opens a stream, creating it if need be. Throws StreamUnavailable. */
export async function openLmdbStream(embedded: Embedded, name: StreamName): Promise<LmdbStream> {
  try {
    const streams = embedded.database<string>('streams');
    const created = await embedded.commit(() => {
      const there = streams.get(name)?.toString();
      if (there !== undefined) return there;
      const now = embedded.now();
      streams.putSync(name, Buffer.from(now));
      return now;
    });
    return new LmdbStream(embedded, name, created);
  } catch (cause) {
    throw new StreamUnavailable(`opening the stream ${name} in ${embedded.path}`, { cause });
  }
}

/** Where a message stands: under the head of its subject, at its sequence. */
type Place = [head: string, sequence: number];

export class LmdbStream implements Stream {
  readonly name: StreamName;
  readonly #embedded: Embedded;
  readonly #created: string;
  readonly #log: Database<Buffer, number>;
  readonly #last: Database<Buffer, string>;
  /** A set: where messages stand under each head. */
  readonly #places: Database<Buffer, Place>;
  /** By SHA-256, since a key's length is limited. */
  readonly #ids: Database<Buffer, string>;

  constructor(embedded: Embedded, name: StreamName, created: string) {
    this.name = name;
    this.#embedded = embedded;
    this.#created = created;
    this.#log = embedded.database(`${name}-log`);
    this.#last = embedded.database(`${name}-last`);
    this.#places = embedded.database(`${name}-places`);
    this.#ids = embedded.database(`${name}-ids`);
  }

  async append(message: Outgoing): Promise<Appended> {
    return this.#commit(() => this.#append(message));
  }

  async appendAll(messages: readonly Outgoing[]): Promise<readonly Appended[]> {
    const answers = await this.#commit(() => {
      const appended: Appended[] = [];
      for (const message of messages) {
        const answer = this.#append(message);
        appended.push(answer);
        if (answer.kind !== 'stored') break;
      }
      return appended;
    });
    return Array.isArray(answers) ? answers : messages.map(() => answers);
  }

  info(): Promise<StreamInfo> {
    return this.#read(() => ({
      created: this.#created,
      firstSequence: 1,
      lastSequence: this.#lastSequence(),
    }));
  }

  at(sequence: number): Promise<Message | undefined> {
    return this.#read(() => this.#get(sequence));
  }

  next(filter: string, after: number, limit: number): Promise<readonly Message[]> {
    return this.#read(() => {
      const found: Message[] = [];
      for (const sequence of this.#sequences(filter, after)) {
        const message = this.#get(sequence);
        if (message !== undefined && matches(filter, message.subject)) found.push(message);
        if (found.length === limit) break;
      }
      return found;
    });
  }

  last(filter: string): Promise<Message | undefined> {
    return this.#read(() => this.#get(this.#lastSequences(filter).at(-1) ?? 0));
  }

  async *lastPerSubject(filter: string | readonly string[]): AsyncIterable<Message> {
    const each = await this.#read(() => [filter].flat().map((one) => this.#lastSequences(one)));
    const sequences = each.flat().sort((a, b) => a - b);
    for (const sequence of sequences) {
      const message = await this.at(sequence);
      if (message !== undefined) yield message;
    }
  }

  subjects(filter: string): Promise<readonly string[]> {
    return this.#read(() => this.#subjects(filter).map(({ key }) => key));
  }

  /** The last sequence under the head of a subject, all of it but the last token; 0 for none. */
  lastBelow(head: string): number {
    this.#embedded.refresh();
    const range = { start: [head, LAST_SEQUENCE], end: [head, 0], reverse: true, limit: 1 };
    const [place] = this.#places.getKeys(range);
    return place?.[1] ?? 0;
  }

  #append({ subject, id, data, expectedSubjectSequence: expected }: Outgoing): Appended {
    const before = this.#lastUnder(subject);
    if (expected !== undefined && expected !== before) return { kind: 'wrong-sequence' };
    const key = sha256(Buffer.from(id));
    const repeated = this.#ids.get(key);
    if (repeated !== undefined) return { kind: 'stored', sequence: Number(repeated), duplicate: true };
    const sequence = this.#lastSequence() + 1;
    const [head] = splitLast(subject);
    const digits = Buffer.from(String(sequence));
    this.#log.putSync(sequence, encode({ subject, id, before }, data));
    this.#last.putSync(subject, digits);
    this.#places.putSync([head, sequence], NO_VALUE);
    this.#ids.putSync(key, digits);
    return { kind: 'stored', sequence, duplicate: false };
  }

  #lastSequence(): number {
    const [last] = this.#log.getKeys({ reverse: true, limit: 1 });
    return last ?? 0;
  }

  #lastUnder(subject: string): number {
    return Number(this.#last.get(subject) ?? 0);
  }

  #get(sequence: number): Message | undefined {
    const bytes = this.#log.get(sequence);
    return bytes === undefined ? undefined : decode(sequence, bytes);
  }

  /** The sequence of the last message of each subject that the filter takes, in order. */
  #lastSequences(filter: string): readonly number[] {
    const taken = this.#subjects(filter);
    return taken.map(({ value }) => Number(value)).sort((a, b) => a - b);
  }

  #subjects(filter: string): readonly { readonly key: string; readonly value: Buffer }[] {
    const head = literalHead(filter);
    const range = this.#last.getRange({ start: head, end: `${head}${LAST_CHARACTER}` });
    return [...range].filter(({ key }) => matches(filter, key));
  }

  /** Sequences of all messages that the filter takes, and perhaps of others. */
  *#sequences(filter: string, after: number): Iterable<number> {
    const [head, last] = splitLast(filter);
    if (literalHead(head) !== head || last === '>') {
      yield* this.#log.getKeys({ start: after + 1 });
    } else if (last === '*') {
      const range = { start: [head, after + 1], end: [head, LAST_SEQUENCE] };
      for (const place of this.#places.getKeys(range)) yield place[1];
    } else {
      yield* this.#sequencesUnder(filter, after);
    }
  }

  /** The messages under one subject form a chain: each names the one before. */
  #sequencesUnder(subject: string, after: number): readonly number[] {
    const found: number[] = [];
    for (let at = this.#lastUnder(subject); at > after; at = this.#before(at)) found.push(at);
    return found.reverse();
  }

  #before(sequence: number): number {
    const bytes = this.#log.get(sequence);
    return bytes === undefined ? 0 : headOf(bytes).before;
  }

  async #commit<T>(work: () => T): Promise<T | Extract<Appended, { kind: 'unknown' }>> {
    try {
      return await this.#embedded.commit(work);
    } catch (cause) {
      return { kind: 'unknown', cause };
    }
  }

  async #read<T>(look: () => T): Promise<T> {
    try {
      this.#embedded.refresh();
      return look();
    } catch (cause) {
      throw new StreamUnavailable(`reading the stream ${this.name} in ${this.#embedded.path}`, { cause });
    }
  }
}

/** What stands before a message's data; `before` is the last sequence under the same subject, 0 for none. */
type Head = { readonly subject: string; readonly id: string; readonly before: number };

function encode({ subject, id, before }: Head, data: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${JSON.stringify([subject, id, before])}\n`), data]);
}

/** Also where the data begins. */
function headOf(bytes: Buffer): Head & { readonly dataAt: number } {
  const end = bytes.indexOf(NEWLINE);
  const [subject, id, before] = JSON.parse(bytes.toString('utf8', 0, end)) as [string, string, number];
  return { subject, id, before, dataAt: end + 1 };
}

function decode(sequence: number, bytes: Buffer): Message {
  const { subject, id, dataAt } = headOf(bytes);
  return { sequence, subject, id, data: bytes.subarray(dataAt) };
}
