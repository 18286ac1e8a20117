/**
 * The simulated network between an agent and the fleet's server: requests and answers get lost,
 * late, or doubled, and a host can be cut off.
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
import { type Registry, RegistryUnavailable, type Written } from '../../store/registry/registry.ts';
import { type Life, mortalCall } from './mortal.ts';
import type { World } from './world.ts';

/** How bad the network is. Probabilities are per message. */
export type Weather = { loss: number; doubling: number; delayMsMax: number };

/** How long a client waits for an answer. */
const TIMEOUT_MS = 1_000;
/** A doubled request arrives for the second time up to so much later. */
const DOUBLED_MS_MAX = 500;

class Lost extends Error {}

/** One host's way to the server. */
export class Wire {
  readonly world: World;
  readonly host: string;
  readonly weather: Weather;
  cut = false;
  readonly #listeners = new Set<(state: 'up' | 'down') => void>();

  constructor(world: World, host: string, weather: Weather) {
    this.world = world;
    this.host = host;
    this.weather = weather;
  }

  /** Cuts the host off, or connects it again. */
  setCut(cut: boolean): void {
    if (this.cut === cut) return;
    this.cut = cut;
    this.world.note(this.host, cut ? 'network: cut off' : 'network: connected');
    for (const listener of [...this.#listeners]) listener(cut ? 'down' : 'up');
  }

  onState(listener: (state: 'up' | 'down') => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Asks the server; throws Lost, after the time-out, when the request or its answer was lost. */
  async ask<T>(what: string, serve: () => Promise<T>): Promise<T> {
    if (!(await this.#carry())) return this.#lost(`${what}: request lost`);
    const answer = await serve();
    if (this.world.chance(this.weather.doubling)) this.#again(what, serve);
    if (!(await this.#carry())) return this.#lost(`${what}: answer lost`);
    return answer;
  }

  /** A message without an answer. */
  tell(what: string, deliver: () => void): void {
    void this.#carry().then((arrived) => {
      if (arrived) deliver();
      else this.world.note(this.host, `${what}: lost`);
    });
  }

  async #carry(): Promise<boolean> {
    const lost = this.cut || this.world.chance(this.weather.loss);
    await this.world.sleep(0.1 + this.world.random() * this.weather.delayMsMax);
    return !lost && !this.cut;
  }

  async #lost(what: string): Promise<never> {
    this.world.note(this.host, what);
    await this.world.sleep(TIMEOUT_MS);
    throw new Lost(what);
  }

  #again(what: string, serve: () => Promise<unknown>): void {
    this.world.after(this.world.random() * DOUBLED_MS_MAX, () => {
      this.world.note(this.host, `${what}: doubled`);
      void serve();
    });
  }
}

/** The registry at the other end of a wire. */
export class WiredRegistry implements Registry {
  readonly #registry: Registry;
  readonly #wire: Wire;
  readonly #life: Life;

  constructor(registry: Registry, wire: Wire, life: Life) {
    this.#registry = registry;
    this.#wire = wire;
    this.#life = life;
  }

  read(key: Parameters<Registry['read']>[0]): ReturnType<Registry['read']> {
    return this.#ask(`registry read ${key}`, () => this.#registry.read(key));
  }

  at(key: Parameters<Registry['at']>[0], revision: number): ReturnType<Registry['at']> {
    return this.#ask(`registry at ${key} ${revision}`, () => this.#registry.at(key, revision));
  }

  write(key: Parameters<Registry['write']>[0], value: Uint8Array, expected: number): Promise<Written> {
    return this.#write(`registry write ${key} at ${expected}`, () =>
      this.#registry.write(key, value, expected),
    );
  }

  erase(key: Parameters<Registry['erase']>[0], expected: number): Promise<Written> {
    return this.#write(`registry erase ${key} at ${expected}`, () => this.#registry.erase(key, expected));
  }

  async close(): Promise<void> {
    // The registry outlives its clients.
  }

  #ask<T>(what: string, serve: () => Promise<T>): Promise<T> {
    return mortalCall(this.#life, async () => {
      try {
        return await this.#wire.ask(what, serve);
      } catch (cause) {
        throw new RegistryUnavailable(what, { cause });
      }
    });
  }

  #write(what: string, serve: () => Promise<Written>): Promise<Written> {
    const noted = async (): Promise<Written> => {
      const written = await serve();
      this.#wire.world.note(this.#wire.host, `${what}: ${written.kind}`);
      return written;
    };
    return mortalCall(this.#life, () =>
      this.#wire.ask(what, noted).catch((cause: unknown) => ({ kind: 'unknown', cause })),
    );
  }
}

/** The streams at the other end of a wire. */
export class WiredStreams implements Streams {
  readonly desired: Stream;
  readonly observed: Stream;
  readonly command: Stream;
  readonly #streams: Streams;
  readonly #wire: Wire;
  readonly #life: Life;

  constructor(streams: Streams, wire: Wire, life: Life) {
    this.#streams = streams;
    this.#wire = wire;
    this.#life = life;
    this.desired = new WiredStream(streams.desired, wire, life);
    this.observed = new WiredStream(streams.observed, wire, life);
    this.command = new WiredStream(streams.command, wire, life);
  }

  doorbell(host: string, onRing: (ring: Ring) => void): () => void {
    return this.#streams.doorbell(host, (ring) => {
      this.#wire.tell('ring', () => {
        if (this.#life.alive) onRing(ring);
      });
    });
  }

  onConnection(listener: (state: 'up' | 'down') => void): () => void {
    const living = (state: 'up' | 'down'): void => {
      if (this.#life.alive) listener(state);
    };
    if (!this.#wire.cut) this.#wire.world.after(1, () => living('up'));
    return this.#wire.onState(living);
  }

  async close(): Promise<void> {
    // The server outlives its clients.
  }
}

class WiredStream implements Stream {
  readonly name: Stream['name'];
  readonly #stream: Stream;
  readonly #wire: Wire;
  readonly #life: Life;

  constructor(stream: Stream, wire: Wire, life: Life) {
    this.name = stream.name;
    this.#stream = stream;
    this.#wire = wire;
    this.#life = life;
  }

  append(message: Outgoing): Promise<Appended> {
    return mortalCall(this.#life, () =>
      this.#wire
        .ask(`${this.name} append ${message.subject}`, () => this.#stream.append(message))
        .catch((cause: unknown) => ({ kind: 'unknown', cause })),
    );
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

  async *lastPerSubject(filter: string): AsyncIterable<Message> {
    const all = await this.#ask('last per subject', () =>
      Array.fromAsync(this.#stream.lastPerSubject(filter)),
    );
    for (const one of all) {
      if (this.#wire.cut) throw new StreamUnavailable('cut off in the middle of last per subject');
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
