/**
 * The streams in memory, for tests and simulation: every client shares the one object.
 *
 * An append takes effect when it is called, before anything is awaited, so that whoever
 * schedules the calls decides their order. Ids are remembered for ever.
 */
import { alwaysUp } from './always-up.ts';
import type { HostId } from './names.ts';
import type { Appended, Message, Outgoing, Ring, Stream, StreamInfo, StreamName, Streams } from './stream.ts';
import { matches } from './wildcard.ts';

export type MemoryStreamsOptions = { readonly now: () => string };

/** The three streams and the doorbell. */
export function createMemoryStreams({ now }: MemoryStreamsOptions): MemoryStreams {
  return new MemoryStreams(now);
}

class MemoryStreams implements Streams {
  readonly desired: MemoryStream;
  readonly observed: MemoryStream;
  readonly command: MemoryStream;
  readonly #bells = new Map<string, Set<(ring: Ring) => void>>();

  constructor(now: () => string) {
    const ring = (name: StreamName, message: Message): void => this.#ring(name, message);
    this.desired = new MemoryStream('desired', now, ring);
    this.observed = new MemoryStream('observed', now, ring);
    this.command = new MemoryStream('command', now, ring);
  }

  doorbell(host: HostId, onRing: (ring: Ring) => void): () => void {
    const token = host.replaceAll('.', '_');
    const bells = this.#bells.get(token) ?? new Set();
    this.#bells.set(token, bells.add(onRing));
    return () => {
      bells.delete(onRing);
    };
  }

  onConnection(listener: (state: 'up' | 'down') => void): () => void {
    return alwaysUp(listener);
  }

  async close(): Promise<void> {
    // It holds nothing but memory.
  }

  #ring(name: StreamName, { subject, sequence }: Message): void {
    if (name === 'observed') return;
    const token = subject.split('.').at(-2) ?? '';
    for (const bell of [...(this.#bells.get(token) ?? [])]) bell({ stream: name, sequence });
  }
}

export class MemoryStream implements Stream {
  readonly name: StreamName;
  readonly #now: () => string;
  #created: string;
  readonly #messages: Message[] = [];
  readonly #ids = new Map<string, number>();
  readonly #last = new Map<string, Message>();
  readonly #ring: (name: StreamName, message: Message) => void;

  constructor(name: StreamName, now: () => string, ring: (name: StreamName, message: Message) => void) {
    this.name = name;
    this.#now = now;
    this.#created = now();
    this.#ring = ring;
  }

  async append({ subject, id, data, expectedSubjectSequence }: Outgoing): Promise<Appended> {
    const last = this.#last.get(subject)?.sequence ?? 0;
    if (expectedSubjectSequence !== undefined && expectedSubjectSequence !== last) {
      return { kind: 'wrong-sequence' };
    }
    const known = this.#ids.get(id);
    if (known !== undefined) return { kind: 'stored', sequence: known, duplicate: true };
    const sequence = this.#messages.length + 1;
    const message = { sequence, subject, id, data: data.slice(), storedAt: this.#now() };
    this.#messages.push(message);
    this.#ids.set(id, message.sequence);
    this.#last.set(subject, message);
    this.#ring(this.name, message);
    return { kind: 'stored', sequence: message.sequence, duplicate: false };
  }

  async appendAll(messages: readonly Outgoing[]): Promise<readonly Appended[]> {
    const answers: Appended[] = [];
    for (const message of messages) {
      const answer = await this.append(message);
      answers.push(answer);
      if (answer.kind !== 'stored') break;
    }
    return answers;
  }

  async info(): Promise<StreamInfo> {
    return { created: this.#created, firstSequence: 1, lastSequence: this.#messages.length };
  }

  async at(sequence: number): Promise<Message | undefined> {
    return this.#messages[sequence - 1];
  }

  async next(filter: string, after: number, limit: number): Promise<readonly Message[]> {
    const found: Message[] = [];
    for (let at = after; at < this.#messages.length && found.length < limit; at += 1) {
      const message = this.#messages[at];
      if (message !== undefined && matches(filter, message.subject)) found.push(message);
    }
    return found;
  }

  async last(filter: string): Promise<Message | undefined> {
    return this.#last.get(filter) ?? this.#messages.findLast(({ subject }) => matches(filter, subject));
  }

  async *lastPerSubject(filter: string | readonly string[]): AsyncIterable<Message> {
    const filters = [filter].flat();
    const all = [...this.#last.values()].filter(({ subject }) =>
      filters.some((one) => matches(one, subject)),
    );
    yield* all.sort((a, b) => a.sequence - b.sequence);
  }

  async subjects(filter: string): Promise<readonly string[]> {
    return [...this.#last.keys()].filter((subject) => matches(filter, subject));
  }

  /** Becomes another stream of the same name that holds only the first `keep` messages. */
  recreate(created: string, keep = 0): void {
    this.#created = created;
    this.truncate(keep);
  }

  /** Loses all but the first `keep` messages, and stays the same stream. */
  truncate(keep: number): void {
    const kept = this.#messages.slice(0, keep);
    this.#messages.length = 0;
    this.#ids.clear();
    this.#last.clear();
    for (const message of kept) {
      this.#messages.push(message);
      if (message.id !== null) this.#ids.set(message.id, message.sequence);
      this.#last.set(message.subject, message);
    }
  }
}
