/**
 * What the service manager is told in an agent's life: that it is ready, now and then that it lives, and that it ends.
 *
 * Ready is when what the host held stands again, server or not; guests are started after that, so it is said after a
 * limit whatever waits. A sign of life needs an event loop that runs, for a timer gives it, and a reconciler that has not
 * come to a standstill. A write that hangs is no standstill: passes go on without it.
 */
import type { Cancel, Clock } from '../../reconciler/clock.ts';
import type { AgentLog } from './agent.ts';
import type { ServiceManager } from './service.ts';

/** What is to be known of an agent. */
export type Living = {
  /** Resolves when what the host held stands again. */
  readonly restored: Promise<void>;
  /** How many of these devices do not stand yet. */
  readonly unrestored: number;
  /** How long no pass has begun or ended though devices wait for one. */
  readonly standstillMs: number;
  /** How it is, in a few words. */
  readonly summary: string;
};

export type ServiceLimits = { readonly readyMsMax: number; readonly standstillMsMax: number };

export type ServiceLifeParts = {
  readonly manager: ServiceManager;
  readonly clock: Clock;
  readonly log: AgentLog;
  readonly limits: ServiceLimits;
};

/** Signs of life in the time in which one is wanted. */
const BEATS = 3;
/** Time between two looks at whether there is something new to say. */
const SUMMARY_MS = 30_000;

export class ServiceLife {
  readonly #parts: ServiceLifeParts;
  readonly #beatMs: number;
  #agent: Living | null = null;
  #isReady = false;
  #stoodStill = false;
  #said = '';
  #stopped: Promise<void> | null = null;
  #cancelBeat: Cancel = () => {};
  readonly #cancelLate: Cancel;

  /** Begins, with the program. */
  constructor(parts: ServiceLifeParts) {
    const { manager, clock, limits } = parts;
    this.#parts = parts;
    this.#beatMs = Math.min(SUMMARY_MS, Math.floor((manager.watchdogMs ?? Infinity) / BEATS));
    this.#cancelLate = clock.after(limits.readyMsMax, () => this.#late());
    this.#tell('STATUS=opening the journal');
    this.#scheduleBeat();
  }

  /** The agent has started. */
  watch(agent: Living): void {
    this.#agent = agent;
    void agent.restored.then(() => this.#ready());
  }

  /** The agent is about to stop, or has failed to start; nothing more is told afterwards. Resolves when the manager knows. */
  stop(): Promise<void> {
    this.#cancelLate();
    this.#cancelBeat();
    this.#isReady = true;
    this.#stopped ??= this.#parts.manager.tell('STOPPING=1', 'STATUS=finishing what is under way');
    return this.#stopped;
  }

  #ready(): void {
    if (this.#isReady) return;
    this.#isReady = true;
    this.#cancelLate();
    this.#tell('READY=1', ...this.#news());
  }

  #late(): void {
    const { log, limits } = this.#parts;
    const fields = { devices: this.#agent?.unrestored ?? null, afterMs: limits.readyMsMax };
    log.warn(fields, 'said to be ready before all that was held stands again');
    this.#ready();
  }

  #scheduleBeat(): void {
    this.#cancelBeat = this.#parts.clock.after(this.#beatMs, () => {
      const news = this.#isReady ? this.#news() : [];
      const all = [...(this.#mayLive() ? ['WATCHDOG=1'] : []), ...news];
      if (all.length > 0) this.#tell(...all);
      this.#scheduleBeat();
    });
  }

  /** True if the manager wants a sign of life and there is one. */
  #mayLive(): boolean {
    const { manager, log, limits } = this.#parts;
    if (manager.watchdogMs === null) return false;
    const standstillMs = this.#agent?.standstillMs ?? 0;
    const standsStill = standstillMs > limits.standstillMsMax;
    if (standsStill && !this.#stoodStill) log.error({ standstillMs }, 'standstill: no more signs of life');
    this.#stoodStill = standsStill;
    return !standsStill;
  }

  #news(): readonly string[] {
    const summary = this.#agent?.summary ?? this.#said;
    if (summary === this.#said) return [];
    this.#said = summary;
    return [`STATUS=${summary}`];
  }

  #tell(...assignments: readonly string[]): void {
    void this.#parts.manager.tell(...assignments);
  }
}
