/**
 * Somebody outside the hosts, who watches the observed stream and waits for what it should show.
 *
 * A wait is a question about what was seen so far, asked again whenever more was seen, until its deadline.
 */
import { sha256 } from '../../events/digest.ts';
import type { Fact, FactKind } from '../../events/fact.ts';
import type { HostId, Uuid } from '../../events/names.ts';
import { decodeRecord } from '../../events/record.ts';
import type { Row } from '../../events/row.ts';
import { type Message, type Stream, StreamUnavailable } from '../../events/stream.ts';
import { parseSubject, subjectFilter } from '../../events/subject.ts';
import { sleep } from '../../reconciler/clock.ts';
import { systemClock } from '../../reconciler/clock-system.ts';

/** Longest wait for one thing; all take moments, but the machine may be busy. */
const WAIT_MS_MAX = 40_000;
const LOOK_EVERY_MS = 20;
const BATCH_MAX = 1_000;

/** A fact as the stream has it; `hash` is its record's. */
export type Seen = {
  readonly host: HostId;
  readonly seq: number;
  readonly hash: string;
  readonly fact: Fact;
  readonly rows: readonly Row[];
};

export class Witness {
  readonly facts: Seen[] = [];
  readonly #observed: Stream;
  readonly #prefix: string;
  /** Sequence of the last message that was seen. */
  position = 0;
  #failure: Error | null = null;

  constructor(observed: Stream, prefix: string) {
    this.#observed = observed;
    this.#prefix = prefix;
  }

  /** Ends all waiting: what is waited for will not happen. */
  fail(reason: Error): void {
    this.#failure ??= reason;
  }

  /** Resolves with the first answer that is not undefined. */
  async until<T>(what: string, answer: () => T | undefined | Promise<T | undefined>): Promise<T> {
    const endMs = systemClock.monotonicMs() + WAIT_MS_MAX;
    for (;;) {
      await this.look();
      if (this.#failure !== null) throw this.#failure;
      const found = await answer();
      if (found !== undefined) return found;
      if (systemClock.monotonicMs() > endMs) throw new Error(`waited for ${what}; seen:\n${this.#story()}`);
      await sleep(systemClock, LOOK_EVERY_MS);
    }
  }

  /** Waits for a fact of this kind from the host, about the device if one is given, after the first `since` facts. */
  untilFact(
    host: HostId,
    kind: FactKind,
    { since = 0, uuid }: { readonly since?: number; readonly uuid?: Uuid } = {},
  ): Promise<Seen> {
    return this.until(`"${kind}" of ${host} about ${uuid ?? 'anything'}`, () =>
      this.facts
        .slice(since)
        .find((one) => one.host === host && one.fact.kind === kind && (!uuid || uuidOf(one.fact) === uuid)),
    );
  }

  /** Waits until the last word of the host on the device is one row in this state. */
  untilState(host: HostId, uuid: Uuid, state: Row['state'], like: Partial<Row> = {}): Promise<Row> {
    return this.until(`${uuid} to be ${state} on ${host}`, () => {
      const row = this.rows(host).find((one) => one.uuid === uuid);
      const isLike = Object.entries(like).every(([name, value]) => row?.[name as keyof Row] === value);
      return row?.state === state && isLike ? row : undefined;
    });
  }

  /** What the host last said of each of its devices, sorted by UUID. */
  rows(host: HostId): readonly Row[] {
    const last = new Map<Uuid, readonly Row[]>();
    for (const one of this.facts) {
      const uuid = uuidOf(one.fact);
      if (one.host === host && uuid !== undefined) last.set(uuid, one.rows);
    }
    return [...last.values()].flat().sort((a, b) => (a.uuid < b.uuid ? -1 : 1));
  }

  /** Takes in what is new. A stream that is away has nothing new. */
  async look(): Promise<void> {
    for (;;) {
      const more = await this.#more();
      for (const message of more) this.facts.push(this.#seen(message));
      this.position = more.at(-1)?.sequence ?? this.position;
      if (more.length === 0) return;
    }
  }

  async #more(): Promise<readonly Message[]> {
    try {
      return await this.#observed.next(subjectFilter(this.#prefix, 'observed'), this.position, BATCH_MAX);
    } catch (error) {
      if (error instanceof StreamUnavailable) return [];
      throw error;
    }
  }

  #seen({ subject, data }: Message): Seen {
    const host = parseSubject(this.#prefix, subject)?.host;
    const { envelope, fact } = decodeRecord(data);
    if (!host || fact === null) throw new Error(`a fact that cannot be read, on ${subject}`);
    return { host, seq: envelope.seq, hash: sha256(data), fact, rows: envelope.rows ?? [] };
  }

  #story(): string {
    return this.facts
      .map(({ host, seq, fact, rows }) => {
        const states = rows.map(({ state, reason, type }) => `${type} ${state} ${reason ?? ''}`).join(', ');
        return `${host} ${seq} ${fact.kind} ${uuidOf(fact) ?? ''} ${states}`;
      })
      .join('\n');
  }
}

function uuidOf(fact: Fact): Uuid | undefined {
  return 'uuid' in fact ? fact.uuid : undefined;
}

/** The facts of one host without repeats, in the order of its journal. Throws if two facts have one number. */
export function withoutRepeats(facts: readonly Seen[], host: HostId): readonly Seen[] {
  const bySeq = new Map<number, Seen>();
  for (const one of facts.filter((seen) => seen.host === host)) {
    const first = bySeq.get(one.seq);
    if (first !== undefined && first.hash !== one.hash)
      throw new Error(`two facts of ${host} are number ${one.seq}`);
    bySeq.set(one.seq, one);
  }
  return [...bySeq.values()].sort((a, b) => a.seq - b.seq);
}
