/**
 * The forwarder: the journal is its own outbox.
 *
 * Facts go to the observed stream in order, one batch in flight, and the position moves only
 * on the server's word. At first, and after an unknown outcome, it reads what the stream has of this
 * journal, since the server forgets message ids sooner than an outage ends. So the stream is also
 * the witness outside the host: a journal that it knows better is a copy that was put back.
 */
import { sha256 } from '../events/digest.ts';
import type { HostId } from '../events/names.ts';
import { decodeRecord, type StoredRecord, topicOfRecord } from '../events/record.ts';
import {
  type Appended,
  type Message,
  type Outgoing,
  type Stream,
  StreamUnavailable,
} from '../events/stream.ts';
import { formatSubject, subjectFilter } from '../events/subject.ts';
import type { Journal } from './journal/journal.ts';
import { formatWitness, parseWitness } from './witness.ts';

/** Facts in one batch. */
export const FORWARD_BATCH_MAX = 256;

const BEHIND = 'the replicas that answer are behind the observed stream';

export type ForwarderOptions = {
  readonly journal: Journal;
  readonly stream: Stream;
  readonly host: HostId;
  readonly prefix: string;
};

/** The fleet has records of this journal that it does not have itself: it was put back to an older state. */
export class JournalRolledBack extends Error {
  override readonly name = 'JournalRolledBack';
}

export class Forwarder {
  readonly #options: ForwarderOptions;
  /** How often the stream may have changed behind our back, and up to which of these it was read since. */
  #doubts = 1;
  #resolved = 0;
  #flushing: Promise<boolean> | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: ForwarderOptions) {
    this.#options = options;
  }

  /** Facts that the server has not acknowledged. */
  get backlog(): number {
    const { journal } = this.#options;
    return journal.tail().seq - journal.positions().forwarded;
  }

  /** The stream may not be what it was: what it has is read before anything else is sent. */
  doubt(): void {
    this.#doubts += 1;
  }

  /**
   * Reads what the stream has of this journal, if that is in doubt. False when the journal could not record it.
   * Throws StreamUnavailable, or JournalRolledBack, after which nothing more may be done from this journal.
   */
  async resolve(): Promise<boolean> {
    return this.#resolved === this.#doubts || this.#serially(() => this.#resolveDoubts());
  }

  /**
   * Forwards until nothing is left. True when all was acknowledged; false when the server did not
   * answer, or the journal could not record that it did: call again later. Throws like `resolve`.
   */
  flush(): Promise<boolean> {
    this.#flushing ??= this.#serially(() => this.#run()).finally(() => {
      this.#flushing = undefined;
    });
    return this.#flushing;
  }

  #serially<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#last.then(work);
    this.#last = run.catch(() => undefined);
    return run;
  }

  async #run(): Promise<boolean> {
    do {
      if (!(await this.#resolveDoubts())) return false;
      if (await this.#batch()) continue;
      this.doubt();
      return false;
    } while (this.backlog > 0);
    return true;
  }

  async #resolveDoubts(): Promise<boolean> {
    const doubts = this.#doubts;
    if (this.#resolved < doubts && !(await this.#readBack())) return false;
    this.#resolved = doubts;
    return true;
  }

  /** A stream whose sequences have gone back is not what it was: the position stays, and the stream is read. */
  async #batch(): Promise<boolean> {
    const { journal, stream } = this.#options;
    const { forwarded, witnessed } = journal.positions();
    const records = journal.read(forwarded, FORWARD_BATCH_MAX);
    if (records.length === 0) return true;
    const answers = await stream.appendAll(records.map((record) => this.#outgoing(record)));
    const stored = leading(answers);
    if (stored.some(({ sequence, duplicate }) => !duplicate && sequence <= witnessed)) return false;
    const last = records[stored.length - 1];
    const moved = last === undefined || (await this.#move(last.seq, stored.at(-1)?.sequence ?? 0));
    return moved && stored.length === records.length;
  }

  #outgoing(record: StoredRecord): Outgoing {
    const { journal, host, prefix } = this.#options;
    return {
      subject: formatSubject(prefix, { kind: 'observed', host, ...topicOfRecord(record) }),
      id: formatWitness({ journal: journal.identity.journal, seq: record.seq, hash: record.hash }),
      data: record.bytes,
    };
  }

  /** Moves past what the stream already has of this journal; false if that cannot be recorded. */
  async #readBack(): Promise<boolean> {
    const { journal, stream, host, prefix } = this.#options;
    if (!(await this.#isWitnessed()) && !(await this.#move(0, 0))) return false;
    const filter = subjectFilter(prefix, 'observed', { host });
    const end = (await stream.last(filter))?.sequence ?? 0;
    for (let after = journal.positions().witnessed; ; ) {
      const there = await stream.next(filter, after, FORWARD_BATCH_MAX);
      after = there.at(-1)?.sequence ?? after;
      if (there.length === 0 && after < end) throw new StreamUnavailable(BEHIND);
      if (there.length === 0) return true;
      if (!(await this.#acknowledge(there.filter(({ id }) => this.#isOurs(id))))) return false;
    }
  }

  #isOurs(id: string | null): boolean {
    return parseWitness(id)?.journal === this.#options.journal.identity.journal;
  }

  /** False for a stream that is not the one, or not any more, that had the last fact: it was made anew, or went back. */
  async #isWitnessed(): Promise<boolean> {
    const { journal, stream } = this.#options;
    const { forwarded, witnessed } = journal.positions();
    if (witnessed === 0) return true;
    const there = await stream.at(witnessed);
    const witness = parseWitness(there?.id ?? null);
    return witness?.journal === journal.identity.journal && witness.seq === forwarded;
  }

  /** Moves as far as every fact is there: in a stream that went back, a late one may stand without those before it. */
  async #acknowledge(messages: readonly Message[]): Promise<boolean> {
    const before = this.#options.journal.positions();
    let { forwarded, witnessed } = before;
    for (const { data, sequence } of messages) {
      if (this.#ownSeq(data) !== forwarded + 1) continue;
      forwarded += 1;
      witnessed = sequence;
    }
    return forwarded === before.forwarded || this.#move(forwarded, witnessed);
  }

  /** The number of a fact that the stream has, which must be the very one that the journal has. */
  #ownSeq(data: Uint8Array): number {
    const { journal } = this.#options;
    const { seq } = decodeRecord(data).envelope;
    const [ours] = journal.read(seq - 1, 1);
    if (ours?.seq !== seq || ours.hash !== sha256(data)) throw rolledBack(journal, seq);
    return seq;
  }

  async #move(forwarded: number, witnessed: number): Promise<boolean> {
    const positions = { forwarded, witnessed };
    const result = await this.#options.journal.append({ facts: [], positions });
    return result.kind === 'durable';
  }
}

function rolledBack(journal: Journal, seq: number): JournalRolledBack {
  const { host, journal: id } = journal.identity;
  const tail = journal.tail().seq;
  const how = seq > tail ? `ends at record ${tail}` : `has another record ${seq}`;
  return new JournalRolledBack(
    `the fleet has record ${seq} of journal ${id} of host ${host}, and the journal here ${how}: ` +
      'it is an older copy that was put back',
  );
}

type Stored = Extract<Appended, { kind: 'stored' }>;

function leading(answers: readonly Appended[]): readonly Stored[] {
  const end = answers.findIndex((one) => one.kind !== 'stored');
  return (end === -1 ? answers : answers.slice(0, end)).filter((one) => one.kind === 'stored');
}
