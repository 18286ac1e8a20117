/**
 * The link between an agent and its fleet: incarnation, intake, forwarding.
 *
 * All of it may fail at any time and is simply done again: on a ring, when the connection comes
 * back, and now and then, since a ring can be missed. Nothing is read or written in the fleet's
 * name before this agent speaks for its host in the registry.
 */
import type { Fact } from '../../events/fact.ts';
import type { HostId, Uuid } from '../../events/names.ts';
import { type Ring, type Streams, StreamUnavailable } from '../../events/stream.ts';
import type { Admission } from '../../reconciler/acting.ts';
import { type Cancel, type Clock, type Random, sleep } from '../../reconciler/clock.ts';
import { Forwarder, JournalRolledBack } from '../../store/forward.ts';
import { INTAKE_LIMITS, Intake } from '../../store/intake.ts';
import type { CursorName, Journal } from '../../store/journal/journal.ts';
import type { Registry } from '../../store/registry/registry.ts';
import { allowance } from '../../store/rejections.ts';
import { Overtaken, REGISTRAR_LIMITS, Registrar, type RegistrarLimits } from './registrar.ts';
import { Upkeep } from './upkeep.ts';

export type LinkLimits = RegistrarLimits & {
  /** Time between two looks at the streams without a ring. */
  readonly pollMs: number;
  /** Time between two looks at whether the streams still are what they were, though the connection stayed. */
  readonly doubtMs: number;
  /** Pause after forwarding, in which further facts gather. */
  readonly forwardPauseMs: number;
  readonly retryDelayMsMin: number;
  readonly retryDelayMsMax: number;
};

export const LINK_LIMITS: LinkLimits = {
  ...REGISTRAR_LIMITS,
  pollMs: 30_000,
  doubtMs: 300_000,
  forwardPauseMs: 100,
  retryDelayMsMin: 50,
  retryDelayMsMax: 10_000,
};

export type LinkOptions = {
  readonly journal: Journal;
  readonly streams: Streams;
  readonly registry: Registry;
  readonly host: HostId;
  readonly prefix: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: LinkLimits;
  /** Something durable was recorded about the UUID, or with null about the host. */
  readonly onRecorded: (uuid: Uuid | null, from: CursorName | 'registry') => void;
  /** The registry can be asked for what it could not be asked for before. */
  readonly onReached: () => void;
  /** The fleet cannot be reached, or gives no answer; it is tried again. */
  readonly onTrouble: (error: unknown) => void;
  /** This agent must not write anywhere any more. */
  readonly onEnd: (end: LinkEnd) => void;
};

/** Why an agent may not go on: somebody else speaks for its host, or its journal is an older copy of what it was. */
export type LinkEnd = { readonly kind: 'overtaken' | 'rolled-back'; readonly message: string };

export class Link {
  readonly #options: LinkOptions;
  readonly #intakes: readonly Intake[];
  readonly #forwarder: Forwarder;
  readonly #listening: Upkeep;
  readonly #forwarding: Upkeep;
  readonly #cancels: Cancel[] = [];
  #cancelDoubt: Cancel = () => {};
  readonly #registrar: Registrar;
  #open = true;
  #hasSynced = false;

