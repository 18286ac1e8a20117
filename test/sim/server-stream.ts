/**
 * A stream on the simulated server, with what a real one does to its clients.
 *
 * Its leader has every message. Readers by subject are answered by any replica, and one may be
 * behind: it has a beginning of what the leader has. Message ids are forgotten after a while. It can be
 * made anew, or go back to an earlier state and then give other messages the same sequences.
 */
import type { Appended, Message, Outgoing, Stream, StreamInfo, StreamName } from '../../events/stream.ts';
import { matches } from '../../events/wildcard.ts';
import type { World } from './world.ts';

type Stored = { readonly message: Message; readonly atMs: number };

/** What an operator of the server did to a stream, and when. */
export type Rewind = { readonly atMs: number; readonly kept: number };

export type StreamOptions = {
  readonly world: World;
  readonly name: StreamName;
  /** For so long the server knows a message id. */
  readonly duplicateWindowMs: number;
  /** Called for each message that was stored. */
  readonly onStored: (message: Message) => void;
};

export class ServerStream implements Stream {
  readonly name: StreamName;
  readonly rewinds: Rewind[] = [];
  /** How far the replicas are behind the leader. */
  lagMs = 0;
  readonly #options: StreamOptions;
  #created: string;
  #stored: Stored[] = [];
  readonly #ids = new Map<string, Stored>();

  constructor(options: StreamOptions) {
    this.name = options.name;
    this.#options = options;
    this.#created = options.world.wall();
  }

  get length(): number {
    return this.#stored.length;
  }

  /** Everything that the leader has. */
  all(): readonly Message[] {
    return this.#stored.map(({ message }) => message);
  }

  /** The last message on the subject, as the leader has it. */
  lastOn(subject: string): Message | undefined {
    return this.#stored.findLast(({ message }) => message.subject === subject)?.message;
  }

  async append({ subject, id, data }: Outgoing): Promise<Appended> {
    const known = this.#ids.get(id);
    if (known !== undefined && this.#now() - known.atMs < this.#options.duplicateWindowMs) {
      return { kind: 'stored', sequence: known.message.sequence, duplicate: true };
    }
    const storedAt = this.#options.world.wall();
    const message = { sequence: this.#stored.length + 1, subject, id, data: data.slice(), storedAt };
    const stored = { message, atMs: this.#now() };
    this.#stored.push(stored);
    this.#ids.set(id, stored);
    this.#options.onStored(message);
    return { kind: 'stored', sequence: message.sequence, duplicate: false };
  }

  async appendAll(messages: readonly Outgoing[]): Promise<readonly Appended[]> {
    return Promise.all(messages.map((message) => this.append(message)));
  }

  async info(): Promise<StreamInfo> {
    return { created: this.#created, firstSequence: 1, lastSequence: this.#stored.length };
  }

  async at(sequence: number): Promise<Message | undefined> {
    return this.#stored[sequence - 1]?.message;
  }

  async next(filter: string, after: number, limit: number): Promise<readonly Message[]> {
    const end = this.#replica();
    const found: Message[] = [];
    for (let at = after; at < end && found.length < limit; at += 1) {
      const message = this.#stored[at]?.message;
      if (message !== undefined && matches(filter, message.subject)) found.push(message);
    }
    return found;
  }

  async last(filter: string): Promise<Message | undefined> {
    return this.#stored.findLast(({ message }) => matches(filter, message.subject))?.message;
  }

  /** By a consumer, which may have been put on any replica. */
  async *lastPerSubject(filter: string | readonly string[]): AsyncIterable<Message> {
    const filters = [filter].flat();
    const last = new Map<string, Message>();
    for (const { message } of this.#stored.slice(0, this.#replica())) {
      if (filters.some((one) => matches(one, message.subject))) last.set(message.subject, message);
    }
    yield* [...last.values()].sort((a, b) => a.sequence - b.sequence);
  }

  async subjects(filter: string): Promise<readonly string[]> {
    const all = new Set(this.#stored.map(({ message }) => message.subject));
    return [...all].filter((subject) => matches(filter, subject));
  }

  /** Goes back to its first `kept` messages; made anew, it is another stream of the same name. */
  rewind(kept: number, how: 'restored' | 'made anew'): void {
    if (how === 'made anew') this.#created = this.#options.world.wall();
    this.rewinds.push({ atMs: this.#now(), kept });
    this.#stored = this.#stored.slice(0, kept);
    this.#ids.clear();
  }

  /** How many messages the replica has that happens to answer. */
  #replica(): number {
    const { world } = this.#options;
    if (this.lagMs === 0 || world.chance(0.5)) return this.#stored.length;
    const beforeMs = this.#now() - this.lagMs;
    return this.#stored.findLastIndex(({ atMs }) => atMs <= beforeMs) + 1;
  }

  #now(): number {
    return this.#options.world.monotonicMs();
  }
}
