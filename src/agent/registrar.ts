/**
 * What the registry knows of this host's agent, and the agent of the registry.
 *
 * On each new connection, before anything else is read or written in the fleet's name, and now and then,
 * it is proved that this agent speaks for its host, the fleet's state is looked at, and the holds are read
 * back. A write that the registry had acknowledged and does not know any more stops new reservations in
 * the whole fleet before it is made good: what one host lost, others may have lost too.
 */

import type { Uuid } from '../../events/names.ts';
import type { Admission } from '../../reconciler/acting.ts';
import type { Cancel, Clock } from '../../reconciler/clock.ts';
import type { Journal } from '../../store/journal/journal.ts';
import type { Fleet } from '../../store/registry/fleet.ts';
import {
  confirmHolds,
  raiseIncarnation,
  type Speaker,
  type Speaking,
  stillOurs,
} from '../../store/registry/incarnation.ts';
import { type Registry, RegistryUnavailable } from '../../store/registry/registry.ts';
import { FleetWatch } from './fleet-watch.ts';
import { HoldWatch } from './hold-watch.ts';

export type RegistrarLimits = {
  /** Time between two proofs that this agent still speaks for its host, and looks at the fleet's state. */
  readonly proveMs: number;
  /** Time between two readings of all that is held here, while the connection stays. */
  readonly holdsMs: number;
  /**
   * Time after a new connection before a UUID is taken that is not held yet. A registry that came back may have
   * lost what others hold: within this time they come back too, and notice.
   */
  readonly takeGraceMs: number;
  /** A registry that was not reached for so long after a start or a new connection is said to be unreachable. */
  readonly joinMsMax: number;
  /** Time between two looks at a hold of which it is not known who has it. */
  readonly disputeMs: number;
};

export const REGISTRAR_LIMITS: RegistrarLimits = {
  proveMs: 60_000,
  holdsMs: 600_000,
  takeGraceMs: 5_000,
  joinMsMax: 15_000,
  disputeMs: 2_000,
};

export type RegistrarOptions = {
  readonly journal: Journal;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly limits: RegistrarLimits;
  /** Something durable was recorded about the UUID. */
  readonly onRecorded: (uuid: Uuid) => void;
  /** UUIDs may be taken (again), as far as this agent knows. */
  readonly onOpen: () => void;
  /** It is time to prove again. */
  readonly onDue: () => void;
};

/** Somebody else speaks for this host. */
export class Overtaken extends Error {
  override readonly name = 'Overtaken';
}

export class Registrar {
  readonly #options: RegistrarOptions;
  readonly #speaker: Speaker;
  readonly #watch: FleetWatch;
  readonly #holds: HoldWatch;
  /** Raised by this agent; null before that, and once the registry has lost it. */
  #incarnation: number | null = null;
  /** Counts connections: what was proved over one is not proved over the next. */
  #connection = 0;
  /** The connection over which everything was proved. */
  #proved: number | null = null;
  #isDue = true;
  #sinceMs: number;
  #cancelDue: Cancel = () => {};
  #cancelGrace: Cancel = () => {};
  #isGrace = true;

  constructor(options: RegistrarOptions) {
    const { host, journal, machine } = options.journal.identity;
    this.#options = options;
    this.#speaker = { host, journal, machine };
    this.#watch = new FleetWatch(options);
    this.#holds = new HoldWatch({ ...options, watch: this.#watch });
    this.#sinceMs = options.clock.monotonicMs();
  }

  /** The incarnation under which this agent may write in the registry; null while it may not. */
  get incarnation(): number | null {
    return this.#proved === this.#connection ? this.#incarnation : null;
  }

  /** True once everything was proved over any connection. */
  get hasReached(): boolean {
    return this.#proved !== null;
  }

  /** True when `prove` should be called. */
  get isDue(): boolean {
    return this.#isDue || this.incarnation === null;
  }

  /** The connection is new: nothing is written before everything is proved again. */
  reconnected(): void {
    this.#connection += 1;
    this.#sinceMs = this.#options.clock.monotonicMs();
    this.#cancelGrace();
    this.#isGrace = true;
  }

  stop(): void {
    this.#cancelDue();
    this.#cancelGrace();
  }

