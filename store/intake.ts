/**
 * The intake: what was published for this host becomes facts in its journal.
 *
 * The cursor moves in the transaction that records what was read, so each event is taken
 * exactly once. The absence of an event is never a withdrawal: when the message at the cursor
 * is not what it was, the stream is another one; a new epoch begins and what was published on each
 * of the host's subjects is read anew. Events that are recorded already do nothing once more.
 */
import type { Cursor, Fact, FactOf } from '../events/fact.ts';
import type { HostId, Uuid } from '../events/names.ts';
import {
  type Message,
  type Ring,
  type Stream,
  type StreamInfo,
  StreamUnavailable,
} from '../events/stream.ts';
import { parseSubject, subjectFilter } from '../events/subject.ts';
import { coalesced } from './coalesced.ts';
import { factsOf } from './intake-facts.ts';
import type { AppendResult, CursorName, Journal } from './journal/journal.ts';
import { isAt, markOf } from './message-mark.ts';
import type { Allowance } from './rejections.ts';
import { isRereadDue, readableNow, rereadDone } from './reread.ts';

export type IntakeLimits = {
  /** Messages read, and recorded in one commit, at a time. */
  readonly batchMessagesMax: number;
  /** Looks at a replica that is behind what the doorbell announced, before the leader is asked. */
  readonly behindLooksMax: number;
  /** Pause between two such looks. */
  readonly behindPauseMs: number;
  /** Looks that must show that the stream is not what it was: a server that stood still shows one of yesterday at first. */
  readonly changedLooksMin: number;
  /** Pause between two such looks. */
  readonly changedPauseMs: number;
};

export const INTAKE_LIMITS: IntakeLimits = {
  batchMessagesMax: 256,
  behindLooksMax: 5,
  behindPauseMs: 20,
  changedLooksMin: 3,
  changedPauseMs: 250,
};

export type IntakeOptions = {
  readonly name: CursorName;
  readonly stream: Stream;
  readonly journal: Journal;
  readonly host: HostId;
  readonly prefix: string;
  readonly limits: IntakeLimits;
  readonly rejections: Allowance;
  readonly pause: (delayMs: number) => Promise<void>;
  /** Called for each UUID of which something durable was recorded, with the last of it; with null for the whole host. */
  readonly onRecorded: (uuid: Uuid | null, fact: Fact) => void;
};

/** The journal could not record what was read; nothing is lost, the same is read again later. */
export class IntakeFailed extends Error {
  override readonly name = 'IntakeFailed';
}

const BEHIND = 'the replicas that answer are behind the stream';

/** A cursor's epoch begins when the stream is met, and again whenever it is not what it was. */
type EpochCause = FactOf<'epoch'>['cause'];

export class Intake {
  readonly #options: IntakeOptions;
  readonly #filter: string;
  #heard = 0;
  #verify = true;
  /** Reads until nothing new is there; one at a time. Throws StreamUnavailable, or IntakeFailed. */
  readonly sync = coalesced(() => this.#run());

  constructor(options: IntakeOptions) {
    this.#options = options;
    const { prefix, name, host } = options;
    this.#filter = subjectFilter(prefix, name, { host });
  }

  /** Notes a ring: something may be new, or the stream may have gone back. Follow with `sync`. */
  heard(ring: Ring): void {
    const cursor = this.#cursor();
    if (ring === undefined || ring.stream !== this.#options.name) return;
    if (cursor !== null && ring.sequence <= cursor.sequence) this.#verify = true;
    this.#heard = Math.max(this.#heard, ring.sequence);
  }

  /** The connection is new: what is at the cursor is read back before anything else. */
  reconnected(): void {
    this.#verify = true;
  }

  async #run(): Promise<void> {
    if (this.#verify) await this.#readBack();
    if (isRereadDue(this.#options)) await this.#reread();
    await this.#catchUp();
    if (this.#verify) await this.#run();
  }

  #cursor(): Cursor | null {
    return this.#options.journal.positions()[this.#options.name];
  }

  /** Compares the stream with what the cursor remembers of it. */
  async #readBack(): Promise<void> {
    const { stream, limits, pause } = this.#options;
    const cursor = this.#cursor();
    for (let look = 1; ; look += 1) {
      const info = await stream.info();
      const cause = cursor === null ? 'First' : await this.#difference(cursor, info);
      if (cause === undefined) break;
      if (cursor === null || look >= limits.changedLooksMin) {
        await this.#beginEpoch(cause, (cursor?.epoch ?? 0) + 1, info.created);
        break;
      }
      await pause(limits.changedPauseMs);
    }
    this.#verify = false;
  }

  async #difference(cursor: Cursor, { created, lastSequence }: StreamInfo): Promise<EpochCause | undefined> {
    if (created !== cursor.created) return 'Recreated';
    if (lastSequence < cursor.sequence) return 'Rewound';
    if (cursor.sequence === 0) return undefined;
    const there = await this.#options.stream.at(cursor.sequence);
    const same = there !== undefined && isAt(cursor, there);
    return same ? undefined : 'Changed';
  }

  /**
   * Takes what was published, as far as it is not known, then sets the cursor: to the last message that was received,
   * since the replica that was read may be behind.
   */
  async #beginEpoch(cause: EpochCause, epoch: number, created: string): Promise<void> {
    const begun = { epoch, created, sequence: 0, digest: null };
    const last = await this.#takeHistories(begun);
    const cursor: Cursor =
      last === undefined ? begun : { ...begun, sequence: last.sequence, digest: markOf(last) };
    this.#heard = 0;
    await this.#commit([this.#append([{ kind: 'epoch', v: 1, stream: this.#options.name, cause, cursor }])]);
  }

  /**
   * Takes every subject's history, and answers with the last message. Also where the last word is known: there may
   * be others before it that are not, should it have been published once more.
   */
  async #takeHistories(cursor: Cursor): Promise<Message | undefined> {
    const { stream, limits } = this.#options;
    let taken: Message[] = [];
    let received: Message | undefined;
    for await (const last of stream.lastPerSubject(this.#filter)) {
      const history = await this.#history(last);
      received = history.at(-1);
      taken.push(...history);
      if (taken.length < limits.batchMessagesMax) continue;
      await this.#record(taken, cursor, 'keep');
      taken = [];
    }
    await this.#record(taken, cursor, 'keep');
    return received;
  }

  /** Everything on the subject up to its last word. A replica that does not have that may have holes before it. */
  async #history(last: Message): Promise<readonly Message[]> {
    const { stream, limits } = this.#options;
    const messages: Message[] = [];
    for (let after = 0; after < last.sequence; ) {
      const more = await stream.next(last.subject, after, limits.batchMessagesMax);
      if (more.length === 0) throw new StreamUnavailable(BEHIND);
      messages.push(...more.filter((one) => one.sequence <= last.sequence));
      after = more.at(-1)?.sequence ?? last.sequence;
    }
    return messages;
  }

