/**
 * The registry in memory, for tests and simulation: every client shares the one object.
 *
 * A write takes effect when it is called, before anything is awaited, so that whoever
 * schedules the calls decides their order. Only the last write of a key is kept, as by the other adapters.
 */
import type { Entry, Registry, RegistryKey, Written } from './registry.ts';

export class MemoryRegistry implements Registry {
  readonly #entries = new Map<RegistryKey, Entry>();
  /** What stood under each written key before, in order. */
  readonly #before: { readonly key: RegistryKey; readonly entry: Entry | undefined }[] = [];
  readonly #now: () => string;
  #revision = 0;

  /** `now` is the registry's clock: RFC 3339 in UTC. */
  constructor(now: () => string) {
    this.#now = now;
  }

  /** The last revision given. */
  get revision(): number {
    return this.#revision;
  }

  async read(key: RegistryKey): Promise<Entry | undefined> {
    return this.#entries.get(key);
  }

  async at(key: RegistryKey, revision: number): Promise<Entry | undefined> {
    const last = this.#entries.get(key);
    return last?.revision === revision ? last : undefined;
  }

  async write(key: RegistryKey, value: Uint8Array, expected: number): Promise<Written> {
    return this.#put(key, value.slice(), expected);
  }

  async erase(key: RegistryKey, expected: number): Promise<Written> {
    return this.#put(key, null, expected);
  }

  /** Loses its last writes, though they were acknowledged, as a server may in a power cut. Answers the keys, last first. */
  forget(writes: number): readonly RegistryKey[] {
    const lost = this.#before.splice(Math.max(0, this.#before.length - writes)).reverse();
    for (const { key, entry } of lost) {
      if (entry === undefined) this.#entries.delete(key);
      else this.#entries.set(key, entry);
    }
    this.#revision -= lost.length;
    return lost.map(({ key }) => key);
  }

  async close(): Promise<void> {
    // It holds nothing but memory.
  }

  #put(key: RegistryKey, value: Uint8Array | null, expected: number): Written {
    const entry = this.#entries.get(key);
    const last = entry?.revision ?? 0;
    if (last !== expected) return { kind: 'refused', revision: last };
    this.#before.push({ key, entry });
    this.#revision += 1;
    this.#entries.set(key, { revision: this.#revision, value, time: this.#now() });
    return { kind: 'written', revision: this.#revision };
  }
}
