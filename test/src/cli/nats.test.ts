/**
 * The verbs on a real nats-server: what they do, and what they say when it is not as it must be.
 */
import { createServer, type Server } from 'node:net';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from 'nats';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bucketNameOf } from '../../../events/jetstream/settings.ts';
import { openJetStreams } from '../../../events/jetstream/stream-jetstream.ts';
import { openUplink } from '../../../events/jetstream/uplink.ts';
import { systemClock, systemRandom } from '../../../reconciler/clock-system.ts';
import { EXIT } from '../../../src/exit.ts';
import { openKvRegistry } from '../../../store/registry/registry-kv.ts';
import { type NatsOptions, type RunningNats, startNats } from '../../nats.ts';
import { type TestFleet, testFleetVerbs } from './fleet.contract.ts';
import { testHostVerbs } from './hosts.contract.ts';
import { testPlanVerbs } from './plan.contract.ts';
import { testRegistryVerbs } from './registry.contract.ts';
import { mdevfleet, mdevfleetJson, type Ran } from './run.ts';

const USERS = 'authorization { users [ { user: "ops", password: "let-me-in" } ] }';
const TIMEOUT = { MDEVFLEET_LIMITS_NATS_TIMEOUT_MS: '2000' };

testFleetVerbs('nats-server', openFleet);
testRegistryVerbs('nats-server', openFleet);
testPlanVerbs('nats-server', openFleet, 'offers');
testHostVerbs('nats-server', openFleet);

async function openFleet(): Promise<TestFleet> {
  const server = await startNats();
  await init(server.url);
  const files = { creds: null, nkey: null, tlsCa: null, tlsCert: null, tlsKey: null };
  const uplink = openUplink({
    ...{ servers: [server.url], timeoutMs: 5_000, after: systemClock.after, random: systemRandom },
    ...files,
  });
  await uplink.first;
  return {
    flags: ['--nats', server.url],
    streams: openJetStreams(uplink, 'mdev'),
    registry: openKvRegistry(uplink, bucketNameOf('mdev')),
    async close() {
      await uplink.close();
      await server.stop();
    },
  };
}

async function init(url: string): Promise<Ran> {
  const ran = await mdevfleet(['init', '--nats', url]);
  if (ran.status !== 0) throw new Error(`init ended with ${ran.status}: ${ran.stderr}`);
  return ran;
}

function getDevices(url: string): Promise<Ran> {
  return mdevfleet(['get', 'devices', '--nats', url], { env: TIMEOUT });
}

describe('init', () => {
  let server: RunningNats;
  beforeAll(async () => {
    server = await startNats({ version: 'least' });
  });
  afterAll(() => server.stop());

  test('makes what is missing, on the least version too, and the second time nothing', async () => {
    expect((await init(server.url)).stdout).toContain('MDEV_DESIRED created');
    const { stdout } = await init(server.url);
    expect(stdout).toContain('MDEV_DESIRED unchanged');
    expect(stdout).not.toContain('created');
    expect(await mdevfleetJson(['get', 'devices', '--nats', server.url])).toEqual([]);
  });

  test('two fleets share a server by their prefixes', async () => {
    await init(server.url);
    const other = ['--nats', server.url, '--prefix', 'other'];
    expect((await mdevfleet(['get', 'devices', ...other])).status).toBe(EXIT.uninitialised);
    expect((await mdevfleet(['init', ...other])).stdout).toContain('OTHER_DESIRED created');
    expect(await mdevfleetJson(['get', 'devices', ...other])).toEqual([]);
  });

  test('a registry that is lost: nothing is taken in the one that is made, before hosts have said what they hold', async () => {
    await init(server.url);
    const connection = await connect({ servers: server.url });
    const { streams } = await jetstreamManager(connection);
    await connection.request('mdev.observed.host-a._', new Uint8Array());
    await streams.delete('KV_MDEV_REGISTRY');
    await connection.close();
    const again = await init(server.url);
    expect(again.stdout).toContain('KV_MDEV_REGISTRY created');
    expect(again.stderr).toContain('mdevfleet reopen');
    expect((await mdevfleet(['status', '--nats', server.url])).stdout).toContain('rebuilding: ');
  });

  test('a number of replicas that no cluster has', async () => {
    const { status, stderr } = await mdevfleet(['init', '--nats', server.url, '--replicas', '9']);
    expect(status).toBe(EXIT.usage);
    expect(stderr).toContain('from 1 to 5');
  });
});

