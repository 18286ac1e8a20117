/**
 * The agent of one host: the parts in their places, and their life from start to stop.
 *
 * It reconciles from its journal at once, server or not; the link to the fleet comes and goes
 * beside that. It is given its ports and has no others, so that a simulation runs it as it is.
 */
import type { Labels } from '../../events/declaration.ts';
import type { Uuid } from '../../events/names.ts';
import type { Streams } from '../../events/stream.ts';
import type { Clock, Random } from '../../reconciler/clock.ts';
import type { Hooks } from '../../reconciler/hooks.ts';
import type { Host } from '../../reconciler/host.ts';
import type { ReconcilerLimits } from '../../reconciler/limits.ts';
import { Memory } from '../../reconciler/memory.ts';
import type { PassEnd } from '../../reconciler/pass.ts';
import { Reconciler, type ReconcilerEvents } from '../../reconciler/reconciler.ts';
import { declaredOn } from '../../store/declared-on.ts';
import type { Signer } from '../../store/journal/checkpoint.ts';
import type { CursorName, Journal } from '../../store/journal/journal.ts';
import type { Registry } from '../../store/registry/registry.ts';
import { Link, type LinkEnd, type LinkLimits } from './link.ts';
import { NOTARY_LIMITS, Notary, type NotaryLimits } from './notary.ts';
import { Restoring } from './restoring.ts';

/** The effects of an agent. */
export type AgentPorts = {
  readonly journal: Journal;
  readonly streams: Streams;
  readonly registry: Registry;
  readonly host: Host;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: AgentLog;
  /** Signs checkpoints of the journal; none are made without. */
  readonly signer?: Signer;
  /** Who is asked before a device is made or removed; nobody without. */
  readonly hooks?: Hooks;
  /** Who counts passes; nobody without. */
  readonly observer?: PassObserver;
};

/** Told of passes as they end; every call is cheap. */
export type PassObserver = Pick<ReconcilerEvents, 'passEnded' | 'passFailed' | 'foundByResync'>;

/** Constant messages; facts are fields. */
export type AgentLog = {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
};

export type AgentOptions = {
  readonly prefix: string;
  /** Name and version of this program. */
  readonly software: string;
  /** Release of the running kernel. */
  readonly kernel: string;
  /** What the settings call this host; nothing unless given. */
  readonly labels?: Labels;
  /** True when the machine booted since the journal was last written. */
  readonly bootIsNew: boolean;
  readonly limits: ReconcilerLimits &
    LinkLimits &
    Partial<NotaryLimits> & { readonly stopDeadlineMs: number };
};

export type AgentStatus = {
  readonly queue: Reconciler['depth'];
  /** Records that were not forwarded yet. */
  readonly backlog: number;
  /** True while the registry can be written to. */
  readonly reached: boolean;
  /** How often the periodic pass found work that nothing had announced. */
  readonly foundByResync: number;
  /** True once all was read that had been published when the fleet was reached. */
  readonly hasSynced: boolean;
  /** How long no pass has begun or ended though devices wait for one; see standstill.ts. */
  readonly standstillMs: number;
  /** Devices that the host held when the agent started, and that do not stand again yet; see restoring.ts. */
  readonly unrestored: number;
};

export class Agent {
  readonly #ports: AgentPorts;
  readonly #options: AgentOptions;
  readonly #reconciler: Reconciler;
  readonly #link: Link;
  readonly #notary: Notary | undefined;
  readonly #restoring: Restoring;
  /** Resolves when the agent must not go on; never rejects. */
  readonly ended: Promise<LinkEnd>;
  #end: (end: LinkEnd) => void = () => {};
  #foundByResync = 0;