  /** Proves all that has to be proved. Throws Overtaken, RegistryUnavailable, or what the journal does not take. */
  async prove(): Promise<void> {
    const connection = this.#connection;
    const incarnation = await this.#proveIdentity();
    await this.#watch.look();
    await this.#holds.read(incarnation, this.#connection);
    await this.#confirm(incarnation);
    if (connection !== this.#connection) return;
    const isFirst = this.#proved !== connection;
    this.#proved = connection;
    this.#schedule();
    if (isFirst) this.#beginGrace();
  }

  /** Who else may have the UUID, as far as it was in doubt when the holds were last read back; null for nobody. */
  dispute(uuid: Uuid): string | null {
    return this.#holds.dispute(uuid);
  }

  /** An operator has said that he takes the UUID from this host by force: whether he has is looked at, soon. */
  forced(uuid: Uuid): void {
    this.#holds.forced(uuid);
    this.#due();
  }

  /** Whether a UUID may be taken; asks the registry. */
  async admission(): Promise<Admission> {
    const incarnation = this.incarnation;
    if (incarnation === null) return this.#notYet();
    if (this.#isGrace) return { kind: 'joining' };
    try {
      await this.#watch.look();
    } catch (cause) {
      if (!(cause instanceof RegistryUnavailable)) throw cause;
      return { kind: 'unreachable', message: 'the registry did not say whether UUIDs may be taken' };
    }
    if (this.incarnation !== incarnation) return this.#notYet();
    const { fleet } = this.#watch;
    return fleet?.state === 'rebuilding' ? rebuilding(fleet) : { kind: 'admitted', incarnation };
  }

  #notYet(): Admission {
    const { clock, limits } = this.#options;
    if (clock.monotonicMs() - this.#sinceMs < limits.joinMsMax) return { kind: 'joining' };
    return { kind: 'unreachable', message: 'this agent has not reached the registry yet' };
  }

  #schedule(): void {
    const { clock, limits } = this.#options;
    this.#isDue = false;
    this.#cancelDue();
    this.#cancelDue = clock.after(this.#holds.isPressing ? limits.disputeMs : limits.proveMs, () =>
      this.#due(),
    );
  }

  #due(): void {
    this.#isDue = true;
    this.#options.onDue();
  }

  #beginGrace(): void {
    const { clock, limits, onOpen } = this.#options;
    this.#cancelGrace = clock.after(limits.takeGraceMs, () => {
      this.#isGrace = false;
      onOpen();
    });
  }

  /** What is lost is told before it is written again: else a crash in between would hide the loss. */
  async #proveIdentity(): Promise<number> {
    const { journal } = this.#options;
    const known = this.#incarnation ?? journal.positions().incarnation;
    if (known > 0) {
      const speaking = await this.#speaking(known);
      if (speaking.kind === 'unknown') throw speaking.cause;
      if (speaking.kind === 'other') throw new Overtaken(speaking.message);
      if (speaking.kind === 'overtaken' && this.#incarnation !== null) {
        throw new Overtaken(`a later agent of host ${this.#speaker.host} has started`);
      }
      if (speaking.kind === 'ours' && this.#incarnation !== null) return this.#incarnation;
      if (speaking.kind === 'lost') {
        this.#incarnation = null;
        await this.#watch.lost(`incarnation ${known} of host ${this.#speaker.host}`);
      }
    }
    return this.#raise(known);
  }

  async #speaking(known: number): Promise<Speaking> {
    const ask = () => stillOurs(this.#options.registry, this.#speaker, known);
    const first = await ask();
    if (first.kind !== 'lost') return first;
    await this.#watch.agreed();
    return ask();
  }

  async #raise(known: number): Promise<number> {
    const { journal, registry } = this.#options;
    const raised = await raiseIncarnation(registry, this.#speaker, known);
    if (raised.kind === 'other') throw new Overtaken(raised.message);
    if (raised.kind === 'unknown') throw raised.cause;
    const { incarnation } = raised;
    const result = await journal.append({ facts: [{ kind: 'incarnated', v: 1, incarnation }] });
    if (result.kind !== 'durable') throw new Error('the journal could not record the incarnation');
    this.#incarnation = incarnation;
    return incarnation;
  }

  /** Tells whoever may open the registry again that nothing of this host is missing. */
  async #confirm(incarnation: number): Promise<void> {
    const revision = this.#watch.rebuilding;
    if (revision === null || revision !== this.#holds.wholeUnder) return;
    const answer = await confirmHolds(this.#options.registry, this.#speaker, incarnation, revision);
    if (answer.kind === 'unknown') throw answer.cause;
    if (answer.kind === 'lost') throw new RegistryUnavailable('the registry has just lost this incarnation');
  }
}

function rebuilding({ value }: Fleet): Admission {
  const notice = value === null ? '' : `: ${value.what}, host ${value.by} noticed at ${value.at}`;
  return { kind: 'rebuilding', message: `the registry is rebuilding${notice}` };
}
