/**
 * Opens the fleet for one verb: its streams for as long as the work lasts, and no longer.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { openEmbedded } from '../../events/embedded.ts';
import type { Streams } from '../../events/stream.ts';
import { openJetStreams } from '../../events/stream-jetstream.ts';
import { openEmbeddedStreams } from '../../events/streams-embedded.ts';
import { openUplink } from '../../events/uplink.ts';
import type { Clock } from '../../reconciler/clock.ts';
import { systemClock, systemRandom } from '../../reconciler/clock-system.ts';
import { type FleetAddress, fleetAddress, type Settings } from '../config.ts';
import { Failure } from '../exit.ts';

/** What a verb works with. */
export type Fleet = { readonly streams: Streams; readonly prefix: string; readonly clock: Clock };

/**
 * Does the work on the fleet that the settings mean; `create` lets an embedded one begin with it.
 * Throws what opening throws, and what the work does.
 */
export async function withFleet<T>(
  settings: Settings,
  work: (fleet: Fleet) => Promise<T>,
  { create = false } = {},
): Promise<T> {
  const address = fleetAddress(settings);
  const { streams, close } = await (address.kind === 'nats'
    ? openServer(address)
    : openFolder(address, create));
  try {
    return await work({ streams, prefix: address.prefix, clock: systemClock });
  } finally {
    await close();
  }
}

type Opened = { readonly streams: Streams; close(): Promise<void> };

/** A mistyped folder must not look like a fleet without devices. */
async function openFolder(
  { data, prefix, pollMs }: Extract<FleetAddress, { kind: 'embedded' }>,
  create: boolean,
): Promise<Opened> {
  if (!create && !existsSync(join(data, 'fleet', 'data.mdb'))) {
    throw new Failure(`opening the embedded fleet: there is none in ${data}`, {
      outcome: 'uninitialised',
      wayOut: 'check --data; `mdevfleet init` makes one, and --nats names a server instead',
    });
  }
  const embedded = await openEmbedded(data, { after: systemClock.after, now: systemClock.wall, pollMs });
  try {
    return { streams: await openEmbeddedStreams(embedded, prefix), close: () => embedded.close() };
  } catch (cause) {
    await embedded.close();
    throw cause;
  }
}

async function openServer(address: Extract<FleetAddress, { kind: 'nats' }>): Promise<Opened> {
  const uplink = openUplink({
    ...address,
    name: 'mdevfleet',
    after: systemClock.after,
    random: systemRandom,
  });
  try {
    await uplink.first;
  } catch (cause) {
    await uplink.close();
    throw cause;
  }
  const streams = openJetStreams(uplink, address.prefix);
  return {
    streams,
    async close() {
      await streams.close();
      await uplink.close();
    },
  };
}
