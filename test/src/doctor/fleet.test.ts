/**
 * What the doctor says of a fleet on a real server: as it should be, without streams, with one that is not as `init`
 * makes it, and of servers that let nobody in.
 */
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from 'nats';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { initFleet } from '../../../events/jetstream/init.ts';
import { systemClock } from '../../../reconciler/clock-system.ts';
import { examine } from '../../../src/doctor/examine.ts';
import type { Finding } from '../../../src/doctor/finding.ts';
import { lookAtFleet } from '../../../src/doctor/fleet.ts';
import { clocksFound, secrecyFound, storedFound, streamFound } from '../../../src/doctor/fleet-found.ts';
import { type Self, speakerFound } from '../../../src/doctor/speaker.ts';
import { beginRebuilding } from '../../../store/registry/fleet.ts';
import type { Incarnation } from '../../../store/registry/hold.ts';
import { openKvRegistry } from '../../../store/registry/registry-kv.ts';
import { type RunningNats, startNats } from '../../nats.ts';

const USERS = `authorization { users [
  { user: "ops", password: "let-me-in" }
  { user: "nobody", password: "nobody", permissions: { publish: { deny: ["$JS.API.STREAM.INFO.MDEV_OBSERVED"] } } }
] }`;
const CHECK_MS_MAX = 10_000;
const timeoutMs = 1_000;

let server: RunningNats;
let admin: NatsConnection;

beforeAll(async () => {
  server = await startNats({ config: USERS });
  admin = await connect({ servers: server.url, user: 'ops', pass: 'let-me-in' });
});
afterAll(async () => {
  await admin.close();
  await server.stop();
});

async function findings(
  user: string,
  clock = systemClock,
  self: Self | null = null,
): Promise<readonly Finding[]> {
  const files = { creds: null, nkey: null, tlsCa: null, tlsCert: null, tlsKey: null };
  const servers = [server.url.replace('//', `//${user}@`)];
  const look = lookAtFleet({ kind: 'nats', servers, prefix: 'mdev', timeoutMs, ...files }, clock, self);
  try {
    return await examine(look.checks, clock, CHECK_MS_MAX);
  } finally {
    await look.close();
  }
}

const OPS = 'ops:let-me-in';

