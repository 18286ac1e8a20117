/**
 * Opens the fleet for one verb: its streams and registry for as long as the work lasts, and no longer.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { privateKeyOf } from '../../events/nkey.ts';
import type { AskPresence } from '../../events/presence.ts';
import type { Streams } from '../../events/stream.ts';
import { SignedStream } from '../../events/stream-signed.ts';
import type { Clock } from '../../reconciler/clock.ts';
import { systemClock } from '../../reconciler/clock-system.ts';
import type { Registry } from '../../store/registry/registry.ts';
import { openFleetPorts } from '../agent/fleet-ports.ts';
import { type FleetAddress, fleetAddress, type Settings } from '../config.ts';
import { Failure } from '../exit.ts';

/** What a verb works with. */
export type Fleet = {
  readonly streams: Streams;
  readonly registry: Registry;
  readonly presence: AskPresence;
  readonly prefix: string;
  readonly clock: Clock;
};

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
  if (!create) mustExist(address);
  const { streams, registry, presence, reached, close } = await openFleetPorts(address, 'mdevfleet');
  try {
    await reached;
    const own = signedStreams(streams, settings);
    return await work({ streams: own, registry, presence, prefix: address.prefix, clock: systemClock });
  } finally {
    await close();
  }
}

/** A seed, in a file of its own or among credentials. */
const SEED = /\bSU[A-Z2-7]{56}\b/;

/** What is published is signed with the NKey by which the server knows us, if we have one. */
function signedStreams(streams: Streams, { nkey, creds }: Settings): Streams {
  const file = nkey ?? creds;
  const seed = file === undefined ? undefined : SEED.exec(readFileSync(file, 'utf8'))?.[0];
  const key = seed === undefined ? undefined : privateKeyOf(seed);
  if (key === undefined) return streams;
  return {
    desired: new SignedStream(streams.desired, key),
    command: new SignedStream(streams.command, key),
    observed: streams.observed,
    doorbell: (host, onRing) => streams.doorbell(host, onRing),
    onConnection: (listener) => streams.onConnection(listener),
    close: () => streams.close(),
  };
}

/** A mistyped folder must not look like a fleet without devices. */
function mustExist(address: FleetAddress): void {
  if (address.kind === 'nats' || existsSync(join(address.data, 'fleet', 'data.mdb'))) return;
  throw new Failure(`opening the embedded fleet: there is none in ${address.data}`, {
    outcome: 'uninitialised',
    wayOut: 'check --data; `mdevfleet init` makes one, and --nats names a server instead',
  });
}
