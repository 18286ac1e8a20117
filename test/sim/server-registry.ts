/**
 * The fleet's registry on the simulated server: it knows who holds what without being asked.
 */
import type { Uuid } from '../../events/names.ts';
import { decodeHold, type Hold } from '../../store/registry/hold.ts';
import type { RegistryKey, Written } from '../../store/registry/registry.ts';
import { MemoryRegistry } from '../../store/registry/registry-memory.ts';
import type { World } from './world.ts';

/** A hold as it stands. */
export type Standing = { readonly hold: Hold; readonly revision: number; readonly since: string };

export class ServerRegistry extends MemoryRegistry {
  readonly #world: World;
  readonly #holds = new Map<string, Standing>();
  readonly #identities = new Map<string, Uint8Array>();
  /** Writes that changed something. */
  writes = 0;

  constructor(world: World) {
    super(() => world.wall());
    this.#world = world;
  }

  /** Who holds the UUID at this moment. */
  holdOf(uuid: Uuid): Standing | undefined {
    return this.#holds.get(uuid);
  }

  /** The value that says who speaks for a host. */
  identityOf(host: string): Uint8Array | undefined {
    return this.#identities.get(host);
  }

  override async write(key: RegistryKey, value: Uint8Array, expected: number): Promise<Written> {
    return this.#keep(key, value, await super.write(key, value, expected));
  }

  override async erase(key: RegistryKey, expected: number): Promise<Written> {
    return this.#keep(key, null, await super.erase(key, expected));
  }

  #keep(key: RegistryKey, value: Uint8Array | null, written: Written): Written {
    if (written.kind !== 'written') return written;
    this.writes += 1;
    this.#world.stirred = true;
    if (key.startsWith('host.') && value !== null) this.#identities.set(key.slice('host.'.length), value);
    const isHold = !key.startsWith('host.') && key !== 'fleet';
    if (isHold && value === null) this.#holds.delete(key);
    if (isHold && value !== null) {
      this.#holds.set(key, {
        hold: decodeHold(value),
        revision: written.revision,
        since: this.#world.wall(),
      });
    }
    return written;
  }
}
