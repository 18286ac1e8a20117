/** A fleet's bucket on a real server, reached over as many connections as a test wants. */
import { connectNats, type NatsOptions } from '../../../events/jetstream/connection.ts';
import { initFleet } from '../../../events/jetstream/init.ts';
import { bucketNameOf } from '../../../events/jetstream/settings.ts';
import { openUplink, type Uplink } from '../../../events/jetstream/uplink.ts';
import type { Registry } from '../../../store/registry/registry.ts';
import { openKvRegistry } from '../../../store/registry/registry-kv.ts';
import type { NatsServerVersion } from '../../../tools/nats-server.ts';
import { type RunningNats, startNats } from '../../nats.ts';
import { NatsCluster } from '../../nats-cluster.ts';

export const BUCKET = bucketNameOf('mdev');
const TIMEOUT_MS = 10_000;

/** How a test connects; an answer may take `timeoutMs`. */
function natsOptions(url: string, timeoutMs = TIMEOUT_MS): NatsOptions {
  return { servers: [url], timeoutMs, creds: null, nkey: null, tlsCa: null, tlsCert: null, tlsKey: null };
}

export class RegistryServer {
  readonly nats: RunningNats;
  readonly #uplinks: Uplink[] = [];

  constructor(nats: RunningNats) {
    this.nats = nats;
  }

  /** One more connection; a server that goes away is given up on only by the client library. */
  async uplink(timeoutMs?: number): Promise<Uplink> {
    const uplink = openTestUplink(this.nats.url, timeoutMs);
    this.#uplinks.push(uplink);
    await uplink.first;
    return uplink;
  }

  async client(): Promise<Registry> {
    return openKvRegistry(await this.uplink(), BUCKET);
  }

  async close(): Promise<void> {
    await Promise.all(this.#uplinks.map((uplink) => uplink.close()));
    await this.nats.stop();
  }
}

/** Starts a server of that version with a fleet's streams and bucket. */
export async function startRegistryServer(version: NatsServerVersion): Promise<RegistryServer> {
  const nats = await startNats({ version });
  await makeFleet(nats.url, 1);
  return new RegistryServer(nats);
}

/** Three servers that keep the bucket on each of them; every next client comes in through the next server. */
export class RegistryCluster {
  readonly nats: NatsCluster;
  readonly #uplinks: Uplink[] = [];

  private constructor(nats: NatsCluster) {
    this.nats = nats;
  }

  static async start(version: NatsServerVersion): Promise<RegistryCluster> {
    const nats = await NatsCluster.start(version);
    await makeFleet(nats.server(0).url, nats.servers.length);
    return new RegistryCluster(nats);
  }

  /** A connection that begins at one server, and may end at any. */
  async uplink(server: number, timeoutMs?: number): Promise<Uplink> {
    const uplink = openTestUplink(this.nats.server(server).url, timeoutMs);
    this.#uplinks.push(uplink);
    await uplink.first;
    return uplink;
  }

  async client(): Promise<Registry> {
    return openKvRegistry(await this.uplink(this.#uplinks.length % this.nats.servers.length), BUCKET);
  }

  async close(): Promise<void> {
    await Promise.all(this.#uplinks.map((uplink) => uplink.close()));
    await this.nats.stop();
  }
}

function openTestUplink(url: string, timeoutMs?: number): Uplink {
  const never = () => () => undefined;
  return openUplink({ ...natsOptions(url, timeoutMs), after: never, random: () => 0 });
}

async function makeFleet(url: string, replicas: number): Promise<void> {
  const connection = await connectNats(natsOptions(url));
  await initFleet(connection, { prefix: 'mdev', timeoutMs: TIMEOUT_MS, replicas });
  await connection.close();
}
