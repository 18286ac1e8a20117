/**
 * The streams of the server at the other end of a wire, as the client of one agent.
 */
import {
  type Appended,
  type Message,
  type Outgoing,
  type Ring,
  type Stream,
  type Streams,
  StreamUnavailable,
} from '../../events/stream.ts';
import { type Life, mortalCall } from './mortal.ts';
import type { Server } from './server.ts';
import type { ServerStream } from './server-stream.ts';
import { Lost, type Wire } from './wire.ts';

/** How long after its start a client has a connection. */
const CONNECT_MS = 1;

export class WiredStreams implements Streams {
  readonly desired: Stream;
  readonly observed: Stream;
  readonly command: Stream;
  readonly #server: Server;
  readonly #wire: Wire;
  readonly #life: Life;

  constructor(server: Server, wire: Wire, life: Life) {
    this.#server = server;
    this.#wire = wire;
    this.#life = life;
    this.desired = new WiredStream(server.desired, wire, life);
    this.observed = new WiredStream(server.observed, wire, life);
    this.command = new WiredStream(server.command, wire, life);
  }

  doorbell(host: string, onRing: (ring: Ring) => void): () => void {
    const end = this.#server.doorbell(host, (ring) => {
      if (!this.#life.alive) return end();
      this.#wire.tell('ring', () => {
        if (this.#life.alive) onRing(ring);
      });
    });
    return end;
  }

  onConnection(listener: (state: 'up' | 'down') => void): () => void {
    const living = (state: 'up' | 'down'): void => {
      if (this.#life.alive) listener(state);
      else end();
    };
    const end = this.#wire.onState(living);
    this.#wire.world.after(CONNECT_MS, () => {
      if (this.#wire.up) living('up');
    });
    return end;
  }

  async close(): Promise<void> {
    // The server outlives its clients.
  }
}

class WiredStream implements Stream {
  readonly name: Stream['name'];
  readonly #stream: ServerStream;
  readonly #wire: Wire;
  readonly #life: Life;

  constructor(stream: ServerStream, wire: Wire, life: Life) {
    this.name = stream.name;
    this.#stream = stream;
    this.#wire = wire;
    this.#life = life;
  }

  async append(message: Outgoing): Promise<Appended> {
    const [answer] = await this.appendAll([message]);
    return answer ?? { kind: 'unknown', cause: 'no answer' };
  }

  /** One connection carries a batch in order: of one that is lost, the server may have a beginning. */
  appendAll(messages: readonly Outgoing[]): Promise<readonly Appended[]> {
    const { world } = this.#wire;
    const what = `${this.name} append of ${messages.length}`;
    const serve = (): Promise<readonly Appended[]> => this.#stream.appendAll(messages);
    return mortalCall(this.#life, async () => {
      try {
        return this.#oneUnheard(await this.#wire.ask(what, serve));
      } catch (cause) {
        if (!(cause instanceof Lost)) throw cause;
        const begun = messages.slice(0, world.between(0, messages.length));
        if (this.#wire.up && world.chance(0.3)) void this.#stream.appendAll(begun);
        return messages.map(() => ({ kind: 'unknown', cause }));
      }
    });
  }

  /** Now and then, one of many answers gets lost. */
  #oneUnheard(answers: readonly Appended[]): readonly Appended[] {
    const { world, weather } = this.#wire;
    if (!world.chance(weather.loss)) return answers;
    this.#wire.unknowns += answers.length;
    const unheard = world.between(0, answers.length - 1);
    return answers.map((one, at) => (at === unheard ? { kind: 'unknown', cause: 'no answer' } : one));
  }

  info(): ReturnType<Stream['info']> {
    return this.#ask('info', () => this.#stream.info());
  }

  at(sequence: number): Promise<Message | undefined> {
    return this.#ask(`at ${sequence}`, () => this.#stream.at(sequence));
  }

  next(filter: string, after: number, limit: number): Promise<readonly Message[]> {
    return this.#ask(`next after ${after}`, () => this.#stream.next(filter, after, limit));
  }

  last(subject: string): Promise<Message | undefined> {
    return this.#ask(`last ${subject}`, () => this.#stream.last(subject));
  }

  subjects(filter: string): Promise<readonly string[]> {
    return this.#ask('subjects', () => this.#stream.subjects(filter));
  }

  async *lastPerSubject(filter: string | readonly string[]): AsyncIterable<Message> {
    const all = await this.#ask('last per subject', () =>
      Array.fromAsync(this.#stream.lastPerSubject(filter)),
    );
    for (const one of all) {
      if (!this.#wire.up) throw new StreamUnavailable('cut off in the middle of last per subject');
      yield one;
    }
  }

  #ask<T>(what: string, serve: () => Promise<T>): Promise<T> {
    return mortalCall(this.#life, async () => {
      try {
        return await this.#wire.ask(`${this.name} ${what}`, serve);
      } catch (cause) {
        throw new StreamUnavailable(what, { cause });
      }
    });
  }
}
