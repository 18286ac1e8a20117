/**
 * The fleet for other programs, `import { connect } from 'mdevfleet/client'`: publish, watch, read.
 *
 * A thin layer over what the command line itself uses. What is published is checked first, since an
 * event that no host can read helps nobody; what is watched goes on after the server was away.
 */
import { encodeDeclaration, explain } from '../events/codec.ts';
import { absentData, type Declaration, type PresentData, presentData } from '../events/declaration.ts';
import type { Fact } from '../events/fact.ts';
import type { HostId, Uuid } from '../events/names.ts';
import { decodeRecord } from '../events/record.ts';
import type { Row } from '../events/row.ts';
import {
  type Appended,
  type Message,
  type Stream,
  StreamForbidden,
  StreamMissing,
  StreamUnavailable,
} from '../events/stream.ts';
import { DEFAULT_PREFIX, parseSubject, subjectFilter } from '../events/subject.ts';
import { systemClock } from '../reconciler/clock-system.ts';
import { type FleetPorts, openFleetPorts } from './agent/fleet-ports.ts';
import { createAuthor } from './cli/author.ts';
import type { FleetAddress } from './config.ts';
import { readRows, readStandings } from './fleet.ts';

/** Messages that are read at a time. */
const BATCH_MESSAGES_MAX = 256;
/** Time between two looks for what is new. */
const POLL_MS = 250;
/** Longest wait for an answer of the server. */
const TIMEOUT_MS = 5_000;

export type ConnectOptions = {
  /** `nats://host:port`, one or several of one cluster. */
  readonly servers: readonly string[];
  /** First part of all subjects; `mdev` unless given. */
  readonly prefix?: string;
  /** Who publishes: printable ASCII without blanks; this user on this machine unless given. */
  readonly source?: string;
  /** Paths of credentials, an NKey seed, and certificates. */
  readonly creds?: string;
  readonly nkey?: string;
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
};

/** What a program declares; id, source and time are added. */
export type Published =
  | Omit<Extract<Declaration, { desired: 'present' }>, 'event'>
  | Omit<Extract<Declaration, { desired: 'absent' }>, 'event'>;

/** Everything unless given. */
export type Only = { readonly host?: HostId; readonly uuid?: Uuid };

export type WatchOptions = Only & {
  /** Go on behind the message of this sequence, instead of with the last one of each device. */
  readonly after?: number;
  readonly signal?: AbortSignal;
};

/** A fact that a host forwarded. `fact` is null when this version does not know its kind. */
export type Watched = {
  readonly sequence: number;
  readonly host: HostId;
  readonly uuid: Uuid | null;
  readonly time: string;
  readonly fact: Fact | null;
  /** The device's rows after the fact; of none, it is gone. Null when the fact is about no device. */
  readonly rows: readonly Row[] | null;
};

/** Connects. Throws ConnectFailed, or StreamUnavailable. */
export async function connect(options: ConnectOptions): Promise<FleetClient> {
  const { prefix = DEFAULT_PREFIX, source, servers, ...given } = options;
  const author = createAuthor(systemClock, source);
  const none = { creds: null, nkey: null, tlsCa: null, tlsCert: null, tlsKey: null };
  const address: FleetAddress = { kind: 'nats', servers, prefix, timeoutMs: TIMEOUT_MS, ...none, ...given };
  const ports = await openFleetPorts(address, 'mdevfleet client');
  try {
    await ports.reached;
  } catch (error) {
    await ports.close();
    throw error;
  }
  return new FleetClient(ports, prefix, author);
}

export class FleetClient {
  readonly #ports: FleetPorts;
  readonly #prefix: string;
  readonly #author: ReturnType<typeof createAuthor>;

  constructor(ports: FleetPorts, prefix: string, author: ReturnType<typeof createAuthor>) {
    this.#ports = ports;
    this.#prefix = prefix;
    this.#author = author;
  }

