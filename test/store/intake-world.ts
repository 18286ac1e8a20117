/**
 * One host's intake over streams in memory: what operators publish, what the journal then holds, and what can go
 * wrong between the two.
 */
import { encodeCommand, encodeDeclaration } from '../../events/codec.ts';
import type { Declaration, EventMeta } from '../../events/declaration.ts';
import type { Fact, FactOf } from '../../events/fact.ts';
import type { Attribute, Claim, Uuid } from '../../events/names.ts';
import { decodeRecord } from '../../events/record.ts';
import type { Message, Ring, Stream, StreamInfo } from '../../events/stream.ts';
import { createMemoryStreams, type MemoryStream } from '../../events/stream-memory.ts';
import { formatSubject } from '../../events/subject.ts';
import type { Device } from '../../store/device.ts';
import { INTAKE_LIMITS, Intake } from '../../store/intake.ts';
import type { CursorName } from '../../store/journal/journal.ts';
import { MemoryDisk, type MemoryJournal, openMemoryJournal } from '../../store/journal/journal-memory.ts';
import type { Batch } from '../../store/journal/journal-storage.ts';
import { allowance } from '../../store/rejections.ts';
import { ManualClock } from '../manual-clock.ts';

export const HOST = 'host-1';
const PREFIX = 'mdev';
export const UUID = uuidOf(1);

