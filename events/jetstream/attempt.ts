/**
 * An attempt to connect that leaves nothing behind when it fails.
 *
 * The client library gives up after its time-out, and forgets the socket on which the server has not said anything yet
 * (nats.js issue 64): it would stay open for as long as the server hangs, and keep this process from ending.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

/** Sockets of an attempt that is under way; null once it has succeeded, when they are the library's. */
type Attempt = { sockets: Set<Socket> | null; isGivenUp: boolean };

const attempts = new AsyncLocalStorage<Attempt>();

subscribe('net.client.socket', (message) => {
  const { socket } = message as { readonly socket: Socket };
  const attempt = attempts.getStore();
  attempt?.sockets?.add(socket);
  if (attempt?.isGivenUp === true) socket.destroy();
});

/** What the attempt answers. When it fails, the sockets are closed that it has opened, or opens later. */
export async function leavingNoSocket<T>(connect: () => Promise<T>): Promise<T> {
  const attempt: Attempt = { sockets: new Set(), isGivenUp: false };
  try {
    const connection = await attempts.run(attempt, connect);
    attempt.sockets = null;
    return connection;
  } catch (error) {
    attempt.isGivenUp = true;
    for (const socket of attempt.sockets ?? []) socket.destroy();
    throw error;
  }
}