  constructor(ports: AgentPorts, options: AgentOptions) {
    const { journal, clock, random, registry, host, streams, signer, hooks } = ports;
    const wasMadeAgain = journal.positions().madeAgain === true;
    const { limits, prefix, bootIsNew, kernel, labels = {} } = options;
    this.#ports = ports;
    this.#options = options;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#link = new Link({
      ...{ journal, streams, registry, clock, random, limits, prefix },
      host: journal.identity.host,
      onRecorded: (uuid, from) => this.#recorded(uuid, from),
      onReached: () => this.#reconciler.registryReached(),
      onTrouble: (error) => ports.log.debug({ err: error }, 'fleet not reached'),
      onEnd: (end) => this.#mustEnd(end),
    });
    const notary = { journal, clock, limits: { ...NOTARY_LIMITS, ...limits } };
    this.#notary = signer && new Notary({ ...notary, signer, onRecorded: () => this.#link.kick() });
    this.#restoring = new Restoring(journal.devices(), bootIsNew);
    this.#reconciler = new Reconciler({
      ...{ journal, registry, host, clock, random, limits, ...(hooks && { hooks }) },
      memory: new Memory(bootIsNew),
      self: { kernel, labels },
      incarnation: () => this.#link.incarnation,
      hasReached: () => this.#link.hasReached,
      isMadeAgain: () => wasMadeAgain,
      admission: () => this.#link.admission(),
      declaredOn: (other, uuid) => declaredOn(streams.desired, prefix, other, uuid),
      dispute: (uuid) => this.#link.dispute(uuid),
      events: {
        passEnded: (uuid, end, steps, pass) => this.#passEnded(uuid, end, steps, pass),
        passFailed: (uuid, error, pass) => this.#passFailed(uuid, error, pass),
        foundByResync: (uuid, pass) => this.#foundByResyncOnly(uuid, pass),
        surveyed: () => this.#link.kick(),
        surveyFailed: (error) => ports.log.error({ err: error }, 'survey failed'),
      },
    });
  }

  /** Begins. Throws when not even the start can be recorded. */
  async start(): Promise<void> {
    const { software, kernel } = this.#options;
    const result = await this.#ports.journal.append({ facts: [{ kind: 'started', v: 1, software, kernel }] });
    if (result.kind !== 'durable') {
      throw new Error('the journal cannot be written', {
        cause: 'cause' in result ? result.cause : undefined,
      });
    }
    this.#reconciler.start();
    this.#link.start();
    this.#notary?.start();
  }

  /**
   * Finishes what is under way, within the deadline, records the end and forwards what it can.
   * Writes that are stuck in the kernel are left to it.
   */
  async stop(): Promise<void> {
    const { clock, journal, log } = this.#ports;
    const { promise: deadline, resolve: tooLate } = Promise.withResolvers<void>();
    const cancel = clock.after(this.#options.limits.stopDeadlineMs, tooLate);
    const finished = await Promise.race([
      this.#reconciler.stop().then(() => true),
      deadline.then(() => false),
    ]);
    this.#notary?.stop();
    if (!finished) log.warn({}, 'passes were still under way at the deadline');
    await journal.append({ facts: [{ kind: 'stopped', v: 1 }] });
    await Promise.race([this.#link.stop(), deadline]);
    cancel();
  }

  /** What is under way, for health and metrics. */
  get status(): AgentStatus {
    return {
      queue: this.#reconciler.depth,
      backlog: this.#link.backlog,
      reached: this.#link.incarnation !== null,
      foundByResync: this.#foundByResync,
      hasSynced: this.#link.hasSynced,
      standstillMs: this.#reconciler.standstillMs,
      unrestored: this.#restoring.left,
    };
  }

  /** Resolves when what the host held at the start stands again, as far as that is a matter of moments; never rejects. */
  get restored(): Promise<void> {
    return this.#restoring.done;
  }

  #recorded(uuid: Uuid | null, from: CursorName | 'registry'): void {
    if (uuid === null) return this.#reconciler.triggerAll('command');
    this.#reconciler.trigger(uuid, from === 'desired' ? 'declaration' : from);
  }

  /** Without faults there is none, unless a change was still on its way. */
  #foundByResyncOnly(uuid: Uuid, pass: number): void {
    this.#foundByResync += 1;
    this.#ports.log.warn({ pass, uuid, found: this.#foundByResync }, 'work found by resync only');
    this.#ports.observer?.foundByResync(uuid, pass);
  }

  #passEnded(uuid: Uuid, end: PassEnd, steps: number, pass: number): void {
    this.#ports.log.debug({ pass, uuid, end, steps }, 'pass ended');
    this.#ports.observer?.passEnded(uuid, end, steps, pass);
    this.#restoring.passEnded(uuid, end);
    this.#link.kick();
    this.#notary?.kick();
  }

  #passFailed(uuid: Uuid, error: unknown, pass: number): void {
    this.#ports.log.error({ pass, uuid, err: error }, 'pass failed');
    this.#ports.observer?.passFailed(uuid, error, pass);
  }

  #mustEnd(end: LinkEnd): void {
    this.#ports.log.error({ end }, 'agent must not go on');
    void this.#reconciler.stop();
    this.#end(end);
  }
}
