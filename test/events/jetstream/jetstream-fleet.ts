/**
 * Fleets on a real server, for the tests: what a test opened is closed after it, last first.
 */
import type { NatsConnection } from 'nats';
import { afterEach } from 'vitest';
import { initFleet } from '../../../events/jetstream/init.ts';
import { openJetStreams } from '../../../events/jetstream/stream-jetstream.ts';
import { openUplink, type Uplink, type UplinkOptions } from '../../../events/jetstream/uplink.ts';
import type { Streams } from '../../../events/stream.ts';
import { systemClock, systemRandom } from '../../../reconciler/clock-system.ts';
import { all } from '../streams-under-test.ts';

export const TIMEOUT_MS = 5_000;

export type Fleet = {
  readonly prefix: string;
  readonly streams: Streams;
  readonly connection: NatsConnection;
  /** One more way into it. */
  client(): Promise<Streams>;
};

export type Fleets = {
  /** A new fleet on the server at that address. */
  open(url: string, timeoutMs?: number): Promise<Fleet>;
  uplink(url: string, options?: Partial<UplinkOptions>): Uplink;
  /** Calls back after the test. */
  after(close: () => Promise<void>): void;
};

/** Fleets for the tests of a file. */
export function fleetsForTests(): Fleets {
  const opened: (() => Promise<void>)[] = [];
  let fleets = 0;

  afterEach(async () => {
    for (const close of opened.splice(0).reverse()) await close();
  });

  function uplink(url: string, options: Partial<UplinkOptions> = {}): Uplink {
    const none = { creds: null, nkey: null, tlsCa: null, tlsCert: null, tlsKey: null };
    const time = { timeoutMs: TIMEOUT_MS, after: systemClock.after, random: systemRandom };
    const made = openUplink({ ...none, ...time, servers: [url], ...options });
    opened.push(() => made.close());
    return made;
  }

  async function open(url: string, timeoutMs = TIMEOUT_MS): Promise<Fleet> {
    fleets += 1;
    const prefix = `fleet-${fleets}`;
    const connect = async () => {
      const made = uplink(url, { timeoutMs });
      const { connection } = await made.first;
      return { connection, streams: openJetStreams(made, prefix) };
    };
    const { connection, streams } = await connect();
    await initFleet(connection, { prefix, timeoutMs });
    return { prefix, streams, connection, client: async () => (await connect()).streams };
  }

  return { open, uplink, after: (close) => opened.push(close) };
}

/** Every way to read. */
export function reads(streams: Streams, prefix: string): readonly (() => Promise<unknown>)[] {
  const filter = `${prefix}.desired.a.*`;
  const { desired } = streams;
  return [
    () => desired.info(),
    () => desired.at(1),
    () => desired.last(`${prefix}.desired.a.x`),
    () => desired.next(filter, 0, 10),
    () => all(desired.lastPerSubject(filter)),
  ];
}
