/**
 * Ports of 127.0.0.1 on which nobody listens, for servers that must know each other's before they start.
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/** As many as asked for, all different; free a moment ago, and not reserved. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map(portOf);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a server without a port');
  return address.port;
}
