/**
 * The fleet as it is reached from here: the server, its streams and registry, and what its clock says.
 *
 * It asks, and publishes nothing, so what a user may publish is not found out. All checks share one connection; why there
 * is none is told once, by the first of them.
 */
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from 'nats';
import {
  ConnectFailed,
  type ConnectFailure,
  connectNats,
  serversShown,
} from '../../events/jetstream/connection.ts';
import { inspectFleet, type StreamLook } from '../../events/jetstream/inspect.ts';
import { atLeast, BATCH_VERSION_MIN, serverVersion } from '../../events/jetstream/server-version.ts';
import { bucketNameOf } from '../../events/jetstream/settings.ts';
import { messageOf } from '../../events/message-of.ts';
import type { Clock } from '../../reconciler/clock.ts';
import { readFleet } from '../../store/registry/fleet.ts';
import { speakerOf } from '../../store/registry/incarnation.ts';
import type { Registry } from '../../store/registry/registry.ts';
import { openKvRegistry } from '../../store/registry/registry-kv.ts';
import type { FleetAddress } from '../config.ts';
import { causes } from '../exit.ts';
import type { Check } from './examine.ts';
import { type Found, fault, note, ok, warning } from './finding.ts';
import { clocksFound, secrecyFound, storedFound, streamFound } from './fleet-found.ts';
import { type Self, speakerFound } from './speaker.ts';

export type NatsAddress = Extract<FleetAddress, { kind: 'nats' }>;

/** What is looked at through one connection. */
export type FleetLook = {
  readonly checks: readonly Check[];
  close(): Promise<void>;
};

/** `self` is who the settings say that this machine is; null on one that is no host. */
export function lookAtFleet(address: NatsAddress, clock: Clock, self: Self | null): FleetLook {
  const connecting = connectNats({ ...address, name: 'mdevfleet doctor' });
  const connected = connecting.catch(() => null);
  const over =
    (look: (connection: NatsConnection) => Promise<readonly Found[]>) =>
    async (): Promise<readonly Found[]> => {
      const connection = await connected;
      return connection === null ? [] : look(connection);
    };
  return {
    checks: [
      { name: 'server', look: () => serverFound(connecting, address) },
      { name: 'streams', look: over((connection) => streamsFound(connection, address)) },
      { name: 'registry', look: over((connection) => registryFound(connection, address)) },
      ...(self === null
        ? []
        : [{ name: 'host', look: over((connection) => hostFound(connection, address, self)) }]),
      { name: 'clocks', look: over((connection) => skewFound(connection, address, clock)) },
    ],
    async close() {
      await (await connected)?.close();
    },
  };
}

async function serverFound(
  connecting: Promise<NatsConnection>,
  address: NatsAddress,
): Promise<readonly Found[]> {
  const where = serversShown(address.servers);
  try {
    const connection = await connecting;
    const version = serverVersion(connection);
    const found: Found[] = [ok(`nats-server ${version} at ${where}`)];
    if (!atLeast(version, BATCH_VERSION_MIN))
      found.push(
        note(
          `it is older than ${BATCH_VERSION_MIN}`,
          'hosts read messages one by one: all works, more slowly',
        ),
      );
    return [...found, ...secrecyFound(address, connection.info?.auth_required === true)];
  } catch (error) {
    if (!(error instanceof ConnectFailed)) throw error;
    const [cause] = causes(error).slice(-1);
    const found = cause === undefined ? error.message : `${error.message} (${cause})`;
    return [fault(found, NOT_CONNECTED, CONNECT_CURES[error.reason])];
  }
}

const NOT_CONNECTED =
  'hosts keep what they hold and make it again after a reboot; nothing new is taken or heard of';

const CONNECT_CURES = {
  unreachable: 'start the server, open its port to this host, or correct --nats',
  credentials: 'give --creds, --nkey, or a user and password in the URL, as the server knows them',
  tls: 'give --tls-ca the certificate of who signed for the server; and --tls-cert and --tls-key if it asks for ours',
  'no-jetstream': 'start the server with `jetstream { store_dir: …, sync_interval: always }`',
  'too-old': 'upgrade the server; until then no agent connects to it',
} as const satisfies Record<ConnectFailure, string>;

async function streamsFound(connection: NatsConnection, address: NatsAddress): Promise<readonly Found[]> {
  const looks = await inspectFleet(connection, address);
  const missing = looks.filter(({ kind }) => kind === 'missing');
  if (missing.length === looks.length)
    return [
      fault(
        `the server has no streams of the prefix ${address.prefix}`,
        'there is no fleet here yet',
        '`mdevfleet init`, once; or correct --prefix',
      ),
    ];
  const manager = await jetstreamManager(connection, { timeout: address.timeoutMs, checkAPI: false });
  // Who may not ask for it looks at the streams all the same.
  const stored = await manager.getAccountInfo().then(storedFound, () => []);
  const isCluster = connection.info?.cluster !== undefined;
  return [...looks.flatMap((look: StreamLook) => streamFound(look, isCluster)), ...stored];
}

async function registryOver(
  connection: NatsConnection,
  { prefix, timeoutMs }: NatsAddress,
): Promise<Registry> {
  const manager = await jetstreamManager(connection, { timeout: timeoutMs, checkAPI: false });
  const session = { connection, manager, jetstream: jetstream(connection, { timeout: timeoutMs }) };
  return openKvRegistry({ session: () => session }, bucketNameOf(prefix));
}

/** Why the registry cannot be read is told by its own check. */
async function hostFound(
  connection: NatsConnection,
  address: NatsAddress,
  self: Self,
): Promise<readonly Found[]> {
  const spoken = await speakerOf(await registryOver(connection, address), self.host);
  return 'identity' in spoken ? [speakerFound(spoken.identity, self)] : [];
}

async function registryFound(connection: NatsConnection, address: NatsAddress): Promise<readonly Found[]> {
  const fleet = await readFleet(await registryOver(connection, address));
  if (fleet.kind === 'unknown')
    return [
      warning(
        messageOf(fleet.cause),
        'whether UUIDs can be taken is not known',
        '`mdevfleet init` makes one; or let this user read it',
      ),
    ];
  if (fleet.state === 'open') return [ok('open')];
  const { what = 'nobody knows why', by = 'nobody', at = 'some time' } = fleet.value ?? {};
  return [
    warning(
      `rebuilding: ${what}; ${by} noticed at ${at}`,
      'no UUID is taken: new devices wait, RegistryRebuilding',
      'start the agents of all hosts that hold devices, then `mdevfleet reopen`',
    ),
  ];
}

/** The answer was made somewhere between question and answer. */
async function skewFound(
  connection: NatsConnection,
  address: NatsAddress,
  clock: Clock,
): Promise<readonly Found[]> {
  const before = Date.parse(clock.wall());
  const [look] = await inspectFleet(connection, address, 1);
  const after = Date.parse(clock.wall());
  if (look?.kind !== 'seen' || look.at === null) return [];
  return [clocksFound(Date.parse(look.at), { before, after })];
}
