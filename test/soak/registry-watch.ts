/**
 * A watch on the registry's stream: a UUID that goes from one host to another must have been given back in between.
 *
 * The stream keeps the last value of each key only, so a value may be gone before it is seen here; nothing is concluded
 * across such a gap.
 */
import { jetstream } from '@nats-io/jetstream';
import { connect, type NatsConnection } from 'nats';
import type { HostId } from '../../events/names.ts';
import { decodeHold } from '../../store/registry/hold.ts';
import { BUCKET } from '../store/registry/registry-server.ts';

const UUID_KEY = /\.([0-9a-f]{8}-[0-9a-f-]{27})$/;
/** Waits between two attempts to connect, in the library. */
const RECONNECT_MS = 250;

type Held = { readonly host: HostId | null; readonly sequence: number };

export class RegistryWatch {
  readonly violations: string[] = [];
  /** Writes that were seen. */
  seen = 0;
  readonly #connection: NatsConnection;
  readonly #held = new Map<string, Held>();
  #last = 0;
  /** The first sequence since which none was missed. */
  #since = 1;

  private constructor(connection: NatsConnection) {
    this.#connection = connection;
  }

  static async start(servers: readonly string[]): Promise<RegistryWatch> {
    const options = { maxReconnectAttempts: -1, reconnectTimeWait: RECONNECT_MS };
    const watch = new RegistryWatch(await connect({ servers: [...servers], ...options }));
    const consumer = await jetstream(watch.#connection).consumers.get(`KV_${BUCKET}`);
    await consumer.consume({
      callback: ({ seq, subject, headers, data }) => {
        const isErased = headers?.has('KV-Operation') ?? false;
        watch.#saw(seq, subject, isErased ? null : data);
      },
    });
    return watch;
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  #saw(sequence: number, subject: string, data: Uint8Array | null): void {
    if (sequence <= this.#last) return;
    if (sequence !== this.#last + 1) this.#since = sequence;
    this.#last = sequence;
    this.seen += 1;
    const uuid = UUID_KEY.exec(subject)?.[1];
    if (uuid === undefined) return;
    const host = data === null ? null : decodeHold(data).claim.host;
    const before = this.#held.get(uuid);
    this.#held.set(uuid, { host, sequence });
    if (!before?.host || host === null || before.host === host || before.sequence < this.#since) return;
    this.violations.push(
      `${uuid} went from ${before.host} to ${host} at ${sequence} without being given back`,
    );
  }
}
