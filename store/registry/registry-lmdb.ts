/**
 * The registry embedded in DIR/fleet, where one machine is the whole fleet.
 *
 * Several processes use it at once: what a write depends on is read inside its transaction.
 * Revisions come from one counter over all keys, as a stream's sequence does, and only the last
 * write of a key is kept.
 */
import { Buffer } from 'node:buffer';
import type { Database } from 'lmdb';
import { z } from 'zod';
import type { Embedded } from '../../events/embedded/embedded.ts';
import {
  type Entry,
  type Registry,
  type RegistryKey,
  RegistryUnavailable,
  type Written,
} from './registry.ts';

const stored = z.strictObject({
  revision: z.int().min(1),
  value: z.base64().nullable(),
  time: z.string(),
});

/** The registry in an open environment, which stays its opener's to close. */
export function openLmdbRegistry(embedded: Embedded): Registry {
  return new LmdbRegistry(embedded);
}

class LmdbRegistry implements Registry {
  readonly #embedded: Embedded;
  readonly #entries: Database<Buffer, string>;
  /** The last revision given, under the name of its only key. */
  readonly #counter: Database<Buffer, string>;

  constructor(embedded: Embedded) {
    this.#embedded = embedded;
    this.#entries = embedded.database('registry');
    this.#counter = embedded.database('registry-revision');
  }

  async read(key: RegistryKey): Promise<Entry | undefined> {
    try {
      this.#embedded.refresh();
      return this.#last(key);
    } catch (cause) {
      throw new RegistryUnavailable(`reading ${key} from the registry in ${this.#embedded.path}`, { cause });
    }
  }

  async at(key: RegistryKey, revision: number): Promise<Entry | undefined> {
    const last = await this.read(key);
    return last?.revision === revision ? last : undefined;
  }

  async write(key: RegistryKey, value: Uint8Array, expected: number): Promise<Written> {
    return this.#commit(key, Buffer.from(value).toString('base64'), expected);
  }

  async erase(key: RegistryKey, expected: number): Promise<Written> {
    return this.#commit(key, null, expected);
  }

  async close(): Promise<void> {
    // The environment belongs to whoever opened it.
  }

  async #commit(key: RegistryKey, value: string | null, expected: number): Promise<Written> {
    try {
      return await this.#embedded.commit(() => this.#put(key, value, expected));
    } catch (cause) {
      const what = `writing ${key} to the registry in ${this.#embedded.path}`;
      return { kind: 'unknown', cause: new RegistryUnavailable(what, { cause }) };
    }
  }

  #put(key: RegistryKey, value: string | null, expected: number): Written {
    const last = this.#last(key)?.revision ?? 0;
    if (last !== expected) return { kind: 'refused', revision: last };
    const revision = Number(this.#counter.get('last') ?? 0) + 1;
    const entry: z.infer<typeof stored> = { revision, value, time: this.#embedded.now() };
    this.#counter.putSync('last', Buffer.from(String(revision)));
    this.#entries.putSync(key, Buffer.from(JSON.stringify(entry)));
    return { kind: 'written', revision };
  }

  #last(key: RegistryKey): Entry | undefined {
    const bytes = this.#entries.get(key);
    if (bytes === undefined) return undefined;
    const { revision, value, time } = stored.parse(JSON.parse(bytes.toString()));
    return { revision, value: value === null ? null : Buffer.from(value, 'base64'), time };
  }
}