  /**
   * Publishes a declaration; with `expected`, only if the last one of its host and UUID has that sequence (0: none).
   * Throws TypeError when it is not valid. `unknown` may or may not be stored: publish the same again.
   */
  publish(declared: Published, { expected }: { readonly expected?: number } = {}): Promise<Appended> {
    const { error } = (declared.desired === 'present' ? presentData : absentData).safeParse(declared.data);
    if (error !== undefined) throw new TypeError(`not a declaration: ${explain(error)}`);
    const outgoing = encodeDeclaration(this.#prefix, { ...declared, event: this.#author() });
    const { desired } = this.#ports.streams;
    return desired.append(
      expected === undefined ? outgoing : { ...outgoing, expectedSubjectSequence: expected },
    );
  }

  /**
   * The last fact of each device, and then every one that follows, until aborted. Goes on by itself after the
   * server was away. Throws StreamMissing or StreamForbidden.
   */
  async *watch({ after, signal, ...only }: WatchOptions = {}): AsyncGenerator<Watched> {
    const { observed } = this.#ports.streams;
    const filter = subjectFilter(this.#prefix, 'observed', only);
    const end = signal ?? new AbortController().signal;
    let at = after;
    while (!end.aborted) {
      const batch = await patiently(() =>
        at === undefined ? lasts(observed, filter) : nexts(observed, filter, at),
      );
      for (const message of batch?.messages ?? []) {
        const watched = this.#watched(message);
        if (watched !== undefined && !end.aborted) yield watched;
      }
      at = batch?.at ?? at;
      if (!batch?.messages.length) await pause(end);
    }
  }

  /** The rows of devices as `mdevfleet get devices` shows them, as far as hosts reported. Throws StreamUnavailable. */
  async devices({ host, uuid }: Only = {}): Promise<readonly Row[]> {
    const rows = await readRows(this.#ports.streams.observed, this.#prefix, host);
    return rows.filter((row) => uuid === undefined || row.uuid === uuid);
  }

  /** What is declared to be there, with the sequence of each declaration. Throws StreamUnavailable. */
  async declared({
    host,
    uuid,
  }: Only = {}): Promise<readonly (PresentData & { readonly sequence: number })[]> {
    const scope = { host, ...(uuid === undefined ? {} : { uuids: new Set([uuid]) }) };
    const standings = await readStandings(this.#ports.streams.desired, this.#prefix, scope);
    return [...standings.values()].flatMap(({ sequence, declaration }) =>
      declaration?.desired === 'present' ? [{ ...declaration.data, sequence }] : [],
    );
  }

  close(): Promise<void> {
    return this.#ports.close();
  }

  /** Undefined for what cannot be read. */
  #watched({ sequence, subject, data }: Message): Watched | undefined {
    const parsed = parseSubject(this.#prefix, subject);
    if (!parsed?.host) return undefined;
    try {
      const { envelope, fact } = decodeRecord(data);
      const { host, uuid } = parsed;
      return { sequence, host, uuid, time: envelope.time, fact, rows: envelope.rows ?? null };
    } catch {
      return undefined;
    }
  }
}

/** Messages, and how far the stream has been seen with them. */
type Batch = { readonly messages: readonly Message[]; readonly at: number };

async function lasts(stream: Stream, filter: string): Promise<Batch> {
  const { lastSequence } = await stream.info();
  const messages = await Array.fromAsync(stream.lastPerSubject(filter));
  return { messages, at: Math.max(lastSequence, messages.at(-1)?.sequence ?? 0) };
}

async function nexts(stream: Stream, filter: string, after: number): Promise<Batch> {
  const messages = await stream.next(filter, after, BATCH_MESSAGES_MAX);
  return { messages, at: messages.at(-1)?.sequence ?? after };
}

/** Undefined while the server is away. */
async function patiently(read: () => Promise<Batch>): Promise<Batch | undefined> {
  try {
    return await read();
  } catch (error) {
    const lasting = error instanceof StreamMissing || error instanceof StreamForbidden;
    if (lasting || !(error instanceof StreamUnavailable)) throw error;
    return undefined;
  }
}

/** Until it is time to look again, or nobody wants to. */
async function pause(end: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const wake = () => resolve();
  const cancel = systemClock.after(POLL_MS, wake);
  end.addEventListener('abort', wake);
  await promise;
  end.removeEventListener('abort', wake);
  cancel();
}
