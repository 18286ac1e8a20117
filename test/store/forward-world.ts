/**
 * One journal, its forwarder, and the observed stream at the end of a bad line.
 */
import type { Fact } from '../../events/fact.ts';
import { decodeRecord } from '../../events/record.ts';
import {
  type Appended,
  type Message,
  type Outgoing,
  type Stream,
  StreamUnavailable,
} from '../../events/stream.ts';
import { createMemoryStreams } from '../../events/stream-memory.ts';
import { Forwarder } from '../../store/forward.ts';
import { MemoryDisk, type MemoryJournal, openMemoryJournal } from '../../store/journal/journal-memory.ts';
import { ManualClock } from '../manual-clock.ts';

const HOST = 'host-1';
export const UUID = '00000000-0000-4000-8000-000000000001';
export const FACT: Fact = { kind: 'unmanaged', v: 1, uuid: UUID, device: null };

/** What becomes of one batch: all is stored, or only the first so many; and which answers arrive: all, none, all but one. */
type Fate = { readonly stored?: number; readonly answered?: boolean; readonly silent?: number };

type Life = { alive: boolean };

/** Ids get something of their own at the end on the way in, so that none is ever known; it is left off again here. */
function asSent(answer: unknown): unknown {
  if (Array.isArray(answer)) return answer.map(asSent);
  if (typeof answer !== 'object' || answer === null || !('id' in answer)) return answer;
  return { ...answer, id: typeof answer.id === 'string' ? answer.id.split(' ')[0] : null };
}

function observedStream(): Stream {
  return createMemoryStreams({ now: () => '2026-01-01T00:00:00Z' }).observed;
}

/** The observed stream behind a bad line, with a server that forgets ids at once. */
class Line {
  inner = observedStream();
  readonly fates: Fate[] = [];
  down = false;
  batches = 0;
  #sent = 0;

  /** The stream as one life of an agent reaches it: once that has ended, nothing more is sent. */
  stream(life: Life): Stream {
    return new Proxy<Stream>(this.inner, {
      get: (_, name) => {
        const member: unknown = Reflect.get(this.inner, name, this.inner);
        if (typeof member !== 'function') return member;
        const call: (...args: never[]) => unknown =
          name === 'appendAll' ? this.#appendAll.bind(this) : this.#read.bind(this, member.bind(this.inner));
        return (...args: never[]) => (life.alive ? call(...args) : new Promise(() => undefined));
      },
    });
  }

  /** The stream is another one, which has the first so many messages of the old one. */
  async recreate(kept: number): Promise<void> {
    const before = await this.inner.next('>', 0, kept === 0 ? 1 : kept);
    this.inner = observedStream();
    for (const { subject, id, data } of before.slice(0, kept)) {
      await this.inner.append({ subject, id: id ?? '', data });
    }
  }

  async #read(member: (...args: unknown[]) => unknown, ...args: unknown[]): Promise<unknown> {
    if (this.down) throw new StreamUnavailable('the line is down');
    return asSent(await member(...args));
  }

  async #appendAll(messages: readonly Outgoing[]): Promise<readonly Appended[]> {
    this.batches += 1;
    const { stored = messages.length, answered = true, silent = -1 } = this.fates.shift() ?? {};
    const answers: Appended[] = [];
    for (const message of messages.slice(0, stored)) {
      const answer = await this.inner.append({ ...message, id: `${message.id} ${this.#sent++}` });
      const heard = answered && answers.length !== silent;
      answers.push(heard ? answer : { kind: 'unknown', cause: 'time-out' });
    }
    if (stored < messages.length) answers.push({ kind: 'unknown', cause: 'time-out' });
    return answered ? answers : answers.slice(0, 1);
  }
}

export class World {
  readonly clock = new ManualClock();
  readonly line = new Line();
  disk: MemoryDisk;
  journal: MemoryJournal;
  forwarder: Forwarder;
  #life: Life = { alive: true };

  constructor(name = 'journal-1') {
    this.disk = new MemoryDisk();
    this.journal = this.#open(name);
    this.forwarder = this.#forwarder();
  }

  #open(journal: string): MemoryJournal {
    return openMemoryJournal({
      disk: this.disk,
      journal,
      host: HOST,
      machine: { machineId: 'machine-1', product: null },
      software: 'test',
      stamp: () => ({ time: this.clock.wall(), boot: 'boot-1' }),
      schedule: (commit) => void this.clock.after(0, commit),
    });
  }

  #forwarder(): Forwarder {
    this.#life.alive = false;
    this.#life = { alive: true };
    const stream = this.line.stream(this.#life);
    return new Forwarder({ journal: this.journal, stream, host: HOST, prefix: 'mdev' });
  }

  /** Kills the agent and starts another one on the same disk. */
  restart(): void {
    this.disk = this.journal.crash();
    this.journal = this.#open('another');
    this.forwarder = this.#forwarder();
  }

  /** Puts back what was on the disk before. */
  putBack(disk: MemoryDisk): void {
    this.disk = disk;
    this.journal = this.#open('another');
    this.forwarder = this.#forwarder();
  }

  /** Begins another journal for the same host. */
  replace(journal: string): void {
    this.disk = new MemoryDisk();
    this.journal = this.#open(journal);
    this.forwarder = this.#forwarder();
  }

  async record(times = 1): Promise<void> {
    const facts = Array.from({ length: times }, () => FACT);
    await this.clock.until(this.journal.append({ facts }));
  }

  flush(): Promise<boolean> {
    return this.clock.until(this.forwarder.flush());
  }

  /** Sequences of this journal's records in the observed stream, as they stand there. */
  async observed(): Promise<readonly number[]> {
    return (await this.messages()).map(({ data }) => decodeRecord(data).envelope.seq);
  }

  async messages(): Promise<readonly Message[]> {
    const messages = await this.line.inner.next('mdev.observed.>', 0, Number.MAX_SAFE_INTEGER);
    return messages.filter(({ id }) => id?.startsWith(`${this.journal.identity.journal}-`));
  }
}
