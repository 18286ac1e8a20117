/**
 * What the demo waits for: facts in the fleet's stream, and passes in its agents' logs.
 *
 * A wait is a question about what was seen so far, asked again with everything that is seen. It
 * ends with the answer, at its deadline, or with the reason why there will be no answer.
 */
import { sha256 } from '../../events/digest.ts';
import { type Embedded, openEmbedded } from '../../events/embedded/embedded.ts';
import { openEmbeddedStreams } from '../../events/embedded/streams-embedded.ts';
import type { Fact, FactKind, FactOf } from '../../events/fact.ts';
import type { HostId, Uuid } from '../../events/names.ts';
import { decodeRecord } from '../../events/record.ts';
import type { Row } from '../../events/row.ts';
import type { Stream } from '../../events/stream.ts';
import { DEFAULT_PREFIX, parseSubject, subjectFilter } from '../../events/subject.ts';
import { systemClock } from '../../reconciler/clock-system.ts';
import { Failure } from '../exit.ts';

/** Longest wait for one thing; everything here takes moments, but the machine may be busy. */
const WAIT_MS_MAX = 60_000;
/** Facts read at a time. */
const BATCH_FACTS_MAX = 256;

/** A fact as the fleet's stream shows it. `hash` is its record's. */
export type SeenFact = {
  readonly host: HostId;
  readonly seq: number;
  readonly time: string;
  readonly hash: string;
  readonly fact: Fact;
  readonly rows: readonly Row[];
};

/** The end of a pass, as an agent logged it. `why` says why it is to be tried again. */
export type SeenPass = {
  readonly host: HostId;
  readonly uuid: Uuid;
  readonly end: string;
  readonly why: string | null;
  readonly steps: number;
};

export class Watch {
  readonly facts: SeenFact[] = [];
  readonly passes: SeenPass[] = [];
  readonly #embedded: Embedded;
  readonly #observed: Stream;
  readonly #waiting = new Set<() => void>();
  #read: Promise<void> = Promise.resolve();
  #position = 0;
  #failure: unknown = null;

  private constructor(embedded: Embedded, observed: Stream) {
    this.#embedded = embedded;
    this.#observed = observed;
    embedded.onCommit(() => {
      this.#read = this.#read.then(() => this.#catchUp()).catch((error: unknown) => this.fail(error));
    });
  }

  /** Begins to watch the embedded fleet in the folder, and makes it if there is none. */
  static async open(data: string): Promise<Watch> {
    const embedded = await openEmbedded(data, { after: systemClock.after, now: systemClock.wall });
    const { observed } = await openEmbeddedStreams(embedded, DEFAULT_PREFIX);
    return new Watch(embedded, observed);
  }

  /** Asks all that is waited for again. */
  look(): void {
    for (const look of [...this.#waiting]) look();
  }

  /** An agent logged the end of a pass. */
  heard(pass: SeenPass): void {
    this.passes.push(pass);
    this.look();
  }

  /** Ends this wait and all that come: what they wait for will not happen. */
  fail(reason: unknown): void {
    this.#failure ??= reason;
    this.look();
  }

  /** Resolves with the first answer that is not undefined; `what` completes "waiting for …". */
  until<T>(what: string, answer: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const cancel = systemClock.after(WAIT_MS_MAX, () => {
        this.fail(
          new Failure(`waiting for ${what}: it has not come for ${WAIT_MS_MAX / 1000} s`, LOOK_AT_LOGS),
        );
      });
      const look = (): void => {
        const found = this.#failure === null ? answer() : undefined;
        if (found === undefined && this.#failure === null) return;
        cancel();
        this.#waiting.delete(look);
        if (found === undefined) reject(this.#failure);
        else resolve(found);
      };
      this.#waiting.add(look);
      look();
    });
  }

  /** Waits for a fact of this kind on the host, about the device if one is given, after the first `since` facts. */
  untilFact<K extends FactKind>(
    host: HostId,
    kind: K,
    { since = 0, uuid }: { readonly since?: number; readonly uuid?: Uuid } = {},
  ): Promise<SeenFact & { readonly fact: FactOf<K> }> {
    const isIt = (seen: SeenFact): seen is SeenFact & { readonly fact: FactOf<K> } =>
      seen.host === host && seen.fact.kind === kind && (uuid === undefined || uuidOf(seen.fact) === uuid);
    const about = uuid === undefined ? '' : ` about ${uuid}`;
    return this.until(`host ${host} to report "${kind}"${about}`, () => this.facts.slice(since).find(isIt));
  }

  /** What hosts last reported of each device. */
  rows(): readonly Row[] {
    const last = new Map<string, readonly Row[]>();
    for (const { host, fact, rows } of this.facts) last.set(`${host}/${uuidOf(fact)}`, rows);
    return [...last.values()].flat();
  }

  async close(): Promise<void> {
    await this.#embedded.close();
  }

  async #catchUp(): Promise<void> {
    const messages = await this.#observed.next(
      subjectFilter(DEFAULT_PREFIX, 'observed'),
      this.#position,
      BATCH_FACTS_MAX,
    );
    for (const { subject, data, sequence } of messages) {
      this.#position = sequence;
      const host = parseSubject(DEFAULT_PREFIX, subject)?.host;
      const { envelope, fact } = decodeRecord(data);
      if (!host || fact === null) throw new Error(`a fact that cannot be read: ${subject}`);
      const { seq, time, rows = [] } = envelope;
      this.facts.push({ host, seq, time, hash: sha256(data), fact, rows });
    }
    if (messages.length > 0) this.look();
    if (messages.length === BATCH_FACTS_MAX) await this.#catchUp();
  }
}

const LOOK_AT_LOGS = { outcome: 'unexpected', wayOut: 'look into DIR/logs' } as const;

export function uuidOf(fact: Fact): Uuid | undefined {
  return 'uuid' in fact ? fact.uuid : undefined;
}
