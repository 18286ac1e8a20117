/**
 * What a host reports of its devices, read as it comes: also what was so for a moment only is seen, and counted.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { FactKind } from '../../events/fact.ts';
import { decodeRecord } from '../../events/record.ts';
import type { Row } from '../../events/row.ts';
import { type Message, type Stream, StreamUnavailable } from '../../events/stream.ts';

const POLL_MS = 50;
const WAIT_MS_MAX = 600_000;
const MESSAGES_MAX = 500;

type Waiter = {
  readonly uuid: string;
  readonly wanted: (rows: readonly Row[]) => boolean;
  readonly done: (rows: readonly Row[]) => void;
};

export class Reports {
  readonly #observed: Stream;
  readonly #filter: string;
  readonly #rows = new Map<string, readonly Row[]>();
  readonly #counts = new Map<string, number>();
  readonly #waiters = new Set<Waiter>();
  #after = 0;
  #stopped = false;
  readonly #reading: Promise<void>;

  /** @param filter the subjects on which the host reports */
  constructor(observed: Stream, filter: string) {
    this.#observed = observed;
    this.#filter = filter;
    this.#reading = this.#read();
  }

  /** The rows of all devices that were reported last. */
  get rows(): readonly Row[] {
    return [...this.#rows.values()].flat();
  }

  /** How many facts of a kind were reported. */
  count(kind: FactKind): number {
    return this.#counts.get(kind) ?? 0;
  }

  /** How many reports were read. */
  get read(): number {
    return [...this.#counts.values()].reduce((sum, one) => sum + one, 0);
  }

  /** Waits until what is reported of a device is as wanted, and answers that. */
  async until(what: string, uuid: string, wanted: Waiter['wanted']): Promise<readonly Row[]> {
    const rows = this.#rows.get(uuid) ?? [];
    if (wanted(rows)) return rows;
    const waiting = new Promise<readonly Row[]>((done) => this.#waiters.add({ uuid, wanted, done }));
    const ended = new AbortController();
    const late = sleep(WAIT_MS_MAX, undefined, { signal: ended.signal }).then(() => {
      throw new Error(`waited for ${what} of ${uuid} in vain: ${JSON.stringify(this.#rows.get(uuid))}`);
    });
    late.catch(() => undefined);
    return Promise.race([waiting, late]).finally(() => ended.abort());
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#reading;
  }

  async #read(): Promise<void> {
    while (!this.#stopped) {
      const messages = await this.#next();
      for (const message of messages) this.#take(message);
      if (messages.length === 0) await sleep(POLL_MS);
    }
  }

  /** None, too, when the server is too busy to answer. */
  async #next(): Promise<readonly Message[]> {
    try {
      return await this.#observed.next(this.#filter, this.#after, MESSAGES_MAX);
    } catch (error) {
      if (error instanceof StreamUnavailable) return [];
      throw error;
    }
  }

  #take({ sequence, data }: Message): void {
    this.#after = sequence;
    const { kind, uuid, rows = [] } = decodeRecord(data).envelope;
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
    if (uuid === undefined) return;
    this.#rows.set(uuid, rows);
    for (const waiter of this.#waiters) {
      if (waiter.uuid !== uuid || !waiter.wanted(rows)) continue;
      this.#waiters.delete(waiter);
      waiter.done(rows);
    }
  }
}
