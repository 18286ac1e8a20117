/**
 * The port to the fleet's registry: keys with a revision, written by compare-and-set.
 *
 * Reads are served by the leader. A `taken` answer to a write is certain; `unknown` means that it
 * may or may not have happened, and is closed by writing again at the same expected
 * revision, never by reading. An erased key has a revision too: missing is an answer with a revision.
 */
import type { HostId, Uuid } from '../../events/names.ts';

/** A key's last write. `value` is null when the last write was an erase. */
export type Entry = {
  readonly revision: number;
  readonly value: Uint8Array | null;
  /** When it was written, RFC 3339, by the registry's clock. */
  readonly time: string;
};

/**
 * The answer to a write. `refused` names the revision that stood there instead,
 * where the registry told it. `unknown`: a time-out, whose cause is a RegistryUnavailable, or another
 * write was in flight, which passes.
 */
export type Written =
  | { readonly kind: 'written'; readonly revision: number }
  | { readonly kind: 'refused'; readonly revision: number | null }
  | { readonly kind: 'unknown'; readonly cause: unknown };

export interface Registry {
  /** The key's last write, or undefined if there never was one. Throws RegistryUnavailable. */
  read(key: RegistryKey): Promise<Entry | undefined>;
  /** The write with this revision, which cannot change; undefined when it was overwritten since. Throws RegistryUnavailable. */
  at(key: RegistryKey, revision: number): Promise<Entry | undefined>;
  /** Writes if the key's last revision is `expected`; 0 for a key never written. */
  write(key: RegistryKey, value: Uint8Array, expected: number): Promise<Written>;
  /** Erases, leaving a revision, if the key's last revision is `expected`. */
  erase(key: RegistryKey, expected: number): Promise<Written>;
  close(): Promise<void>;
}

/** A UUID's hold, the identity that speaks for a host, or the fleet's own state. */
export type RegistryKey = `${Uuid}` | `host.${HostId}` | 'fleet';

/** The registry could not be asked; nothing is known of what it holds. */
export class RegistryUnavailable extends Error {
  override readonly name: string = 'RegistryUnavailable';
}