export function uuidOf(n: number): Uuid {
  return `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
}

export type Declared = {
  readonly uuid?: Uuid;
  readonly host?: string;
  readonly parent?: string;
  readonly type?: string;
  readonly attributes?: readonly Attribute[];
  readonly replaces?: Claim;
  /** The event's own id; another one each time unless given. */
  readonly id?: string;
};

/** A disk that keeps what each commit was. */
class WitnessedDisk extends MemoryDisk {
  readonly batches: Batch[] = [];

  override commit(batch: Batch): void {
    super.commit(batch);
    this.batches.push(batch);
  }
}

/** A stream as a replica serves it that has only so many messages; what the leader is asked is not behind. */
class Replica {
  readonly #stream: MemoryStream;
  /** Sequence of the last message that the replica has. */
  has = Number.POSITIVE_INFINITY;
  /** The same of the replica on which a consumer for last words is put. */
  consumerHas = Number.POSITIVE_INFINITY;
  /** What the leader says of its end, so many times; then the truth. */
  leaderHas = { last: Number.POSITIVE_INFINITY, looks: 0 };
  /** Filters that `next` was asked for, from where. */
  readonly asked: string[] = [];

  constructor(stream: MemoryStream) {
    this.#stream = stream;
  }

  get port(): Stream {
    return new Proxy<Stream>(this.#stream, {
      get: (target, name) => {
        if (name === 'next') return this.next.bind(this);
        if (name === 'info') return this.info.bind(this);
        if (name === 'lastPerSubject') return this.lastPerSubject.bind(this);
        const member: unknown = Reflect.get(target, name, target);
        return typeof member === 'function' ? member.bind(target) : member;
      },
    });
  }

  async info(): Promise<StreamInfo> {
    const info = await this.#stream.info();
    const { last, looks } = this.leaderHas;
    if (looks === 0) return info;
    this.leaderHas = { last, looks: looks - 1 };
    return { ...info, lastSequence: Math.min(last, info.lastSequence) };
  }

  async next(filter: string, after: number, limit: number): Promise<readonly Message[]> {
    this.asked.push(`${filter} after ${after}`);
    const messages = await this.#stream.next(filter, after, limit);
    return messages.filter(({ sequence }) => sequence <= this.has);
  }

  async *lastPerSubject(filter: string): AsyncIterable<Message> {
    const all = await this.#stream.next(filter, 0, Number.MAX_SAFE_INTEGER);
    const known = all.filter(({ sequence }) => sequence <= this.consumerHas);
    yield* known.filter(({ subject }, at) => known.findLastIndex((one) => one.subject === subject) === at);
  }
}

/** The streams, and one journal that listens to them. Another world may go on where one was left. */
export class World {
  readonly clock = new ManualClock();
  readonly streams = createMemoryStreams({ now: () => this.clock.wall() });
  readonly replica = new Replica(this.streams.desired);
  /** Who was told of, in order. */
  readonly told: (Uuid | null)[] = [];
  disk = new WitnessedDisk();
  journal: MemoryJournal;
  desired: Intake;
  command: Intake;
  #events = 0;

  constructor() {
    this.journal = this.#open();
    this.desired = this.#intake('desired', this.replica.port);
    this.command = this.#intake('command', this.streams.command);
  }

  /** Kills the agent, and starts another one: on the same disk, or on an empty one. */
  restart(disk: WitnessedDisk = this.disk): void {
    this.journal.crash();
    this.disk = disk;
    this.journal = this.#open();
    this.desired = this.#intake('desired', this.replica.port);
    this.command = this.#intake('command', this.streams.command);
  }

  restartEmpty(): void {
    this.restart(new WitnessedDisk());
  }

  #open(): MemoryJournal {
    return openMemoryJournal({
      disk: this.disk,
      journal: 'journal-1',
      host: HOST,
      machine: { machineId: 'machine-1', product: null },
      software: 'test',
      stamp: () => ({ time: this.clock.wall(), boot: 'boot-1' }),
      schedule: (commit) => void this.clock.after(0, commit),
    });
  }

  #intake(name: CursorName, stream: Stream): Intake {
    return new Intake({
      name,
      stream,
      journal: this.journal,
      host: HOST,
      prefix: PREFIX,
      limits: INTAKE_LIMITS,
      rejections: allowance(() => this.clock.monotonicMs()),
      pause: (delayMs) => new Promise((resolve) => void this.clock.after(delayMs, resolve)),
      onRecorded: (uuid) => this.told.push(uuid),
    });
  }

  // What operators publish.

  present({
    id,
    uuid = UUID,
    host = HOST,
    parent = 'gpu0',
    type = 'small',
    ...rest
  }: Declared = {}): Promise<number> {
    const { attributes, ...others } = rest;
    const data = { uuid, host, parent, type, ...others, ...(attributes && { attributes: [...attributes] }) };
    return this.#declare({ desired: 'present', event: this.event(id), data });
  }

  absent({ id, uuid = UUID, host = HOST }: Declared = {}): Promise<number> {
    return this.#declare({ desired: 'absent', event: this.event(id), data: { uuid, host } });
  }

  retry({ id, uuid = UUID }: Declared = {}): Promise<number> {
    const { subject, data } = encodeCommand(PREFIX, {
      command: 'retry',
      event: this.event(id),
      data: { host: HOST, uuid },
    });
    return this.publish(subject, data, this.streams.command);
  }

  steer(command: 'pause' | 'resume', { id }: { readonly id?: string } = {}): Promise<number> {
    const { subject, data } = encodeCommand(PREFIX, { command, event: this.event(id), data: { host: HOST } });
    return this.publish(subject, data, this.streams.command);
  }

  cordon(command: 'cordon' | 'uncordon', parent?: string): Promise<number> {
    const about = { host: HOST, ...(parent === undefined ? {} : { parent }) };
    const { subject, data } = encodeCommand(PREFIX, { command, event: this.event(), data: about });
    return this.publish(subject, data, this.streams.command);
  }

  #declare(declaration: Declaration): Promise<number> {
    const { subject, data } = encodeDeclaration(PREFIX, declaration);
    return this.publish(subject, data);
  }

  /** Anything at all, under the subject of the UUID. */
  raw(text: string, uuid: Uuid = UUID): Promise<number> {
    const subject = formatSubject(PREFIX, { kind: 'desired', host: HOST, uuid });
    return this.publish(subject, new TextEncoder().encode(text));
  }

  /** Appends under a message id of its own, so that the stream itself drops no repeats; the sequence is answered. */
  async publish(
    subject: string,
    data: Uint8Array,
    stream: MemoryStream = this.streams.desired,
  ): Promise<number> {
    this.#events += 1;
    const appended = await stream.append({ subject, id: `message-${this.#events}`, data });
    if (appended.kind !== 'stored') throw new Error(`not stored: ${appended.kind}`);
    return appended.sequence;
  }

  event(id = `event-${this.#events + 1}`): EventMeta {
    return { id, source: 'test', time: '2026-01-01T00:00:00Z' };
  }

  // What happens, and what came of it.

  async sync(ring?: Ring): Promise<void> {
    this.desired.heard(ring);
    await this.clock.until(this.desired.sync());
  }

  syncCommands(): Promise<void> {
    return this.clock.until(this.command.sync());
  }

  async record(...facts: readonly Fact[]): Promise<void> {
    await this.clock.until(this.journal.append({ facts }));
  }

  facts<K extends Fact['kind']>(kind: K): readonly FactOf<K>[] {
    return factsIn(this.journal.read(0, Number.MAX_SAFE_INTEGER)).filter(
      (one): one is FactOf<K> => one.kind === kind,
    );
  }

  outcomes(): readonly string[] {
    return this.facts('declared').map(({ outcome }) => outcome);
  }

  device(uuid: Uuid = UUID): Device {
    return this.journal.device(uuid);
  }

  cursor(): number | undefined {
    return this.journal.positions().desired?.sequence;
  }

  epochs(): readonly string[] {
    return this.facts('epoch').map(({ cause, cursor }) => `${cause} ${cursor.epoch}`);
  }
}

export function factsIn(records: readonly { readonly bytes: Uint8Array }[]): readonly Fact[] {
  return records.map(({ bytes }) => decodeRecord(bytes).fact).filter((one) => one !== null);
}
