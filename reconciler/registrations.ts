/**
 * In which registration of its parent each device was seen last.
 *
 * A driver that is reloaded takes its parent's devices along and brings the parent back before
 * anybody has looked. A parent that is there is then no proof that it was not gone; but it is
 * registered anew, and each registration has a number of its own.
 */
import type { Uuid } from '../events/names.ts';

type Seen = { readonly parent: string; readonly registration: number };

export class Registrations {
  readonly #seen = new Map<Uuid, Seen>();

  /** The device stands below the parent, whose registration is null while it goes away. */
  saw(uuid: Uuid, parent: string, registration: number | null): void {
    if (registration !== null) this.#seen.set(uuid, { parent, registration });
  }

  /** True if the parent is not registered as it was when the device was seen on it. */
  isOver(uuid: Uuid, parent: string, registration: number | null): boolean {
    const seen = this.#seen.get(uuid);
    return seen?.parent === parent && registration !== seen.registration;
  }

  /** Nobody asks for the device any more. */
  forget(uuid: Uuid): void {
    this.#seen.delete(uuid);
  }
}
