/**
 * A simulated kernel as a process of its own, on a Unix socket.
 *
 * It outlives agents, so that killing one is not a reboot: what the agent had begun to write
 * goes on. A reboot of the machine cuts off those agents that are connected, as it would.
 */

import { lstat, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { explain } from '../../events/codec.ts';
import { messageOf } from '../../events/message-of.ts';
import type { Clock, Random } from '../clock.ts';
import type { Host } from '../host.ts';
import { createSimulatedHost } from './host-sim.ts';
import {
  type Act,
  type ActResult,
  type Answers,
  onJson,
  type Question,
  question,
  request,
  say,
} from './host-sim-protocol.ts';
import { SimulatedKernel } from './kernel-sim.ts';
import type { KernelConfig } from './kernel-sim-config.ts';

export type ServerParts = {
  readonly socket: string;
  readonly config: KernelConfig;
  readonly clock: Clock;
  readonly random: Random;
  readonly writeDeadlineMs?: number | undefined;
};

export interface SimulatedKernelServer {
  readonly kernel: SimulatedKernel;
  /** Cuts everybody off, ends the kernel and takes the socket away. */
  close(): Promise<void>;
}

/**
 * Serves a simulated kernel on a Unix socket. A socket on which nobody answers is replaced.
 * @throws when somebody answers on it, or it cannot be made there
 */
export async function serveSimulatedKernel(parts: ServerParts): Promise<SimulatedKernelServer> {
  const kernel = new SimulatedKernel(parts);
  const everybody = new Set<Socket>();
  const server = createServer((socket) => {
    everybody.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => everybody.delete(socket));
    new Session({ ...parts, kernel, socket, everybody }).start();
  });
  await listen(server, parts.socket);
  const close = async (): Promise<void> => {
    kernel.halt();
    for (const socket of everybody) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  return { kernel, close };
}

type SessionParts = Pick<ServerParts, 'clock' | 'writeDeadlineMs'> & {
  readonly kernel: SimulatedKernel;
  readonly socket: Socket;
  readonly everybody: ReadonlySet<Socket>;
};

/** One connection. */
class Session {
  readonly #kernel: SimulatedKernel;
  readonly #host: Host;
  readonly #socket: Socket;
  readonly #everybody: ReadonlySet<Socket>;

  constructor({ kernel, clock, writeDeadlineMs, socket, everybody }: SessionParts) {
    this.#kernel = kernel;
    this.#host = createSimulatedHost({ kernel, clock, writeDeadlineMs });
    this.#socket = socket;
    this.#everybody = everybody;
  }

  start(): void {
    const end = this.#host.onChange((change) => say(this.#socket, { change }));
    this.#socket.on('close', end);
    onJson(this.#socket, (value) => void this.#hear(value));
  }

  async #hear(value: unknown): Promise<void> {
    const outer = request.safeParse(value);
    if (!outer.success) return void this.#socket.destroy();
    const { id } = outer.data;
    const inner = question.safeParse(outer.data.question);
    if (!inner.success) return say(this.#socket, { id, error: explain(inner.error) });
    try {
      say(this.#socket, { id, answer: await this.#answer(inner.data) });
    } catch (cause) {
      say(this.#socket, { id, error: messageOf(cause) });
    }
    if (inner.data.call === 'act' && inner.data.act.do === 'reboot') this.#cutOff();
  }

  #answer(asked: Question): Promise<Answers[Question['call']]> {
    switch (asked.call) {
      case 'hello':
        return Promise.resolve({ bootId: this.#kernel.bootId });
      case 'observe':
        return this.#host.observe(asked.uuid, asked.look);
      case 'survey':
        return this.#host.survey();
      case 'stock':
        return this.#host.stock();
      case 'create':
        return this.#host.create(asked.uuid, asked.place);
      case 'remove':
        return this.#host.remove(asked.uuid, asked.place);
      case 'setAttribute':
        return this.#host.setAttribute(asked.uuid, asked.place, asked.attribute);
      case 'act':
        return perform(this.#kernel, asked.act);
      default:
        return asked satisfies never;
    }
  }

  /** Nobody on the machine survives its reboot but the operator, who is not on it. */
  #cutOff(): void {
    for (const socket of this.#everybody) if (socket !== this.#socket) socket.destroy();
  }
}

/** Does to the kernel what somebody wants; throws when there is nothing to do it to. */
async function perform(kernel: SimulatedKernel, act: Act): Promise<ActResult> {
  switch (act.do) {
    case 'list': {
      const listing = { bootId: kernel.bootId, parents: kernel.parents(), devices: kernel.devices() };
      return { kind: 'listing', listing };
    }
    case 'create':
      return kernel.create(act.uuid, act.place);
    case 'remove':
      return kernel.remove(act.uuid);
    case 'hold':
      if (!kernel.hold(act.uuid))
        throw new Error(`${act.uuid} cannot be opened: it is not there, or open already`);
      return DONE;
    case 'release':
      kernel.release(act.uuid);
      return DONE;
    case 'unplug':
      await kernel.unplug(act.parent);
      return DONE;
    case 'plug':
      await kernel.plug(act.parent);
      return DONE;
    case 'reboot':
      kernel.reboot();
      return DONE;
    default:
      return act satisfies never;
  }
}

const DONE: ActResult = { kind: 'done' };

async function listen(server: Server, path: string): Promise<void> {
  const first = await tryListen(server, path);
  if (first === null) return;
  const why =
    first.code === 'EADDRINUSE'
      ? await takenBy(path)
      : `${first.message}; give a path in a folder that exists`;
  if (why === null) {
    await rm(path);
    const second = await tryListen(server, path);
    if (second === null) return;
  }
  throw new Error(`cannot serve a simulated kernel on ${path}: ${why ?? first.message}`, { cause: first });
}

/** What the path is taken by; null for a socket that somebody has left. What is no socket is somebody's file. */
async function takenBy(path: string): Promise<string | null> {
  if (!(await lstat(path)).isSocket()) return 'something else is there; give another path';
  return (await isAnswered(path)) ? 'another simulated kernel answers there; give another path' : null;
}

/** Null when it listens. */
function tryListen(server: Server, path: string): Promise<NodeJS.ErrnoException | null> {
  return new Promise((resolve) => {
    server.once('error', resolve);
    server.listen(path, () => {
      server.off('error', resolve);
      resolve(null);
    });
  });
}

/** True unless connecting is refused: whoever might answer keeps the socket. */
function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'ECONNREFUSED'));
  });
}
