/**
 * The uplink: one connection to the NATS server that streams and registry share, for ever.
 *
 * It may be opened while no server is there. The first attempts are its own; once there was a
 * connection, the client library brings it back. While it is down, whoever needs it is told at
 * once, so that nothing waits for a time-out that it could have been spared.
 */
import { type JetStreamClient, type JetStreamManager, jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection, Status } from 'nats';
import type { After } from '../after.ts';
import { AnswerForbidden } from '../presence.ts';
import { StreamUnavailable } from '../stream.ts';
import { connectNats, type NatsOptions, serversShown } from './connection.ts';
import { isAnswerRefused } from './nats-errors.ts';

/** A first attempt that failed is followed by another after this, and up to as much again. */
const CONNECT_DELAY_MS = 2_000;

/** A connection that is up, and the clients on it. */
export type Session = {
  readonly connection: NatsConnection;
  readonly jetstream: JetStreamClient;
  readonly manager: JetStreamManager;
};

export type UplinkOptions = NatsOptions & {
  readonly after: After;
  /** A number in [0, 1), for jitter. */
  readonly random: () => number;
};

export interface Uplink {
  readonly after: After;
  readonly timeoutMs: number;
  /** The first attempt: rejects with ConnectFailed if it fails, though the uplink tries on. */
  readonly first: Promise<Session>;
  /** The session, while it is up. Throws StreamUnavailable. */
  session(): Session;
  /** Calls back at each change, and soon after the call when it is up already. */
  onState(listener: (state: 'up' | 'down') => void): () => void;
  /** Calls back for each session there ever is, its first moment included. */
  onSession(listener: (session: Session) => void): () => void;
  /** Calls back for every failed attempt, every lost connection, and every refusal of the server. */
  onFault(listener: (fault: Error) => void): () => void;
  close(): Promise<void>;
}

/** Opens an uplink; returns at once, and never throws. */
export function openUplink(options: UplinkOptions): Uplink {
  return new NatsUplink(options);
}

class NatsUplink implements Uplink {
  readonly after: After;
  readonly timeoutMs: number;
  readonly first: Promise<Session>;
  readonly #options: UplinkOptions;
  readonly #states = new Listeners<'up' | 'down'>();
  readonly #sessions = new Listeners<Session>();
  readonly #faults = new Listeners<Error>();
  #session: Session | null = null;
  #state: 'up' | 'down' | 'closed' = 'down';
  #lastFault: Error | undefined;
  #cancelRetry: (() => void) | null = null;

  constructor(options: UplinkOptions) {
    this.#options = options;
    this.after = options.after;
    this.timeoutMs = options.timeoutMs;
    this.first = this.#connect();
    this.first.catch((fault: unknown) => this.#failed(fault));
  }

  session(): Session {
    if (this.#state === 'up' && this.#session !== null) return this.#session;
    const where = serversShown(this.#options.servers);
    throw new StreamUnavailable(`there is no connection to the NATS server at ${where}`, {
      cause: this.#lastFault,
    });
  }

  onState(listener: (state: 'up' | 'down') => void): () => void {
    const cancel = this.#states.add(listener);
    if (this.#state === 'up') queueMicrotask(() => this.#states.tell(listener, 'up'));
    return cancel;
  }

  onSession(listener: (session: Session) => void): () => void {
    if (this.#session !== null) listener(this.#session);
    return this.#sessions.add(listener);
  }

  onFault(listener: (fault: Error) => void): () => void {
    return this.#faults.add(listener);
  }

  async close(): Promise<void> {
    this.#state = 'closed';
    this.#cancelRetry?.();
    await this.#session?.connection.close();
  }

  async #connect(): Promise<Session> {
    const connection = await connectNats(this.#options);
    const options = { timeout: this.timeoutMs };
    const manager = await jetstreamManager(connection, { ...options, checkAPI: false });
    const session = { connection, jetstream: jetstream(connection, options), manager };
    if (this.#isClosed()) await connection.close();
    else this.#begin(session);
    return session;
  }

  #begin(session: Session): void {
    this.#session = session;
    this.#sessions.tellAll(session);
    void this.#follow(session.connection);
    this.#become('up');
  }

  /** Until the connection is closed for good, which leaves nothing but to make another. */
  async #follow(connection: NatsConnection): Promise<void> {
    for await (const status of connection.status()) this.#noticed(status);
    const cause = await connection.closed();
    if (this.#isClosed()) return;
    this.#session = null;
    this.#become('down');
    this.#failed(cause ?? new StreamUnavailable('the connection to the NATS server was closed'));
  }

  #noticed(status: Status): void {
    if (status.type === 'reconnect') this.#become('up');
    if (status.type === 'error') this.#fault(faultOf(status.error));
    if (status.type !== 'disconnect' || this.#isClosed()) return;
    this.#become('down');
    this.#fault(new StreamUnavailable('the connection to the NATS server was lost'));
  }

  #failed(fault: unknown): void {
    if (this.#isClosed()) return;
    this.#fault(fault instanceof Error ? fault : new Error(String(fault)));
    this.#cancelRetry = this.after(CONNECT_DELAY_MS * (1 + this.#options.random()), () => {
      this.#connect().catch((again: unknown) => this.#failed(again));
    });
  }

  #fault(fault: Error): void {
    this.#lastFault = fault;
    this.#faults.tellAll(fault);
  }

  #become(state: 'up' | 'down'): void {
    if (this.#isClosed() || this.#state === state) return;
    this.#state = state;
    this.#states.tellAll(state);
  }

  #isClosed(): boolean {
    return this.#state === 'closed';
  }
}

/** An answer that is refused has another name each time, and is the same fault. */
function faultOf(error: Error): Error {
  return isAnswerRefused(error) ? new AnswerForbidden({ cause: error }) : error;
}

class Listeners<T> {
  readonly #listeners = new Set<(value: T) => void>();

  add(listener: (value: T) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  tellAll(value: T): void {
    for (const listener of [...this.#listeners]) listener(value);
  }

  /** Tells one of them, unless it has left. */
  tell(listener: (value: T) => void, value: T): void {
    if (this.#listeners.has(listener)) listener(value);
  }
}
