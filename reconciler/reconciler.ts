/**
 * The reconciler: triggers name UUIDs, the queue gives each its turn, a pass brings it in line.
 *
 * A declaration, a change seen on the host, a timer and the start-up share this one path.
 * The periodic pass over everything finds what the triggers missed; what it finds is
 * counted, since in a program without faults that is nothing.
 */
import type { Wake } from '../events/guidance.ts';
import type { Uuid } from '../events/names.ts';
import { coalesced } from '../store/coalesced.ts';
import type { Device } from '../store/device.ts';
import type { Acting } from './acting.ts';
import { backoffMs } from './backoff.ts';
import { type Cancel, type Clock, type Random, sleep } from './clock.ts';
import { Gate } from './gate.ts';
import type { Change } from './host.ts';
import { recordInventory, type Self } from './inventory.ts';
import type { ReconcilerLimits } from './limits.ts';
import { type PassEnd, runPass } from './pass.ts';
import { lookFor } from './plan.ts';
import { KeyedQueue } from './queue.ts';
import { Unmanaged } from './unmanaged.ts';

/** Why a UUID got a pass. */
export type Trigger = 'declaration' | 'command' | 'change' | 'start' | 'resync' | 'registry';

/** What the reconciler tells of itself; every call is cheap and may be ignored. `pass` counts passes from 1. */
export type ReconcilerEvents = {
  passEnded(uuid: Uuid, end: PassEnd, steps: number, pass: number): void;
  passFailed(uuid: Uuid, error: unknown, pass: number): void;
  foundByResync(uuid: Uuid, pass: number): void;
  surveyed(): void;
  surveyFailed(error: unknown): void;
};

export type ReconcilerPorts = Omit<Acting, 'gate'> & {
  readonly clock: Clock;
  readonly random: Random;
  readonly events: ReconcilerEvents;
  readonly self: Self;
  readonly limits: ReconcilerLimits;
};

/** Since a UUID last settled: how often it was tried, and what but a timer ends its wait; null when it does not wait. */
type Progress = { attempts: number; wake: Wake | null; waitingRecordedMs: number | null };

export class Reconciler {
  readonly #ports: ReconcilerPorts;
  readonly #acting: Acting;
  readonly #queue: KeyedQueue;
  readonly #progress = new Map<Uuid, Progress>();
  /** UUIDs whose next pass is due to the periodic one; and those for whose next pass there is another reason. */
  readonly #resynced = new Set<Uuid>();
  readonly #announced = new Set<Uuid>();
  readonly #passing = new Set<Uuid>();
  /** UUIDs that changed on the host while they had a pass. */
  readonly #changedMeanwhile = new Set<Uuid>();
  /** UUIDs that wait for room, and on which parent. */
  readonly #wantRoom = new Map<Uuid, string>();
  #stopListening: Cancel = () => {};
  #cancelResync: Cancel = () => {};
  #cancelSurvey: Cancel = () => {};
  #isStopped = false;
  readonly #unmanaged: Unmanaged;
  readonly #survey = coalesced(() => this.#thenRest(() => this.#surveyAll()));
  readonly #takeStock = coalesced(() => this.#thenRest(() => this.#takeStockOf()));

