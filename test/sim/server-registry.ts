/**
 * The fleet's registry on the simulated server: it knows who holds what without being asked.
 */
import type { Uuid } from '../../events/names.ts';
import { forceRelease } from '../../store/registry/force.ts';
import { decodeHold, type Hold } from '../../store/registry/hold.ts';
import type { RegistryKey, Written } from '../../store/registry/registry.ts';
import { MemoryRegistry } from '../../store/registry/registry-memory.ts';
import { readHold } from '../../store/registry/standing.ts';
import type { World } from './world.ts';

/** A hold as it stands. */
export type Standing = { readonly hold: Hold; readonly revision: number; readonly since: string };

export class ServerRegistry extends MemoryRegistry {
  readonly #world: World;
  readonly #holds = new Map<string, Standing>();
  readonly #identities = new Map<string, Uint8Array>();
  /** Writes that changed something. */
  writes = 0;
  /** True once an operator minds whether it can be opened again. */
  isMinded = false;
  /** UUIDs of which a hold was lost though it was acknowledged, or taken by force: whoever had it may still believe so. */
  readonly disputed = new Set<Uuid>();
  /** Of these, the ones that may exist twice: their holder was taken for dead, or was not there to object. */
  readonly given = new Set<Uuid>();

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

  /** Loses its last writes, though it had acknowledged them. */
  async lose(writes: number): Promise<void> {
    for (const key of this.forget(writes)) {
      const value = (await this.read(key))?.value ?? null;
      if (isHold(key)) this.disputed.add(key);
      this.#know(key, value, (await this.read(key))?.revision ?? 0);
    }
  }

  /** Takes the UUID from its holder by force. */
  async force(uuid: Uuid): Promise<void> {
    const held = await readHold(this, uuid);
    if (held === undefined || held.hold.phase === 'fenced') return;
    this.disputed.add(uuid);
    this.given.add(uuid);
    await forceRelease(this, uuid, held);
  }

  #keep(key: RegistryKey, value: Uint8Array | null, written: Written): Written {
    if (written.kind !== 'written') return written;
    this.writes += 1;
    this.#know(key, value, written.revision);
    return written;
  }

  #know(key: RegistryKey, value: Uint8Array | null, revision: number): void {
    this.#world.stirred = true;
    if (key.startsWith('host.')) {
      if (value === null) this.#identities.delete(key.slice('host.'.length));
      else this.#identities.set(key.slice('host.'.length), value);
    }
    if (!isHold(key)) return;
    if (value === null) this.#holds.delete(key);
    else this.#holds.set(key, { hold: decodeHold(value), revision, since: this.#world.wall() });
  }
}

function isHold(key: RegistryKey): boolean {
  return !key.startsWith('host.') && key !== 'fleet';
}
