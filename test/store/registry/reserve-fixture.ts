/** One UUID in a registry in memory, put as a test of the reservation protocol wants it. */
import type { Claim } from '../../../events/names.ts';
import { decodeHold, encodeValue, type Hold } from '../../../store/registry/hold.ts';
import { type Registry, RegistryUnavailable, type Written } from '../../../store/registry/registry.ts';
import { MemoryRegistry } from '../../../store/registry/registry-memory.ts';

export const UUID = '00000000-0000-4000-8000-000000000001';
export const TIME = '2026-01-01T00:00:00.000Z';
export const A: Claim = { host: 'a', parent: 'p', type: 't' };
export const B: Claim = { host: 'b', parent: 'p', type: 't' };
const GENERATION = { epoch: 1, sequence: 1 };
export const A_WISH = { claim: A, generation: GENERATION, incarnation: 1, replaces: null };
export const B_WISH = { ...A_WISH, claim: B };

export class Key {
  readonly registry = new MemoryRegistry(() => TIME);

  /** Puts a hold there as it stands; answers its revision. */
  async put(hold: Partial<Hold>): Promise<number> {
    const whole: Hold = { v: 1, claim: A, phase: 'held', generation: GENERATION, incarnation: 1, ...hold };
    return revisionOf(await this.registry.write(UUID, encodeValue(whole), await this.revision()));
  }

  /** Erases it; answers the revision. */
  async erase(): Promise<number> {
    return revisionOf(await this.registry.erase(UUID, await this.revision()));
  }

  async revision(): Promise<number> {
    return (await this.registry.read(UUID))?.revision ?? 0;
  }

  async standing(): Promise<Hold | null> {
    const value = (await this.registry.read(UUID))?.value ?? null;
    return value === null ? null : decodeHold(value);
  }
}

function revisionOf(written: Written): number {
  if (written.kind !== 'written') throw new Error('the test could not write', { cause: written });
  return written.revision;
}

/** A registry with some of its functions replaced. */
export function faulty(registry: Registry, faults: Partial<Registry>): Registry {
  return {
    read: (key) => registry.read(key),
    at: (key, revision) => registry.at(key, revision),
    write: (key, value, expected) => registry.write(key, value, expected),
    erase: (key, expected) => registry.erase(key, expected),
    close: () => registry.close(),
    ...faults,
  };
}

export async function down(): Promise<never> {
  throw new RegistryUnavailable('down');
}

export async function noAnswer(): Promise<Written> {
  return { kind: 'unknown', cause: 'no answer' };
}
