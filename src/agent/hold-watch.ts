/**
 * When the holds of a host are read back from the registry, and what is in doubt of them.
 *
 * All of them on each new connection, now and then, and whenever the registry begins to rebuild; those of which
 * another host may be the holder again and again until that is known; and one of which an operator said that he
 * takes it by force at once, and a few times more, since he says so before he does it.
 */
import type { Holder } from '../../events/fact.ts';
import type { HostId, Uuid } from '../../events/names.ts';
import type { Clock } from '../../reconciler/clock.ts';
import type { Journal } from '../../store/journal/journal.ts';
import { type ReadBackOptions, readBack, takeBack } from '../../store/read-back.ts';
import { confirmedBy } from '../../store/registry/incarnation.ts';
import type { Registry } from '../../store/registry/registry.ts';
import { holds } from '../../store/registry/standing.ts';
import type { FleetWatch } from './fleet-watch.ts';

/** Looks at a hold of which it was said that it is taken by force; with the time between two, half a minute. */
const FORCED_LOOKS_MAX = 15;

export type HoldWatchOptions = {
  readonly journal: Journal;
  readonly registry: Registry;
  readonly clock: Clock;
  /** `holdsMs`: time between two readings of all holds while the connection stays. */
  readonly limits: { readonly holdsMs: number };
  readonly watch: FleetWatch;
  /** Something durable was recorded about the UUID, or it is not in doubt any more. */
  readonly onRecorded: (uuid: Uuid) => void;
};

/** When all was last read back, over which connection, and under which rebuilding, if any. */
type Last = { readonly connection: number; readonly atMs: number; readonly under: number | null };

export class HoldWatch {
  readonly #options: HoldWatchOptions;
  #last: Last | null = null;
  /** Holds that the registry has lost, and of which somebody else may be the holder; who, for people. */
  #disputes: ReadonlyMap<Uuid, string> = new Map();
  /** Holds that are said to be taken by force, and looks that are left. */
  readonly #forced = new Map<Uuid, number>();

  constructor(options: HoldWatchOptions) {
    this.#options = options;
  }

  /** Who else may have the UUID, as far as it was in doubt when it was last read back; null for nobody. */
  dispute(uuid: Uuid): string | null {
    return this.#disputes.get(uuid) ?? null;
  }

  /** An operator has said that he takes the UUID from this host. */
  forced(uuid: Uuid): void {
    this.#forced.set(uuid, FORCED_LOOKS_MAX);
  }

  /** True while a hold should be read back soon. */
  get isPressing(): boolean {
    return this.#disputes.size > 0 || this.#forced.size > 0;
  }

  /** The rebuilding under which all holds were last read back, and nothing of them was in doubt; null otherwise. */
  get wholeUnder(): number | null {
    return this.#disputes.size === 0 ? (this.#last?.under ?? null) : null;
  }

  /** Reads back what is due. Throws like `readBack`. */
  async read(incarnation: number, connection: number): Promise<void> {
    const { clock, limits, watch } = this.#options;
    const atMs = clock.monotonicMs();
    const last = this.#last;
    const isNew = last?.connection !== connection || last.under !== watch.rebuilding;
    if (isNew || this.#disputes.size > 0 || atMs - last.atMs >= limits.holdsMs) {
      await this.#readAll(incarnation, isNew);
      this.#last = { connection, atMs, under: watch.rebuilding };
    } else if (this.#forced.size > 0) {
      await readBack(this.#asking(incarnation, new Map(this.#disputes)), [...this.#forced.keys()]);
    }
    for (const [uuid, looks] of this.#forced) this.#lookedAt(uuid, looks - 1);
  }

  async #readAll(incarnation: number, isNew: boolean): Promise<void> {
    const disputes = new Map<Uuid, string>();
    const asking = this.#asking(incarnation, disputes);
    await readBack(asking);
    if (isNew) await takeBack(asking);
    if (asking.isMadeAgain)
      await this.#options.journal.append({ facts: [], positions: { madeAgain: false } });
    const settled = [...this.#disputes.keys()].filter((uuid) => !disputes.has(uuid));
    this.#disputes = disputes;
    for (const uuid of settled) this.#options.onRecorded(uuid);
  }

  #asking(incarnation: number, disputes: Map<Uuid, string>): ReadBackOptions {
    const { journal, registry, onRecorded, watch } = this.#options;
    const isMadeAgain = journal.positions().madeAgain === true;
    return {
      ...{ journal, registry, incarnation, onRecorded, isMadeAgain },
      onLost: (what: string) => watch.lost(what),
      agreed: () => watch.agreed(),
      isRebuilding: () => watch.rebuilding !== null,
      isConfirmed: async (host: HostId) => (await confirmedBy(registry, host)) === watch.rebuilding,
      onDisputed: (uuid: Uuid, holder: Holder) => void disputes.set(uuid, holds(holder)),
    };
  }

  #lookedAt(uuid: Uuid, left: number): void {
    const { reservation } = this.#options.journal.latest(uuid);
    const isOver = reservation === null || reservation.phase === 'fenced' || left <= 0;
    if (isOver) this.#forced.delete(uuid);
    else this.#forced.set(uuid, left);
  }
}