describe('a server that is not as it must be', () => {
  test('no server', async () => {
    const server = await startNats();
    await server.stop();
    const { status, stderr } = await getDevices(server.url);
    expect(status).toBe(EXIT.unreachable);
    expect(stderr).toContain(`127.0.0.1:${server.port}`);
    expect(stderr).toContain('check the address');
    expect(stderr).not.toMatch(/caused by|\n {4}at /);
  });

  test('no server, with --verbose: the causes, and still no stack', async () => {
    const server = await startNats();
    await server.stop();
    const { stderr } = await mdevfleet(['get', 'devices', '--nats', server.url, '--verbose']);
    expect(stderr).toMatch(/caused by .*ECONNREFUSED/);
    expect(stderr).not.toMatch(/\n {4}at |\.ts\b/);
  });

  test.each<[string, NatsOptions, (url: string) => string, number, string]>([
    ['no JetStream', { jetstream: false }, (url) => url, EXIT.server, 'JetStream'],
    ['no streams', {}, (url) => url, EXIT.uninitialised, 'mdevfleet init'],
    ['no credentials', { config: USERS }, (url) => url, EXIT.server, 'credentials'],
    [
      'wrong credentials',
      { config: USERS },
      (url) => url.replace('//', '//ops:wrong-secret@'),
      EXIT.server,
      'credentials',
    ],
  ])('%s', async (_, options, urlOf, status, wayOut) => {
    const server = await startNats(options);
    try {
      const ran = await getDevices(urlOf(server.url));
      expect(ran).toMatchObject({ status, stdout: '', stderr: expect.stringContaining(wayOut) });
      expect(ran.stderr).toMatch(/^error: /);
      expect(ran.stderr).not.toContain('wrong-secret');
      expect(ran.stderr).not.toMatch(/\n {4}at |\.ts\b/);
    } finally {
      await server.stop();
    }
  });

  test('the right credentials, in the URL', async () => {
    const server = await startNats({ config: USERS });
    try {
      const { stdout } = await init(server.url.replace('//', '//ops:let-me-in@'));
      expect(stdout).toContain('created');
    } finally {
      await server.stop();
    }
  });

  test('credentials in a file that is not there', async () => {
    const { status, stderr } = await mdevfleet(['get', 'devices', '--nats', 'a:1', '--creds', 'none.creds']);
    expect(status).toBe(EXIT.server);
    expect(stderr).toContain('none.creds');
  });

  test('a server that says it is too old', async () => {
    const server = await greeter({ version: '2.9.10', headers: true, max_payload: 1_048_576 });
    try {
      const { status, stderr } = await getDevices(`nats://127.0.0.1:${portOf(server)}`);
      expect(status).toBe(EXIT.server);
      expect(stderr).toContain('2.9.10');
      expect(stderr).toContain('upgrade it to 2.10.27');
    } finally {
      server.close();
    }
  });
});

/** Says the first words of a server's protocol, and answers pings: enough to be told apart. */
function greeter(info: object): Promise<Server> {
  const server = createServer((socket) => {
    socket.write(`INFO ${JSON.stringify(info)}\r\n`);
    socket.on('data', (data) => {
      if (data.includes('PING')) socket.write('PONG\r\n');
    });
    socket.on('error', () => socket.destroy());
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address.port;
}
