/**
 * One host's way to the server: requests and answers get lost, doubled, or arrive when nobody waits for
 * them any more, and the host can be cut off.
 */
import type { Server } from './server.ts';
import type { World } from './world.ts';

/** How bad the network is. Probabilities are per message. */
export type Weather = {
  readonly loss: number;
  /** Rings of the doorbell that get lost. */
  readonly deafness: number;
  readonly doubling: number;
  /** A request is served long after its client gave up. */
  readonly lateness: number;
  readonly delayMsMax: number;
};

export const FAIR: Weather = { loss: 0, deafness: 0, doubling: 0, lateness: 0, delayMsMax: 5 };

/** How long a client waits for an answer. */
const TIMEOUT_MS = 1_000;
/** A doubled request arrives for the second time up to so much later. */
const DOUBLED_MS_MAX = 500;
/** A late request arrives up to so much later. */
const LATE_MS_MAX = 20_000;

/** No answer came in time; what was asked for may have happened, or may still. */
export class Lost extends Error {}

export class Wire {
  readonly world: World;
  readonly host: string;
  weather: Weather;
  readonly #server: Server;
  readonly #listeners = new Set<(state: 'up' | 'down') => void>();
  #cut = false;
  /** Counts the requests of which it is not known what became of them. */
  unknowns = 0;

  constructor(world: World, host: string, server: Server, weather: Weather) {
    this.world = world;
    this.host = host;
    this.weather = weather;
    this.#server = server;
    server.onState((state) => {
      if (!this.#cut) this.#tell(state);
    });
  }

  get up(): boolean {
    return !this.#cut && this.#server.up;
  }

  /** Cuts the host off, or connects it again. */
  setCut(cut: boolean): void {
    if (this.#cut === cut) return;
    this.#cut = cut;
    this.world.note(this.host, cut ? 'network: cut off' : 'network: connected');
    if (this.#server.up) this.#tell(cut ? 'down' : 'up');
  }

  /** Loses the connection, and makes another. */
  drop(): void {
    if (!this.up) return;
    this.setCut(true);
    this.world.after(this.world.random() * 2_000, () => this.setCut(false));
  }

  onState(listener: (state: 'up' | 'down') => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Asks the server; throws Lost, after the time-out, when the request or its answer was lost. */
  async ask<T>(what: string, serve: () => Promise<T>): Promise<T> {
    if (!(await this.#carry())) return this.#lost(`${what}: request lost`, serve);
    const answer = await serve();
    if (this.world.chance(this.weather.doubling)) this.#again(what, DOUBLED_MS_MAX, serve);
    if (!(await this.#carry())) return this.#lost(`${what}: answer lost`);
    return answer;
  }

  /** A ring, which nobody answers. */
  tell(what: string, deliver: () => void): void {
    void this.#carry(this.weather.deafness).then((arrived) => {
      if (arrived) deliver();
      else this.world.note(this.host, `${what}: lost`);
    });
  }

  #tell(state: 'up' | 'down'): void {
    for (const listener of [...this.#listeners]) listener(state);
  }

  async #carry(loss = this.weather.loss): Promise<boolean> {
    const lost = !this.up || this.world.chance(loss);
    await this.world.sleep(0.1 + this.world.random() * this.weather.delayMsMax);
    return !lost && this.up;
  }

  async #lost(what: string, serve?: () => Promise<unknown>): Promise<never> {
    this.unknowns += 1;
    this.world.note(this.host, what);
    if (serve !== undefined && this.world.chance(this.weather.lateness))
      this.#again(what, LATE_MS_MAX, serve);
    await this.world.sleep(TIMEOUT_MS);
    throw new Lost(what);
  }

  #again(what: string, withinMs: number, serve: () => Promise<unknown>): void {
    this.unknowns += 1;
    this.world.after(this.world.random() * withinMs, () => {
      if (!this.#server.up) return;
      this.world.note(this.host, `${what}: arrives`);
      void serve();
    });
  }
}
