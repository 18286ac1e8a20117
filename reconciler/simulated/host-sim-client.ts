/**
 * The Host port on a simulated kernel in another process.
 *
 * When the connection is lost, what was being read is unreadable and what was being written
 * is unknown; the next call connects again. Changes that happen meanwhile are missed, and
 * made good by one `unknown` change.
 */
import { connect, type Socket } from 'node:net';
import type { Attribute, Uuid } from '../../events/names.ts';
import { ERRNO } from '../errno.ts';
import type { Change, Host, Look, Observed, Place, Stock, Survey, WriteResult } from '../host.ts';
import {
  type Act,
  type ActResult,
  type Answers,
  onJson,
  type Question,
  type Said,
  say,
} from './host-sim-protocol.ts';

export interface RemoteHost extends Host {
  /** The boot id of the simulated machine when the connection was first made. */
  readonly bootId: string;
  /** Does something behind the agent's back. */
  act(act: Act): Promise<ActResult>;
}

/**
 * Connects to a simulated kernel.
 * @throws when nobody answers on the socket
 */
export async function connectSimulatedHost({ socket }: { readonly socket: string }): Promise<RemoteHost> {
  const line = new Line(socket);
  const { bootId } = await line.ask({ call: 'hello' });
  return new SimulatedHostClient(line, bootId);
}

/**
 * Does one thing to a simulated machine, as its operator would.
 * @throws when nobody answers on the socket, or it cannot be done
 */
export async function actOnSimulatedKernel(socket: string, act: Act): Promise<ActResult> {
  const line = new Line(socket);
  try {
    return await line.ask({ call: 'act', act });
  } finally {
    line.close();
  }
}

/** The connection was lost, or could not be made. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';
}

class SimulatedHostClient implements RemoteHost {
  readonly bootId: string;
  readonly #line: Line;

  constructor(line: Line, bootId: string) {
    this.#line = line;
    this.bootId = bootId;
  }

  observe(uuid: Uuid, look: Look): Promise<Observed> {
    return this.#line.ask({ call: 'observe', uuid, look }).catch(unreadable);
  }

  survey(): Promise<Survey> {
    return this.#line.ask({ call: 'survey' }).catch(unreadable);
  }

  stock(): Promise<Stock> {
    return this.#line.ask({ call: 'stock' }).catch(unreadable);
  }

  create(uuid: Uuid, place: Place): Promise<WriteResult> {
    return this.#write({ call: 'create', uuid, place });
  }

  remove(uuid: Uuid, place: Place): Promise<WriteResult> {
    return this.#write({ call: 'remove', uuid, place });
  }

  setAttribute(uuid: Uuid, place: Place, attribute: Attribute): Promise<WriteResult> {
    return this.#write({ call: 'setAttribute', uuid, place, attribute });
  }

  #write(question: Extract<Question, { call: 'create' | 'remove' | 'setAttribute' }>): Promise<WriteResult> {
    return this.#line.ask(question).catch((error: unknown) => {
      if (!(error instanceof ConnectionLost)) throw error;
      return { kind: 'errno', errno: ERRNO.helperEnded, call: 'write', file: this.#line.path };
    });
  }

  act(act: Act): Promise<ActResult> {
    return this.#line.ask({ call: 'act', act });
  }

  onChange(listener: (change: Change) => void): () => void {
    this.#line.listeners.add(listener);
    return () => void this.#line.listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#line.close();
  }
}

function unreadable(error: unknown): Extract<Observed, { kind: 'unreadable' }> {
  if (!(error instanceof ConnectionLost)) throw error;
  return { kind: 'unreadable', errno: null, message: error.message };
}

type Pending = { readonly resolve: (answer: unknown) => void; readonly reject: (error: Error) => void };

/** A connection that is made again when it is needed. */
class Line {
  readonly path: string;
  readonly listeners = new Set<(change: Change) => void>();
  readonly #pending = new Map<number, Pending>();
  #socket: Promise<Socket> | null = null;
  #lost = false;
  #asked = 0;

  constructor(path: string) {
    this.path = path;
  }

  /** The server's answer; throws ConnectionLost, or what the server found wrong with the question. */
  async ask<C extends Question['call']>(question: Extract<Question, { call: C }>): Promise<Answers[C]> {
    this.#socket ??= this.#connect();
    const socket = await this.#socket;
    this.#asked += 1;
    const id = this.#asked;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve: (answer) => resolve(answer as Answers[C]), reject });
      say(socket, { id, question: question as Question });
    });
  }

  #connect(): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.path, () => {
        if (this.#lost) this.#tell({ kind: 'unknown' });
        resolve(socket);
      });
      let cause: Error | undefined;
      socket.on('error', (error) => {
        cause = error;
      });
      socket.on('close', () => {
        const lost = new ConnectionLost(`no simulated kernel answers on ${this.path}: start it first`, {
          cause,
        });
        this.#lose(lost);
        reject(lost);
      });
      onJson(socket, (said) => this.#hear(said as Said));
    });
  }

  #hear(said: Said): void {
    if ('change' in said) this.#tell(said.change);
    else if ('answer' in said) this.#take(said.id)?.resolve(said.answer);
    else
      this.#take(said.id)?.reject(new Error(`the simulated kernel on ${this.path} answered: ${said.error}`));
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }

  #tell(change: Change): void {
    for (const listener of [...this.listeners]) listener(change);
  }

  #lose(error: ConnectionLost): void {
    this.#socket = null;
    this.#lost = true;
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }

  close(): void {
    this.listeners.clear();
    this.#socket?.then((socket) => socket.destroy()).catch(() => undefined);
  }
}
