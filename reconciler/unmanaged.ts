/**
 * Devices that nobody declared: reported, never touched.
 *
 * A device is unmanaged when it stands on the bus and this host neither desires nor holds
 * its UUID. What is recorded is only that one came, or went, and of each UUID not more often than the limit says: another
 * program may make and remove devices as fast as it can, and must not fill the journal. The last state is always recorded.
 */
import { type FactOf, facts } from '../events/fact.ts';
import type { Uuid } from '../events/names.ts';
import type { Device } from '../store/device.ts';
import type { AppendResult, Journal } from '../store/journal/journal.ts';
import type { Clock } from './clock.ts';
import type { Host, Surveyed } from './host.ts';
import type { ReconcilerLimits } from './limits.ts';

export type UnmanagedParts = {
  readonly journal: Journal;
  readonly host: Host;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly limits: Pick<ReconcilerLimits, 'unmanagedRecordMsMin' | 'retryDelayMsMin'>;
};

export class Unmanaged {
  readonly #parts: UnmanagedParts;
  /** When each UUID was recorded last; those are left out that may be recorded again. */
  readonly #recordedMs = new Map<Uuid, number>();

  constructor(parts: UnmanagedParts) {
    this.#parts = parts;
  }

  /**
   * Looks at every device on the bus and records which unmanaged ones came and went. Answers after how many milliseconds
   * to look again, null if nothing is left to be recorded: some was recorded too short a time ago; or something was
   * decided about one while the look took its time, which may have been our own removal of it.
   */
  async look(): Promise<number | null> {
    const { journal, host, limits, clock } = this.#parts;
    const before = new Map([...journal.devices()].map(({ uuid, version }) => [uuid, version]));
    const survey = await host.survey();
    if (survey.kind === 'unreadable') return null;
    const nowMs = clock.monotonicMs();
    this.#forget(nowMs);
    const news = changes([...journal.devices()], survey.devices, (uuid) => journal.device(uuid));
    const early = news.filter(({ uuid }) => this.#recordedMs.has(uuid));
    const due = news.filter(({ uuid }) => !this.#recordedMs.has(uuid));
    const results = await Promise.all(
      due.map((fact) => this.#record(fact, before.get(fact.uuid) ?? 0, nowMs)),
    );
    // What was decided may not be durable yet: looking again at once would leave it no time for that.
    if (results.includes('stale')) return limits.retryDelayMsMin;
    return this.#untilDue(early, nowMs);
  }

  async #record(fact: FactOf<'unmanaged'>, version: number, nowMs: number): Promise<AppendResult['kind']> {
    const { uuid } = fact;
    const { kind } = await this.#parts.journal.append({ facts: [fact], expected: { uuid, version } });
    if (kind === 'durable') this.#recordedMs.set(uuid, nowMs);
    return kind;
  }

  #forget(nowMs: number): void {
    for (const [uuid, recordedMs] of this.#recordedMs) {
      if (nowMs >= recordedMs + this.#parts.limits.unmanagedRecordMsMin) this.#recordedMs.delete(uuid);
    }
  }

  #untilDue(early: readonly FactOf<'unmanaged'>[], nowMs: number): number | null {
    if (early.length === 0) return null;
    const recordedMs = early.map(({ uuid }) => this.#recordedMs.get(uuid) ?? nowMs);
    return Math.min(...recordedMs) + this.#parts.limits.unmanagedRecordMsMin - nowMs;
  }
}

function changes(
  known: readonly Device[],
  seen: readonly Surveyed[],
  device: (uuid: Uuid) => Device,
): readonly FactOf<'unmanaged'>[] {
  const present = new Set(seen.map((one) => one.uuid));
  const gone = known.filter((one) => one.unmanaged !== null && !present.has(one.uuid));
  const came = seen.filter((one) => isNews(device(one.uuid), one));
  return [...gone.map(({ uuid }) => fact(uuid, null)), ...came.map(cameFact)].filter(isRecordable);
}

function isNews(device: Device, seen: Surveyed): boolean {
  if (seen.type === null || device.reservation !== null || device.desired?.kind === 'present') return false;
  return device.unmanaged?.parent !== seen.parent || device.unmanaged.type !== seen.type;
}

function cameFact({ uuid, parent, type }: Surveyed): FactOf<'unmanaged'> {
  return fact(uuid, type === null ? null : { parent, type });
}

/** A driver may give its types names that no declaration can have; those are left out. */
function isRecordable(one: FactOf<'unmanaged'>): boolean {
  return facts.unmanaged.safeParse(one).success;
}

function fact(uuid: Uuid, device: FactOf<'unmanaged'>['device']): FactOf<'unmanaged'> {
  return { kind: 'unmanaged', v: 1, uuid, device };
}