  constructor(ports: ReconcilerPorts) {
    const { clock, limits } = ports;
    this.#ports = ports;
    this.#unmanaged = new Unmanaged(ports);
    this.#acting = { ...ports, gate: new Gate(limits.writesPerParentMax) };
    this.#queue = new KeyedQueue({
      clock,
      runningMax: limits.passesMax,
      runningPerLaneMax: limits.passesPerParentMax,
      laneOf: (uuid) => laneOf(ports.journal.device(uuid)),
      run: (uuid, pass) => this.#pass(uuid, pass),
    });
  }

  get depth(): KeyedQueue['depth'] {
    return this.#queue.depth;
  }

  get standstillMs(): number {
    return this.#queue.standstillMs;
  }

  /** Begins: a pass for everything that the journal knows, then on changes and periodically. */
  start(): void {
    this.#stopListening = this.#ports.host.onChange((change) => this.#changed(change));
    this.triggerAll('start');
    this.#scheduleResync();
  }

  /** Gives the UUID a pass as soon as there is room, with its delays as at first. */
  trigger(uuid: Uuid, why: Trigger): void {
    if (why !== 'resync') {
      this.#rest(this.#progressOf(uuid));
      return this.#announce(uuid);
    }
    this.#resynced.add(uuid);
    this.#queue.add(uuid);
  }

  /** What a pass finds for which there was a reason is not what the periodic pass alone has found. */
  #announce(uuid: Uuid): void {
    this.#announced.add(uuid);
    this.#queue.add(uuid);
  }

  /** The registry can be asked (again): what waits for it gets a pass. */
  registryReached(): void {
    for (const device of this.#ports.journal.devices()) {
      const { uuid, waiting, reservation } = device;
      const isOnItsWay = reservation === null || reservation.phase === 'claiming' || lookFor(device).use;
      if (waiting !== null || isOnItsWay) this.trigger(uuid, 'registry');
    }
  }

  /** Starts nothing more; resolves when the passes under way have ended. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#stopListening();
    this.#cancelResync();
    this.#cancelSurvey();
    await this.#queue.close();
    await this.#ports.memory.allTold();
  }

  /** Gives everything that the journal knows a pass. */
  triggerAll(why: Trigger): void {
    for (const device of this.#ports.journal.devices()) this.trigger(device.uuid, why);
    void this.#survey();
    void this.#takeStock();
  }

  #scheduleResync(): void {
    this.#cancelResync = this.#ports.clock.after(this.#ports.limits.resyncMs, () => {
      this.triggerAll('resync');
      this.#scheduleResync();
    });
  }

  #changed(change: Change): void {
    switch (change.kind) {
      case 'device':
        return this.#deviceChanged(change.uuid);
      case 'parent':
        return this.#parentChanged(change.parent);
      case 'unknown':
        return this.#anythingChanged();
      default:
        change satisfies never;
    }
  }

  #anythingChanged(): void {
    for (const { uuid } of this.#ports.journal.devices()) this.#deviceChanged(uuid);
    void this.#survey();
    void this.#takeStock();
  }

  #deviceChanged(uuid: Uuid): void {
    const { desired, reservation } = this.#ports.journal.device(uuid);
    if (desired?.kind !== 'present' && reservation === null) void this.#survey();
    else if (this.#passing.has(uuid)) this.#changedMeanwhile.add(uuid);
    else if (this.#wakes(uuid)) this.#announce(uuid);
    // A create that fails changes its device as well: two that wait must not wake each other for ever.
    const isBeingMade = reservation?.phase === 'claiming' || reservation?.phase === 'reserved';
    if (!isBeingMade) this.#roomMayBeBack(laneOf(this.#ports.journal.device(uuid)));
  }

  /** A device of the parent may be gone; an empty name stands for a parent that is not known. */
  #roomMayBeBack(parent: string): void {
    for (const [uuid, wanted] of this.#wantRoom) {
      if (parent === '' || parent === wanted) this.#announce(uuid);
    }
  }

  /**
   * True if a change of its device is news for the UUID. A write that fails changes the device, too: what is tried
   * again after a delay is not tried sooner for that.
   */
  #wakes(uuid: Uuid): boolean {
    const wake = this.#progress.get(uuid)?.wake ?? null;
    return wake === null || wake === 'device' || wake === 'parent' || wake === 'command';
  }

  /** Those that are, or are meant to be, below the parent: its going takes devices along, its coming lets them be made. */
  #parentChanged(parent: string): void {
    for (const device of this.#ports.journal.devices()) {
      if (laneOf(device) === parent) this.trigger(device.uuid, 'change');
    }
    void this.#survey();
    void this.#takeStock();
  }

  /** Another program may change the host as fast as it can: what looks at all of it may not be at it without end. */
  async #thenRest(look: () => Promise<void>): Promise<void> {
    if (this.#isStopped) return;
    await look();
    await sleep(this.#ports.clock, this.#ports.limits.lookRestMs);
  }

  async #surveyAll(): Promise<void> {
    const { events } = this.#ports;
    try {
      const againMs = await this.#unmanaged.look();
      if (againMs !== null && !this.#isStopped) this.#surveyAfter(againMs);
      events.surveyed();
    } catch (error) {
      events.surveyFailed(error);
    }
  }

  #surveyAfter(delayMs: number): void {
    this.#cancelSurvey();
    this.#cancelSurvey = this.#ports.clock.after(delayMs, () => void this.#survey());
  }

  async #takeStockOf(): Promise<void> {
    const { journal, host, self, events } = this.#ports;
    try {
      await recordInventory(journal, host, self);
      events.surveyed();
    } catch (error) {
      events.surveyFailed(error);
    }
  }

  async #pass(uuid: Uuid, pass: number): Promise<void> {
    const { limits, events } = this.#ports;
    const progress = this.#progressOf(uuid);
    const isFirst = progress.wake === null;
    const isAnnounced = this.#announced.delete(uuid);
    const isOnlyResync = this.#resynced.delete(uuid) && isFirst && !isAnnounced;
    this.#passing.add(uuid);
    try {
      const attempt = { count: progress.attempts, mayRecordWaiting: this.#mayRecord(progress) };
      const device = this.#ports.journal.device(uuid);
      const before = device.waiting?.reason;
      const end = await runPass(this.#acting, limits, uuid, attempt);
      const after = this.#ports.journal.device(uuid).waiting?.reason;
      if (after !== undefined && after !== before) progress.waitingRecordedMs = this.#now();
      if (isOnlyResync && end.steps > 0) events.foundByResync(uuid, pass);
      events.passEnded(uuid, end, end.steps, pass);
      this.#scheduleNext(uuid, progress, end);
      const isGivenBack =
        device.reservation !== null && this.#ports.journal.device(uuid).reservation === null;
      if (isGivenBack) this.#roomMayBeBack(laneOf(device));
    } catch (error) {
      events.passFailed(uuid, error, pass);
      this.#scheduleNext(uuid, progress, { kind: 'requeue', why: 'a pass failed' });
    }
    this.#passing.delete(uuid);
    if (this.#changedMeanwhile.delete(uuid) && this.#wakes(uuid)) this.#announce(uuid);
  }

  #scheduleNext(uuid: Uuid, progress: Progress, end: PassEnd): void {
    const { limits, random } = this.#ports;
    this.#wantRoom.delete(uuid);
    if (end.kind === 'waiting' && end.reason === 'NoCapacity') {
      this.#wantRoom.set(uuid, laneOf(this.#ports.journal.device(uuid)));
    }
    if (end.kind === 'settled' || end.kind === 'terminal') return this.#rest(progress);
    progress.attempts += 1;
    progress.wake = end.kind === 'waiting' ? end.wake : 'timer';
    const maxMs = end.kind === 'waiting' ? limits.waitDelayMsMax[end.wake] : limits.retryDelayMsMax;
    this.#queue.addAfter(uuid, backoffMs(progress.attempts, limits.retryDelayMsMin, maxMs, random()));
  }

  /** The next failure is the first. When waiting was last recorded stays known: records are limited in rate. */
  #rest(progress: Progress): void {
    progress.attempts = 0;
    progress.wake = null;
  }

  #progressOf(uuid: Uuid): Progress {
    const known = this.#progress.get(uuid) ?? { attempts: 0, wake: null, waitingRecordedMs: null };
    this.#progress.set(uuid, known);
    return known;
  }

  #mayRecord({ waitingRecordedMs }: Progress): boolean {
    return (
      waitingRecordedMs === null || this.#now() - waitingRecordedMs >= this.#ports.limits.waitingRecordMsMin
    );
  }

  #now(): number {
    return this.#ports.clock.monotonicMs();
  }
}

/** The parent below which a pass for the device will look, and write. */
function laneOf(device: Device): string {
  return lookFor(device).place?.parent ?? '';
}
