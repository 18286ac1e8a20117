/**
 * Release by force: an operator states that a holder is dead, and takes the UUID from it.
 *
 * What is written is a tombstone, never a delete: the old holder, once back, must be able to tell that
 * it was fenced from a registry that has lost its hold.
 */
import type { Uuid } from '../../events/names.ts';
import { encodeValue } from './hold.ts';
import type { Registry } from './registry.ts';
import type { Held, Unknown } from './standing.ts';

/** `changed`: what was to be fenced does not stand there any more; look again. */
export type Forced =
  | { readonly kind: 'fenced'; readonly revision: number }
  | { readonly kind: 'changed' }
  | Unknown;

/** Writes a tombstone over the hold as it was read. */
export async function forceRelease(registry: Registry, uuid: Uuid, held: Held): Promise<Forced> {
  const tombstone = encodeValue({ ...held.hold, phase: 'fenced' });
  const written = await registry.write(uuid, tombstone, held.revision);
  switch (written.kind) {
    case 'written':
      return { kind: 'fenced', revision: written.revision };
    case 'refused':
      return { kind: 'changed' };
    case 'unknown':
      return written;
    default:
      return written satisfies never;
  }
}
