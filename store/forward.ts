/**
 * The forwarder: the journal is its own outbox.
 *
 * Facts go to the observed stream in order, one batch in flight, and the position moves only
 * on the server's word. After an unknown outcome it first reads what the stream has of this
 * journal, since the server forgets message ids sooner than an outage ends.
 */
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

  /**
   * Forwards until nothing is left. True when all was acknowledged; false when the server did not
   * answer, or the journal could not record that it did: call again later. Throws StreamUnavailable.
   */
  flush(): Promise<boolean> {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #run(): Promise<boolean> {
    while (this.backlog > 0) {
      if (!this.#certain && !(await this.#readBack())) return false;
      this.#certain = await this.#batch();
      if (!this.#certain) return false;
    }
    return true;
  }

  async #batch(): Promise<boolean> {
    const { journal, stream } = this.#options;
    const records = journal.read(journal.positions().forwarded, FORWARD_BATCH_MAX);
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
    const filter = subjectFilter(prefix, 'observed', { host });
    for (let after = journal.positions().witnessed; ; ) {
      const there = await stream.next(filter, after, FORWARD_BATCH_MAX);
      const last = there.findLast((one) => one.id?.startsWith(`${journal.identity.journal}-`));
      after = there.at(-1)?.sequence ?? after;
      if (there.length === 0) return true;
      if (last !== undefined && !(await this.#acknowledge(last))) return false;
    }
  }

  #acknowledge({ data, sequence }: Message): Promise<boolean> {
    const { forwarded } = this.#options.journal.positions();
    return this.#move(Math.max(forwarded, decodeRecord(data).envelope.seq), sequence);
  }

  async #move(forwarded: number, witnessed: number): Promise<boolean> {
    const positions = { forwarded, witnessed };
    const result = await this.#options.journal.append({ facts: [], positions });
    return result.kind === 'durable';
  }
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
