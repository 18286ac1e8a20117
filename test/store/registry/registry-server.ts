/** A fleet's bucket on a real server, reached over as many connections as a test wants. */
import { connectNats, type NatsOptions } from '../../../events/jetstream/connection.ts';
import { initFleet } from '../../../events/jetstream/init.ts';
import { bucketNameOf } from '../../../events/jetstream/settings.ts';
import { openUplink, type Uplink } from '../../../events/jetstream/uplink.ts';
import type { Registry } from '../../../store/registry/registry.ts';
import { openKvRegistry } from '../../../store/registry/registry-kv.ts';
import type { NatsServerVersion } from '../../../tools/nats-server.ts';
import { type RunningNats, startNats } from '../../nats.ts';

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
    const never = () => () => undefined;
    const options = natsOptions(this.nats.url, timeoutMs);
    const uplink = openUplink({ ...options, after: never, random: () => 0 });
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
  const connection = await connectNats(natsOptions(nats.url));
  await initFleet(connection, { prefix: 'mdev', timeoutMs: TIMEOUT_MS });
  await connection.close();
  return new RegistryServer(nats);
}
