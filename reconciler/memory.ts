/**
 * What this agent remembers of its own doing, and loses when it ends.
 *
 * Nothing here is needed to be right, only to be precise: whether a device was made by this
 * agent (then it may take it back), whether it was seen since the machine booted, and whether
 * it has settled since its attributes were written again; and whom it is still telling of a change.
 */
import type { Uuid } from '../events/names.ts';

/** `untried`: reserved by this agent, which has not written `create` since. */
export type Made = 'untried' | 'tried' | 'created';

export class Memory {
  readonly #made = new Map<Uuid, Made>();
  readonly #seen = new Set<Uuid>();
  readonly #rewritten = new Set<Uuid>();
  readonly #telling = new Map<Uuid, Promise<void>>();
  readonly #bootIsNew: boolean;

  /** @param bootIsNew true when the machine booted since the journal was last written */
  constructor(bootIsNew: boolean) {
    this.#bootIsNew = bootIsNew;
  }

  made(uuid: Uuid): Made | undefined {
    return this.#made.get(uuid);
  }

  untried(uuid: Uuid): void {
    this.#made.set(uuid, 'untried');
  }

  tried(uuid: Uuid): void {
    this.#made.set(uuid, 'tried');
  }

  created(uuid: Uuid): void {
    this.#made.set(uuid, 'created');
  }

  /** The device is not there any more, and that is recorded. */
  lost(uuid: Uuid): void {
    this.#made.set(uuid, 'untried');
    this.#seen.add(uuid);
  }

  /** Lets somebody be told of a change, once he has heard what was said of the UUID before; nobody waits for that. */
  tell(uuid: Uuid, say: () => Promise<void>): void {
    const told = this.told(uuid).then(say);
    this.#telling.set(uuid, told);
    void told.then(() => {
      if (this.#telling.get(uuid) === told) this.#telling.delete(uuid);
    });
  }

  /** Resolves once everything is heard that was said of the UUID so far. */
  async told(uuid: Uuid): Promise<void> {
    await this.#telling.get(uuid);
  }

  /** Resolves once everything is heard that was said so far. */
  async allTold(): Promise<void> {
    await Promise.all(this.#telling.values());
  }

  /** Attributes that somebody had changed were written again. */
  rewrote(uuid: Uuid): void {
    this.#rewritten.add(uuid);
  }

  /** True from then until the device is seen settled. */
  rewritten(uuid: Uuid): boolean {
    return this.#rewritten.has(uuid);
  }

  /** The device was whole just now. */
  seen(uuid: Uuid): void {
    this.#made.delete(uuid);
    this.#rewritten.delete(uuid);
    this.#seen.add(uuid);
  }

  /** True while it was neither seen nor missed since a new boot. */
  rebooted(uuid: Uuid): boolean {
    return this.#bootIsNew && !this.#seen.has(uuid);
  }
}
