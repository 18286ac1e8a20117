import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from 'nats';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connectNats } from '../../../events/jetstream/connection.ts';
import { ensureStream, InitFailed, initFleet } from '../../../events/jetstream/init.ts';
import { bucketNameOf, streamNameOf, wantedStreams } from '../../../events/jetstream/settings.ts';
import { type RunningNats, startNats } from '../../nats.ts';

const TIMEOUT_MS = 5_000;
const NO_SECRETS = { creds: null, nkey: null, tlsCa: null, tlsCert: null, tlsKey: null };

describe.each(['newest', 'least'] as const)('init on the %s server', (version) => {
  let server: RunningNats;
  let connection: NatsConnection;
  let fleets = 0;
  let prefix: string;

  beforeAll(async () => {
    server = await startNats({ version });
    connection = await connectNats({ ...NO_SECRETS, servers: [server.url], timeoutMs: TIMEOUT_MS });
  });

  afterAll(async () => {
    await connection.close();
    await server.stop();
  });

  beforeEach(() => {
    fleets += 1;
    prefix = `init.fleet-${fleets}`;
  });

  const init = (replicas?: number) =>
    initFleet(connection, { prefix, timeoutMs: TIMEOUT_MS, ...(replicas === undefined ? {} : { replicas }) });

  test('makes all streams, tells that the server took every setting, and changes nothing the second time', async () => {
    const made = await init();
    const names = [
      `INIT_FLEET_${fleets}_DESIRED`,
      `INIT_FLEET_${fleets}_OBSERVED`,
      `INIT_FLEET_${fleets}_COMMAND`,
      `KV_INIT_FLEET_${fleets}_REGISTRY`,
    ];
    const report = (action: string) => names.map((stream) => ({ stream, action, changed: [], ignored: [] }));
    expect(made).toEqual({ server: server.version, streams: report('created') });
    expect(await init()).toEqual({ server: server.version, streams: report('unchanged') });
  });

  test('puts back what somebody changed, tells what it was, and leaves the rest alone', async () => {
    await init();
    const manager = await jetstreamManager(connection);
    const stream = streamNameOf(prefix, 'observed');
    const week = 604_800_000_000_000;
    await manager.streams.update(stream, { max_age: week, allow_direct: false, metadata: { site: 'here' } });
    const { streams } = await init();
    const changed = [
      { setting: 'max_age', wanted: 0, found: week },
      { setting: 'allow_direct', wanted: true, found: false },
    ];
    expect(streams.find((one) => one.stream === stream)).toEqual({
      stream,
      action: 'updated',
      changed,
      ignored: [],
    });
    const { config } = await manager.streams.info(stream);
    expect(config).toMatchObject({ max_age: 0, allow_direct: true, metadata: { site: 'here' } });
  });

  test('nobody can delete, purge or roll up what was published', async () => {
    await init();
    const manager = await jetstreamManager(connection);
    for (const { name } of wantedStreams(prefix)) {
      await expect(manager.streams.purge(name)).rejects.toThrow(/not permitted/);
      await expect(manager.streams.deleteMessage(name, 1)).rejects.toThrow(/not permitted/);
      await expect(manager.streams.update(name, { deny_purge: false })).rejects.toThrow(/can not cancel/);
      await expect(manager.streams.update(name, { allow_rollup_hdrs: true })).rejects.toThrow(
        /rollup|roll-ups/i,
      );
    }
  });

  test('refuses a stream of that name for other subjects, and leaves it as it is', async () => {
    const manager = await jetstreamManager(connection);
    const name = streamNameOf(prefix, 'command');
    await manager.streams.add({ name, subjects: ['theirs.>'], max_msgs: 7 });
    await expect(init()).rejects.toThrow(
      `${name}: it exists, for the subjects theirs.>; choose another prefix`,
    );
    expect((await manager.streams.info(name)).config).toMatchObject({ subjects: ['theirs.>'], max_msgs: 7 });
  });

  test('refuses subjects that another stream takes', async () => {
    const manager = await jetstreamManager(connection);
    await manager.streams.add({ name: `THEIRS_${fleets}`, subjects: [`${prefix}.desired.>`] });
    await expect(init()).rejects.toThrow(InitFailed);
    await expect(init()).rejects.toThrow(/overlap/);
  });

  test('says so when the server cannot keep that many copies', async () => {
    await expect(init(3)).rejects.toThrow(/replicas > 1 not supported/);
  });

  test('does not hide that a stream copies from another', async () => {
    await init();
    const manager = await jetstreamManager(connection);
    const [source, stream] = [streamNameOf(prefix, 'desired'), streamNameOf(prefix, 'observed')];
    await manager.streams.update(stream, { sources: [{ name: source }] });
    const { streams } = await init();
    const report = streams.find((one) => one.stream === stream);
    expect(report?.ignored).toEqual([{ setting: 'sources', wanted: undefined, found: [{ name: source }] }]);
  });
});

test('a setting that an older server took in silence and did not keep is told', async () => {
  const server = await startNats({ version: 'least' });
  try {
    const connection = await connectNats({ ...NO_SECRETS, servers: [server.url], timeoutMs: TIMEOUT_MS });
    const manager = await jetstreamManager(connection);
    const wanted = { name: 'ANY', subjects: ['any'], keep_for_ever: true };
    const { ignored } = await ensureStream(manager, wanted);
    expect(ignored).toEqual([{ setting: 'keep_for_ever', wanted: true, found: undefined }]);
    await connection.close();
  } finally {
    await server.stop();
  }
});

test('names of streams and bucket come from the prefix', () => {
  expect(streamNameOf('mdev', 'desired')).toBe('MDEV_DESIRED');
  expect(streamNameOf('eu.my-fleet', 'observed')).toBe('EU_MY_FLEET_OBSERVED');
  expect(bucketNameOf('mdev')).toBe('MDEV_REGISTRY');
});
