/**
 * The state of the fleet's registry as one host sees it, and tells it.
 *
 * What was seen is recorded once. A loss is told to the whole fleet before whoever found it makes it good,
 * and only when it is certain: a server that led, stood still, and answers before it has heard of its
 * successor shows a registry of yesterday. So a majority must agree to a write first, and what seemed lost
 * is then read again.
 */
import type { FactOf } from '../../events/fact.ts';
import type { Clock } from '../../reconciler/clock.ts';
import { coalesced } from '../../store/coalesced.ts';
import type { Journal } from '../../store/journal/journal.ts';
import { beginRebuilding, type Fleet, readFleet } from '../../store/registry/fleet.ts';
import { agree } from '../../store/registry/incarnation.ts';
import type { Registry } from '../../store/registry/registry.ts';

export type FleetWatchOptions = {
  readonly journal: Journal;
  readonly registry: Registry;
  readonly clock: Clock;
  /** It was rebuilding, and is open again. */
  readonly onOpen: () => void;
};

export class FleetWatch {
  readonly #options: FleetWatchOptions;
  /** The state that was last recorded, or is about to be. */
  #noted: { readonly state: Fleet['state']; readonly revision: number } | null;
  #fleet: Fleet | null = null;

  /** Looks at the state; whoever asks gets an answer that is not older than the question. Throws RegistryUnavailable. */
  readonly look = coalesced(() => this.#look());
  /** Resolves when what is read from now on is not older than the call. Throws RegistryUnavailable. */
  readonly agreed = coalesced(() => this.#agree());

  constructor(options: FleetWatchOptions) {
    this.#options = options;
    this.#noted = options.journal.positions().registry;
  }

  /** The state as it was last read; null before. */
  get fleet(): Fleet | null {
    return this.#fleet;
  }

  /** The revision of the state while the registry is rebuilding. */
  get rebuilding(): number | null {
    return this.#fleet?.state === 'rebuilding' ? this.#fleet.revision : null;
  }

  /** Tells the fleet that the registry has lost something, unless it knows. It must be certain. */
  async lost(what: string): Promise<void> {
    const { registry, clock, journal } = this.#options;
    const { host } = journal.identity;
    const statement = { by: host, what: `the registry has lost ${what}`, at: clock.wall() };
    const fleet = await beginRebuilding(registry, statement);
    if (fleet.kind === 'unknown') throw fleet.cause;
    await this.#note(fleet);
  }

  async #look(): Promise<void> {
    const fleet = await this.#read();
    if (!this.#isOlder(fleet)) return this.#note(fleet);
    await this.agreed();
    const again = await this.#read();
    if (!this.#isOlder(again)) return this.#note(again);
    await this.lost(`the state of the fleet at revision ${this.#noted?.revision}`);
  }

  async #read(): Promise<Fleet> {
    const fleet = await readFleet(this.#options.registry);
    if (fleet.kind === 'unknown') throw fleet.cause;
    return fleet;
  }

  #isOlder({ revision }: Fleet): boolean {
    return this.#noted !== null && revision < this.#noted.revision;
  }

  async #agree(): Promise<void> {
    const { registry, journal } = this.#options;
    const answer = await agree(registry, journal.identity.host);
    if (answer.kind === 'unknown') throw answer.cause;
  }

  /** Records that the registry is rebuilding, and that it is open again, each once. */
  async #note(fleet: Fleet): Promise<void> {
    const { state, revision, value } = fleet;
    const noted = this.#noted;
    const wasRebuilding = this.#fleet?.state === 'rebuilding';
    this.#fleet = fleet;
    const isNews = state === 'rebuilding' ? noted?.revision !== revision : noted?.state === 'rebuilding';
    if (isNews && value !== null) {
      this.#noted = { state, revision };
      if (!(await this.#record({ kind: 'registry', ...value, revision }))) this.#noted = noted;
    }
    if (wasRebuilding && state === 'open') this.#options.onOpen();
  }

  async #record(fact: FactOf<'registry'>): Promise<boolean> {
    return (await this.#options.journal.append({ facts: [fact] })).kind === 'durable';
  }
}
