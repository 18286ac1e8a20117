/**
 * Three real nats-servers as one cluster, for tests: each in a folder of its own, on 127.0.0.1 and free ports.
 *
 * Any of them may be killed, paused and brought back; who leads a stream is asked of those that answer.
 */
import { jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from 'nats';
import { sleep } from '../reconciler/clock.ts';
import { systemClock } from '../reconciler/clock-system.ts';
import type { NatsServerVersion } from '../tools/nats-server.ts';
import { freePorts } from './free-ports.ts';
import { type RunningNats, startNats } from './nats.ts';

const SERVERS = 3;
/** Longest wait for an election, and for a cluster to come together. */
const ELECTION_MS_MAX = 60_000;
const ASK_EVERY_MS = 100;
const ASK_MS_MAX = 1_000;

export class NatsCluster {
  readonly servers: readonly RunningNats[];

  private constructor(servers: readonly RunningNats[]) {
    this.servers = servers;
  }

  /** Starts the servers; resolves when they keep streams on all of them. */
  static async start(version: NatsServerVersion = 'newest'): Promise<NatsCluster> {
    const ports = await freePorts(SERVERS);
    const routes = ports.map((port) => `"nats://127.0.0.1:${port}"`).join(', ');
    const starting = ports.map((port, index) =>
      startNats({
        version,
        config: [
          `server_name: ${nameOf(index)}`,
          `cluster { name: test, listen: "127.0.0.1:${port}", routes: [${routes}] }`,
        ].join('\n'),
      }),
    );
    const cluster = new NatsCluster(await Promise.all(starting));
    await cluster.#untilReplicating();
    return cluster;
  }

  /** All addresses, as `--nats` takes them. */
  get url(): string {
    return this.servers.map(({ url }) => url).join(',');
  }

  server(index: number): RunningNats {
    const server = this.servers[index];
    if (server === undefined) throw new Error(`the cluster has no server ${index}`);
    return server;
  }

  /** The index of the server that leads the stream, asked of one of `among`; waits while nobody does. */
  leaderOf(stream: string, among: readonly number[] = this.servers.keys().toArray()): Promise<number> {
    return this.#ask(`the leader of ${stream}`, among, async (connection) => {
      const manager = await jetstreamManager(connection, { timeout: ASK_MS_MAX, checkAPI: false });
      const { cluster } = await manager.streams.info(stream);
      const leader = this.servers.findIndex((_, index) => nameOf(index) === cluster?.leader);
      return among.includes(leader) ? leader : undefined;
    });
  }

  /** Servers other than that one. */
  othersThan(index: number): readonly number[] {
    return this.servers
      .keys()
      .filter((one) => one !== index)
      .toArray();
  }

  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.stop()));
  }

  /** Right after the start, not every server has heard of every other one. */
  async #untilReplicating(): Promise<void> {
    const everybody = this.servers.keys().toArray();
    await this.#ask('three replicas', everybody, async (connection) => {
      const manager = await jetstreamManager(connection, { timeout: ASK_MS_MAX, checkAPI: false });
      await manager.streams.add({ name: 'PROBE', subjects: ['probe'], num_replicas: SERVERS });
      return manager.streams.delete('PROBE');
    });
  }

  /** Asks one server after another until one has an answer. */
  async #ask<T>(
    what: string,
    among: readonly number[],
    question: (connection: NatsConnection) => Promise<T | undefined>,
  ): Promise<T> {
    const endMs = systemClock.monotonicMs() + ELECTION_MS_MAX;
    for (let turn = 0, cause: unknown; ; turn += 1) {
      const server = this.server(among[turn % among.length] ?? 0);
      try {
        const answer = await answerOf(server, question);
        if (answer !== undefined) return answer;
      } catch (error) {
        cause = error;
      }
      if (systemClock.monotonicMs() > endMs) throw new Error(`waited for ${what}`, { cause });
      await sleep(systemClock, ASK_EVERY_MS);
    }
  }
}

async function answerOf<T>(
  server: RunningNats,
  question: (connection: NatsConnection) => Promise<T>,
): Promise<T> {
  const connection = await connect({ servers: server.url, timeout: ASK_MS_MAX, reconnect: false });
  try {
    return await question(connection);
  } finally {
    await connection.close();
  }
}

function nameOf(index: number): string {
  return `server-${index}`;
}
