/**
 * The fleet's streams and registry, on a server or in a folder of this machine, behind their ports.
 *
 * On a server nothing is waited for: the ports say that it is not there until it is.
 */
import { type Embedded, openEmbedded } from '../../events/embedded/embedded.ts';
import { openEmbeddedStreams } from '../../events/embedded/streams-embedded.ts';
import { askAtDoorbell } from '../../events/jetstream/doorbell.ts';
import { bucketNameOf } from '../../events/jetstream/settings.ts';
import { openJetStreams } from '../../events/jetstream/stream-jetstream.ts';
import { openUplink, type Session } from '../../events/jetstream/uplink.ts';
import { type AskPresence, nobodyToAsk } from '../../events/presence.ts';
import type { Streams } from '../../events/stream.ts';
import { systemClock, systemRandom } from '../../reconciler/clock-system.ts';
import type { Registry } from '../../store/registry/registry.ts';
import { openKvRegistry } from '../../store/registry/registry-kv.ts';
import { openLmdbRegistry } from '../../store/registry/registry-lmdb.ts';
import type { FleetAddress } from '../config.ts';

export type FleetPorts = {
  readonly streams: Streams;
  readonly registry: Registry;
  readonly presence: AskPresence;
  /** Resolves when the fleet was reached for the first time; rejects when the first attempt failed, which is tried on. */
  readonly reached: Promise<unknown>;
  /** Calls back with each reason why the fleet is not reached. */
  onFault(listener: (fault: Error) => void): void;
  close(): Promise<void>;
};

/** Opens the fleet. Throws when it is embedded and cannot be opened, or credentials cannot be read. */
export function openFleetPorts(address: FleetAddress, name: string): Promise<FleetPorts> {
  return address.kind === 'nats' ? openServer(address, name) : openFolder(address);
}

async function openServer(
  address: Extract<FleetAddress, { kind: 'nats' }>,
  name: string,
): Promise<FleetPorts> {
  const uplink = openUplink({ ...address, name, after: systemClock.after, random: systemRandom });
  const streams = openJetStreams(uplink, address.prefix);
  const reached: Promise<Session> = uplink.first;
  return {
    streams,
    registry: openKvRegistry(uplink, bucketNameOf(address.prefix)),
    presence: askAtDoorbell(uplink, address.prefix),
    reached,
    onFault: (listener) => void uplink.onFault(listener),
    async close() {
      await streams.close();
      await uplink.close();
    },
  };
}

async function openFolder(address: Extract<FleetAddress, { kind: 'embedded' }>): Promise<FleetPorts> {
  const { data, prefix, pollMs } = address;
  const embedded = await openEmbedded(data, { after: systemClock.after, now: systemClock.wall, pollMs });
  const streams = await closingOnFailure(embedded, () => openEmbeddedStreams(embedded, prefix));
  return {
    streams,
    registry: openLmdbRegistry(embedded),
    presence: nobodyToAsk,
    reached: Promise.resolve(),
    onFault: () => {},
    close: () => embedded.close(),
  };
}

async function closingOnFailure<T>(embedded: Embedded, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    await embedded.close();
    throw error;
  }
}