describe('a server', () => {
  test('on which nothing was made', async () => {
    const found = await findings(OPS);
    expect(found.filter(({ level }) => level !== 'ok')).toMatchObject([
      { check: 'streams', level: 'fault', cure: expect.stringContaining('mdevfleet init') },
      { check: 'registry', level: 'warning', found: expect.stringContaining('no such bucket') },
    ]);
  });

  test('on which init was run: all is well, and nothing was changed', async () => {
    await initFleet(admin, { prefix: 'mdev', timeoutMs });
    const found = await findings(OPS);
    expect(found.filter(({ level }) => level !== 'ok')).toEqual([]);
    expect(found.map(({ check }) => check)).toEqual([
      ...['server', 'streams', 'streams', 'streams', 'streams', 'registry', 'clocks'],
    ]);
    const { streams } = await initFleet(admin, { prefix: 'mdev', timeoutMs });
    expect(streams.map(({ action }) => action)).toEqual(Array(4).fill('unchanged'));
  });

  test('whose clock is another one', async () => {
    const ahead = { ...systemClock, wall: () => '2001-01-01T00:00:00.000Z' };
    expect((await findings(OPS, ahead)).find(({ check }) => check === 'clocks')).toMatchObject({
      level: 'warning',
      found: expect.stringMatching(/^the server's clock is \d+ s ahead of this one$/),
    });
  });

  test('that does not let this user ask about one stream: the others are told all the same', async () => {
    const found = (await findings('nobody:nobody')).filter(({ check }) => check === 'streams');
    expect(found.map(({ level }) => level)).toEqual(['ok', 'warning', 'ok', 'ok']);
    expect(found[1]?.found).toContain('MDEV_OBSERVED');
  });

  test('whose registry has lost something', async () => {
    const session = {
      connection: admin,
      manager: await jetstreamManager(admin),
      jetstream: jetstream(admin),
    };
    const registry = openKvRegistry({ session: () => session }, 'MDEV_REGISTRY');
    await beginRebuilding(registry, { by: 'host-a', what: 'a hold is lost', at: 'noon' });
    expect((await findings(OPS)).find(({ check }) => check === 'registry')).toMatchObject({
      level: 'warning',
      found: 'rebuilding: a hold is lost; host-a noticed at noon',
      cure: expect.stringContaining('mdevfleet reopen'),
    });
  });

  test('on which somebody else changed a stream, and one is gone', async () => {
    const { streams } = await jetstreamManager(admin);
    await streams.update('MDEV_OBSERVED', { max_age: 1e12 });
    await streams.delete('MDEV_COMMAND');
    const found = (await findings(OPS)).filter(({ check }) => check === 'streams');
    expect(found).toMatchObject([
      { level: 'ok' },
      { level: 'fault', found: 'MDEV_OBSERVED: max_age is 1000000000000, not 0' },
      { level: 'fault', found: 'MDEV_COMMAND is missing, though others are there' },
      { level: 'ok' },
    ]);
  });

  test('that does not know who this is: told once', async () => {
    expect(await findings('ops:wrong')).toMatchObject([
      { check: 'server', level: 'fault', cure: expect.stringContaining('--creds') },
    ]);
  });
});

const MACHINE = { machineId: 'here', product: null };
const SELF: Self = { host: 'host-a', machine: MACHINE };
const SPEAKER: Incarnation = { v: 1, journal: 'j', machine: MACHINE, incarnation: 1 };

describe('a host', () => {
  test('of which the fleet has not heard yet', async () => {
    expect((await findings(OPS, systemClock, SELF)).find(({ check }) => check === 'host')).toMatchObject({
      level: 'ok',
      found: 'nobody has spoken for host host-a yet',
    });
  });

  const vacant = { by: 'ops', at: 'yesterday', why: 'burnt down' };
  const elsewhere = { machineId: 'there', product: 'p' };
  test.each<[string, Incarnation, Self, string, string]>([
    ['of this machine', SPEAKER, SELF, 'ok', 'this machine speaks'],
    [
      'of another one',
      { ...SPEAKER, machine: elsewhere },
      SELF,
      'warning',
      'another machine: there, product p',
    ],
    [
      'that was forgotten',
      { ...SPEAKER, vacant: { as: 'forgotten', ...vacant } },
      SELF,
      'fault',
      'burnt down',
    ],
    [
      'for whom anybody may speak',
      { ...SPEAKER, vacant: { as: 'open', ...vacant } },
      SELF,
      'ok',
      'next agent',
    ],
  ])('%s', (_, identity, self, level, says) => {
    expect(speakerFound(identity, self)).toMatchObject({ level, found: expect.stringContaining(says) });
  });
});

const FAR = { servers: ['nats://10.0.0.1:4222'], tlsCa: null, tlsCert: null };

describe('a server elsewhere', () => {
  test('without TLS, and open to anybody', () => {
    expect(secrecyFound(FAR, false).map(({ level }) => level)).toEqual(['warning', 'warning']);
  });

  test('with both; and one on this machine needs none', () => {
    expect(secrecyFound({ ...FAR, servers: ['tls://10.0.0.1:4222'] }, true)).toEqual([]);
    expect(secrecyFound({ ...FAR, servers: ['127.0.0.1', 'nats://[::1]:4222'] }, false)).toEqual([]);
  });
});

test('a stream of a cluster that has one copy, or copies that are away', () => {
  const seen = { kind: 'seen', stream: 'S', differences: [], messages: 0, bytes: 0, at: null } as const;
  expect(streamFound({ ...seen, replicas: 1, offline: [] }, true)).toMatchObject([
    { level: 'warning', cure: expect.stringContaining('--replicas 3') },
  ]);
  expect(streamFound({ ...seen, replicas: 3, offline: ['n2'] }, true)).toMatchObject([
    { level: 'warning', found: 'S: its copies on n2 are away or behind' },
  ]);
  expect(streamFound({ ...seen, replicas: 1, offline: [] }, false)).toMatchObject([{ level: 'ok' }]);
});

test('an account that may store so much, and nearly has; and one that may store all there is', () => {
  expect(storedFound({ storage: 85, limits: { max_storage: 100 } })).toMatchObject([
    { level: 'warning', found: '85 % of what this account may store on the server is used' },
  ]);
  expect(storedFound({ storage: 79, limits: { max_storage: 100 } })).toEqual([]);
  expect(storedFound({ storage: 85, limits: { max_storage: -1 } })).toEqual([]);
});

test('clocks: what the question took does not count', () => {
  expect(clocksFound(5_000, { before: 1_000, after: 9_000 }).level).toBe('ok');
  expect(clocksFound(5_000, { before: 8_000, after: 9_000 }).found).toContain('3 s behind');
  expect(clocksFound(5_000, { before: 1_000, after: 2_000 }).found).toContain('3 s ahead');
});
