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
import { decodeRecord, type StoredRecord, uuidOfRecord } from '../events/record.ts';
import type { Appended, Message, Outgoing, Stream } from '../events/stream.ts';
import { formatSubject, subjectFilter } from '../events/subject.ts';
import type { Journal } from './journal/journal.ts';

/** Facts in one batch. */
export const FORWARD_BATCH_MAX = 256;

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
  #certain = false;
  #running: Promise<boolean> | undefined;

  constructor(options: ForwarderOptions) {
    this.#options = options;
  }

  /** Facts that the server has not acknowledged. */
  get backlog(): number {
    const { journal } = this.#options;
    return journal.tail().seq - journal.positions().forwarded;
  }

  /** The connection is new: what the stream has is read before anything else is sent. */
  reconnected(): void {
    this.#certain = false;
  }

  /**
   * Forwards until nothing is left. True when all was acknowledged; false when the server did not
   * answer, or the journal could not record that it did: call again later. Throws StreamUnavailable,
   * or JournalRolledBack, after which nothing more may be done from this journal.
   */
  flush(): Promise<boolean> {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #run(): Promise<boolean> {
    do {
      if (!this.#certain && !(await this.#readBack())) return false;
      this.#certain = await this.#batch();
      if (!this.#certain) return false;
    } while (this.backlog > 0);
    return true;
  }

  async #batch(): Promise<boolean> {
    const { journal, stream } = this.#options;
    const records = journal.read(journal.positions().forwarded, FORWARD_BATCH_MAX);
    if (records.length === 0) return true;
    const answers = await stream.appendAll(records.map((record) => this.#outgoing(record)));
    const stored = leading(answers);
    const last = records[stored.length - 1];
    const moved = last === undefined || (await this.#move(last.seq, stored.at(-1)?.sequence ?? 0));
    return moved && stored.length === records.length;
  }

  #outgoing(record: StoredRecord): Outgoing {
    const { journal, host, prefix } = this.#options;
    const uuid = uuidOfRecord(record);
    return {
      subject: formatSubject(prefix, { kind: 'observed', host, uuid }),
      id: messageId(journal.identity.journal, record),
      data: record.bytes,
    };
  }

  /** Moves past what the stream already has of this journal; false if that cannot be recorded. */
  async #readBack(): Promise<boolean> {
    const { journal, stream, host, prefix } = this.#options;
    if (!(await this.#isWitnessed()) && !(await this.#move(0, 0))) return false;
    const filter = subjectFilter(prefix, 'observed', { host });
    for (let after = journal.positions().witnessed; ; ) {
      const there = await stream.next(filter, after, FORWARD_BATCH_MAX);
      const last = there.findLast((one) => one.id?.startsWith(`${journal.identity.journal}-`));
      after = there.at(-1)?.sequence ?? after;
      if (there.length === 0) return true;
      if (last !== undefined && !(await this.#acknowledge(last))) return false;
    }
  }

  /** False for a stream that is not the one, or not any more, that had the last fact: it was made anew, or went back. */
  async #isWitnessed(): Promise<boolean> {
    const { journal, stream } = this.#options;
    const { forwarded, witnessed } = journal.positions();
    if (witnessed === 0) return true;
    const there = await stream.at(witnessed);
    return there?.id?.startsWith(`${journal.identity.journal}-${forwarded}-`) === true;
  }

  #acknowledge({ data, sequence }: Message): Promise<boolean> {
    const { journal } = this.#options;
    const { seq } = decodeRecord(data).envelope;
    const [ours] = journal.read(seq - 1, 1);
    if (ours?.seq !== seq || ours.hash !== sha256(data)) throw rolledBack(journal, seq);
    return this.#move(Math.max(journal.positions().forwarded, seq), sequence);
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

/** `<journal>-<seq>-<hash>`: a repeat is recognised by it, and the stream witnesses the hash. */
function messageId(journal: string, record: StoredRecord): string {
  return `${journal}-${record.seq}-${record.hash}`;
}

type Stored = Extract<Appended, { kind: 'stored' }>;

function leading(answers: readonly Appended[]): readonly Stored[] {
  const end = answers.findIndex((one) => one.kind !== 'stored');
  return (end === -1 ? answers : answers.slice(0, end)).filter((one) => one.kind === 'stored');
}
