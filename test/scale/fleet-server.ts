/**
 * A fleet's servers for tests and measurements: one, or three that keep everything three times.
 */
import type { RunningNats } from '../nats.ts';
import { startNats } from '../nats.ts';
import { NatsCluster } from '../nats-cluster.ts';
import { mdevfleet } from '../src/cli/run.ts';

export type Replicas = 1 | 3;

export type FleetServer = {
  readonly servers: readonly RunningNats[];
  readonly urls: readonly string[];
  stop(): Promise<void>;
};

/** Starts the servers and makes a fleet on them. */
export async function startFleetServer(replicas: Replicas): Promise<FleetServer> {
  const { servers, stop } = replicas === 1 ? await oneServer() : await threeServers();
  try {
    await initFleetOn(servers, replicas);
  } catch (cause) {
    await stop();
    throw cause;
  }
  return { servers, urls: servers.map(({ url }) => url), stop };
}

/** Runs `init` on the servers, as an operator does. */
export async function initFleetOn(servers: readonly RunningNats[], replicas: Replicas): Promise<void> {
  const urls = servers.map(({ url }) => url).join(',');
  const { status, stderr } = await mdevfleet(['init', '--nats', urls, '--replicas', String(replicas)]);
  if (status !== 0) throw new Error(`init ended with ${status}: ${stderr}`);
}

async function oneServer(): Promise<Pick<FleetServer, 'servers' | 'stop'>> {
  const server = await startNats();
  return { servers: [server], stop: () => server.stop() };
}

async function threeServers(): Promise<Pick<FleetServer, 'servers' | 'stop'>> {
  const cluster = await NatsCluster.start();
  return { servers: cluster.servers, stop: () => cluster.stop() };
}