  constructor(options: LinkOptions) {
    const { journal, streams, host, prefix, clock, random, limits } = options;
    this.#options = options;
    const upkeep = (work: () => Promise<void>): Upkeep =>
      new Upkeep({ work, clock, random, limits, onFailure: (error) => this.#failed(error) });
    this.#listening = upkeep(() => this.#listen());
    this.#forwarding = upkeep(() => this.#forward());
    this.#forwarder = new Forwarder({ journal, stream: streams.observed, host, prefix });
    this.#registrar = new Registrar({
      ...{ journal, registry: options.registry, clock, limits, onOpen: options.onReached },
      onRecorded: (uuid) => options.onRecorded(uuid, 'registry'),
      onDue: () => this.#listening.kick(),
    });
    const rejections = allowance(() => clock.monotonicMs());
    this.#intakes = (['desired', 'command'] as const).map((name) => {
      const onRecorded = (uuid: Uuid | null, fact: Fact) => {
        if (uuid !== null && fact.kind === 'commanded' && fact.command === 'release') {
          this.#registrar.forced(uuid);
        }
        options.onRecorded(uuid, name);
      };
      const pause = (delayMs: number) => sleep(clock, delayMs);
      const stream = streams[name];
      return new Intake({
        name,
        stream,
        journal,
        host,
        prefix,
        rejections,
        pause,
        onRecorded,
        limits: INTAKE_LIMITS,
      });
    });
  }

  /** The incarnation under which this agent may write in the registry; null while it may not. */
  get incarnation(): number | null {
    return this.#open ? this.#registrar.incarnation : null;
  }

  /** True once the fleet has said that this agent speaks for its host, and that its journal is no older copy. */
  get hasReached(): boolean {
    return this.#registrar.hasReached;
  }

  /** True once all was read that had been published when the fleet was reached. */
  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  /** Asks whether a UUID may be taken. */
  async admission(): Promise<Admission> {
    return this.#open ? this.#registrar.admission() : { kind: 'joining' };
  }

  /** Who else may have the UUID of a hold that the registry has lost; null when nobody does. */
  dispute(uuid: Uuid): string | null {
    return this.#registrar.dispute(uuid);
  }

  /** Facts that the fleet has not acknowledged. */
  get backlog(): number {
    return this.#forwarder.backlog;
  }

  /** Begins to listen and, as soon as the connection is up, to catch up. */
  start(): void {
    const { streams, host } = this.#options;
    this.#cancels.push(streams.doorbell(host, (ring) => this.#rang(ring)));
    this.#cancels.push(streams.onConnection((state) => this.#connection(state)));
  }

  /** Something was recorded: forward it. */
  kick(): void {
    if (this.#mayWrite() && this.#forwarder.backlog > 0) this.#forwarding.kick();
  }

  /** Stops listening and makes one last attempt to forward. True when nothing is left unforwarded. */
  async stop(): Promise<boolean> {
    for (const cancel of this.#cancels.splice(0)) cancel();
    this.#cancelDoubt();
    this.#registrar.stop();
    this.#listening.stop();
    this.#forwarding.stop();
    const may = this.#mayWrite();
    this.#open = false;
    return may && (await this.#forwarder.flush().catch(() => false));
  }

  #rang(ring: Ring): void {
    for (const intake of this.#intakes) intake.heard(ring);
    this.#listening.kick();
  }

  #connection(state: 'up' | 'down'): void {
    if (state === 'down') return this.#options.onTrouble(new StreamUnavailable('the connection was lost'));
    this.#registrar.reconnected();
    this.#doubt();
  }

  /** The fleet may not be what it was: what is known of it is read back. */
  #doubt(): void {
    this.#cancelDoubt();
    this.#cancelDoubt = this.#options.clock.after(this.#options.limits.doubtMs, () => this.#doubt());
    for (const intake of this.#intakes) intake.reconnected();
    this.#forwarder.doubt();
    this.#listening.kick();
  }

  #mayWrite(): boolean {
    return this.incarnation !== null;
  }

  /**
   * Catches up with what was published, once it is certain that the journal is not an older copy, and who speaks
   * for this host.
   */
  async #listen(): Promise<void> {
    const isNew = this.#registrar.incarnation === null;
    if (!(await this.#forwarder.resolve())) throw new StreamUnavailable('the journal could not be written');
    if (this.#registrar.isDue) await this.#registrar.prove();
    for (const intake of this.#intakes) await intake.sync();
    this.#hasSynced = true;
    if (isNew) this.#options.onReached();
    this.kick();
  }

  /** The first fact goes at once; those that follow it closely go together. */
  async #forward(): Promise<void> {
    if (!this.#mayWrite()) return;
    if (!(await this.#forwarder.flush())) throw new StreamUnavailable('facts were not acknowledged');
    await sleep(this.#options.clock, this.#options.limits.forwardPauseMs);
  }

  #failed(error: unknown): 'again' | 'give-up' {
    const kind = endOf(error);
    if (kind === undefined || !(error instanceof Error)) {
      this.#options.onTrouble(error);
      return 'again';
    }
    this.#open = false;
    this.#cancelDoubt();
    this.#registrar.stop();
    this.#options.onEnd({ kind, message: error.message });
    return 'give-up';
  }
}

function endOf(error: unknown): LinkEnd['kind'] | undefined {
  if (error instanceof Overtaken) return 'overtaken';
  return error instanceof JournalRolledBack ? 'rolled-back' : undefined;
}