  /** Takes what could not be read when it came, before anything that is newer. */
  async #reread(): Promise<void> {
    const cursor = this.#cursor();
    if (cursor === null) return;
    for await (const message of readableNow(this.#options, cursor)) {
      await this.#record([message], cursor, 'keep');
    }
    const { journal } = this.#options;
    await this.#commit([journal.append({ facts: [], positions: rereadDone(this.#options) })]);
  }

  async #catchUp(): Promise<void> {
    for (let looks = 0; ; ) {
      const cursor = this.#cursor();
      if (cursor === null) return;
      const { batchMessagesMax, behindLooksMax, behindPauseMs } = this.#options.limits;
      const messages = await this.#following(cursor, batchMessagesMax);
      if (messages === 'another stream') {
        this.#verify = true;
        return;
      }
      if (messages.length > 0) {
        await this.#record(messages, cursor, 'move');
        looks = 0;
      } else if (this.#heard <= cursor.sequence) {
        return;
      } else if (looks++ < behindLooksMax) {
        await this.#options.pause(behindPauseMs);
      } else {
        return this.#askLeader();
      }
    }
  }

  /**
   * What follows the cursor. The message at it is read along, for the stream may have gone back and grown beyond it
   * again while the connection stayed; where that is not ours, the leader is asked.
   */
  async #following(cursor: Cursor, limit: number): Promise<readonly Message[] | 'another stream'> {
    const { sequence } = cursor;
    const from = Math.max(0, sequence - 1);
    const read = await this.#options.stream.next(this.#filter, from, limit + 1);
    const messages = read.filter((one) => one.sequence > sequence);
    if (sequence === 0 || read.length === 0) return messages;
    const there = read[0]?.sequence === sequence ? read[0] : await this.#options.stream.at(sequence);
    return there !== undefined && isAt(cursor, there) ? messages : 'another stream';
  }

  /** A ring announced what no replica shows: they are behind, or it is gone, or the ring lied. */
  async #askLeader(): Promise<void> {
    const { stream, prefix, host } = this.#options;
    const announced = await stream.at(this.#heard);
    const ours = announced !== undefined && parseSubject(prefix, announced.subject)?.host === host;
    if (ours) throw new StreamUnavailable(BEHIND);
    this.#heard = 0;
    this.#verify = announced === undefined;
  }

  /** Records messages in one commit; each append sees what the ones before it did. */
  async #record(messages: readonly Message[], cursor: Cursor, move: 'move' | 'keep'): Promise<void> {
    const { journal, name, onRecorded } = this.#options;
    const touched = new Map<Uuid | null, Fact>();
    const appends = messages.map((message) => {
      const { epoch, created } = cursor;
      const { sequence } = message;
      const facts = factsOf(message, epoch, this.#options);
      for (const one of facts) {
        if ('uuid' in one) touched.set(one.uuid, one);
        else if (one.kind === 'steered' || one.kind === 'cordoned') touched.set(null, one);
      }
      if (move === 'keep') return facts.length === 0 ? undefined : journal.append({ facts });
      const positions = { [name]: { epoch, created, sequence, digest: markOf(message) } };
      return journal.append({ facts, positions });
    });
    await this.#commit(appends.filter((one) => one !== undefined));
    for (const [uuid, fact] of touched) onRecorded(uuid, fact);
  }

  #append(facts: readonly Fact[]): Promise<AppendResult> {
    return this.#options.journal.append({ facts });
  }

  async #commit(appends: readonly Promise<AppendResult>[]): Promise<void> {
    for (const result of await Promise.all(appends)) {
      if (result.kind === 'durable') continue;
      const cause = result.kind === 'failed' ? result.cause : undefined;
      throw new IntakeFailed('the journal could not record what was read', { cause });
    }
  }
}
