/**
 * The registry of the server at the other end of a wire, as the client of one agent.
 */
import { type Registry, RegistryUnavailable, type Written } from '../../store/registry/registry.ts';
import { type Life, mortalCall } from './mortal.ts';
import type { Wire } from './wire.ts';

type Key = Parameters<Registry['read']>[0];

/** Told of every write that an agent asks for, and of how it went. */
export type RegistryWatch = {
  /** The agent asks for a write now; null erases. */
  asks(key: Key, value: Uint8Array | null): void;
  /** The registry decides about a write now. */
  decides(key: Key, written: Written): void;
};

export class WiredRegistry implements Registry {
  readonly #registry: Registry;
  readonly #wire: Wire;
  readonly #life: Life;
  readonly #watch: RegistryWatch;

  constructor(registry: Registry, wire: Wire, life: Life, watch: RegistryWatch) {
    this.#registry = registry;
    this.#wire = wire;
    this.#life = life;
    this.#watch = watch;
  }

  read(key: Key): ReturnType<Registry['read']> {
    return this.#ask(`registry read ${key}`, () => this.#registry.read(key));
  }

  at(key: Key, revision: number): ReturnType<Registry['at']> {
    return this.#ask(`registry at ${key} ${revision}`, () => this.#registry.at(key, revision));
  }

  write(key: Key, value: Uint8Array, expected: number): Promise<Written> {
    this.#watch.asks(key, value);
    const what = `registry write ${key} at ${expected}`;
    return this.#write(what, key, () => this.#registry.write(key, value, expected));
  }

  erase(key: Key, expected: number): Promise<Written> {
    this.#watch.asks(key, null);
    const what = `registry erase ${key} at ${expected}`;
    return this.#write(what, key, () => this.#registry.erase(key, expected));
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

  #write(what: string, key: Key, serve: () => Promise<Written>): Promise<Written> {
    const noted = async (): Promise<Written> => {
      const written = await serve();
      this.#watch.decides(key, written);
      this.#wire.world.note(this.#wire.host, `${what}: ${written.kind}`);
      return written;
    };
    return mortalCall(this.#life, () =>
      this.#wire.ask(what, noted).catch((cause: unknown) => ({ kind: 'unknown', cause })),
    );
  }
}
