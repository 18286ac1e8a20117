/**
 * How long it takes from the storage of a declaration at the stream until the device is as declared.
 *
 * Two clocks are compared: that of the server, which says when it stored a message, and this host's. The embedded stream
 * does not say it; the publisher's time stands in for it there, and is of the same machine. What was stored before this
 * agent began is left out: it would tell how long the agent was away.
 */
import type { FactOf } from '../../events/fact.ts';
import type { Uuid } from '../../events/names.ts';
import type { Message } from '../../events/stream.ts';
import type { Device } from '../../store/device.ts';
import { rowsOf } from '../../store/rows.ts';

/** Messages whose time of storage is remembered until they are recorded; a batch has some hundred. */
const REMEMBERED_MAX = 4096;

/** Declarations that ask for something which is not the case yet. */
const NEWS: ReadonlySet<FactOf<'declared'>['outcome']> = new Set(['claimed', 'replaced', 'updated']);

export class ReadyTimes {
  readonly #beganMs: number;
  /** When messages were stored, by sequence. */
  readonly #storedMs = new Map<number, number>();
  /** When what is declared and not the case yet was stored. */
  readonly #openMs = new Map<Uuid, number>();

  /** @param beganMs when this agent began, by the wall clock */
  constructor(beganMs: number) {
    this.#beganMs = beganMs;
  }

  /** Messages were read from the stream of declarations. */
  took(messages: readonly Message[]): void {
    for (const { sequence, storedAt } of messages) {
      if (storedAt !== undefined) this.#storedMs.set(sequence, Date.parse(storedAt));
    }
    for (const sequence of this.#storedMs.keys()) {
      if (this.#storedMs.size <= REMEMBERED_MAX) break;
      this.#storedMs.delete(sequence);
    }
  }

  declared({ uuid, outcome, generation, event }: FactOf<'declared'>): void {
    const storedMs = this.#storedMs.get(generation.sequence) ?? Date.parse(event.time);
    this.#storedMs.delete(generation.sequence);
    if (outcome === 'withdrawn') this.#openMs.delete(uuid);
    if (NEWS.has(outcome) && storedMs >= this.#beganMs) this.#openMs.set(uuid, storedMs);
  }

  /** Something was recorded about the device: if it has become ready, after how many seconds, and not below 0. */
  changed(device: Device, nowMs: number): number | null {
    const storedMs = this.#openMs.get(device.uuid);
    if (storedMs === undefined) return null;
    const state = rowsOf(device)[0]?.state;
    if (state === 'waiting') return null;
    this.#openMs.delete(device.uuid);
    return state === 'ready' ? Math.max(0, nowMs - storedMs) / 1000 : null;
  }
}
