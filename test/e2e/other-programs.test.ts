/**
 * Other programs and the fleet: one that is written with the client, and one that has nothing but a TCP socket.
 */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect as connectSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { connect as connectFleet, type FleetClient } from 'mdevfleet/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningNats, startNats } from '../nats.ts';
import { mdevfleet } from '../src/cli/run.ts';
import { RunningAgent } from './running-agent.ts';

const EXAMPLE = join(dirname(dirname(import.meta.dirname)), 'examples', 'client.ts');
const FROM_SOURCE = ['--conditions', '@mdevfleet/source'];
const HOST = 'host-a';
const UUID = '7c1e5b0a-3d2f-4a69-8b47-1f0e9d8c7b6a';

let folder: string;
let server: RunningNats;
let agent: RunningAgent;
let fleet: FleetClient;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mdevfleet-programs-'));
  server = await startNats();
  const config = join(folder, 'config.json');
  await writeFile(config, JSON.stringify({ nats: server.url, limits: { registryGraceMs: 1 } }));
  expect(await mdevfleet(['init', '--config', config])).toMatchObject({ status: 0 });
  const own = ['--host', HOST, '--data', folder, '--simulate', '--log-level', 'info'];
  agent = await RunningAgent.start(['--config', config, ...own]);
  fleet = await connectFleet({ servers: [server.url], source: 'tests' });
});

afterAll(async () => {
  await fleet?.close();
  await agent?.kill();
  await server?.stop();
  await rm(folder, { recursive: true });
});

test('the example declares a device and ends when it is there', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [...FROM_SOURCE, EXAMPLE, server.url, HOST]);
  expect(stdout.trimEnd().split('\n').at(-1)).toMatch(/^\S+ active ready/);
});

/** One event over the protocol of NATS, without a library: the server's greeting, CONNECT, PUB, and PING for an answer. */
async function publishByHand(subject: string, event: object): Promise<string> {
  const payload = JSON.stringify(event);
  const socket = connectSocket(server.port, '127.0.0.1').setEncoding('utf8');
  socket.write(
    `CONNECT {"verbose":false}\r\nPUB ${subject} ${Buffer.byteLength(payload)}\r\n${payload}\r\nPING\r\n`,
  );
  let said = '';
  while (!/PONG|-ERR/.test(said)) said += String((await once(socket, 'data'))[0]);
  socket.destroy();
  return said;
}

test('an event that was published through a TCP socket makes a device', async () => {
  const watched = fleet.watch({ host: HOST, uuid: UUID });
  const said = await publishByHand(`mdev.desired.${HOST}.${UUID}`, {
    specversion: '1.0',
    id: '1',
    source: 'socket',
    type: 'io.mdevfleet.device.present.v1',
    time: new Date().toISOString(),
    subject: `${HOST}/${UUID}`,
    data: { uuid: UUID, host: HOST, parent: 'mtty', type: 'mtty-1' },
  });
  expect(said).toMatch(/PONG/);
  for await (const { rows } of watched) if (rows?.some(({ state }) => state === 'ready')) break;
  expect(await fleet.devices({ host: HOST, uuid: UUID })).toMatchObject([{ state: 'ready', type: 'mtty-1' }]);
});

test('what the client publishes is checked, conditional if asked for, and seen until it is gone', async () => {
  const [declared] = await fleet.declared({ host: HOST, uuid: UUID });
  expect(declared).toMatchObject({ parent: 'mtty', type: 'mtty-1' });
  const absent = { desired: 'absent', data: { uuid: UUID, host: HOST } } as const;
  expect(await fleet.publish(absent, { expected: 0 })).toEqual({ kind: 'wrong-sequence' });
  expect(() => fleet.publish({ desired: 'absent', data: { uuid: 'x', host: HOST } })).toThrow(
    /not a declaration: uuid/,
  );
  const ended = new AbortController();
  const kinds: string[] = [];
  const after = declared?.sequence ?? 0;
  expect(await fleet.publish(absent, { expected: after })).toMatchObject({ kind: 'stored' });
  for await (const { fact, rows } of fleet.watch({ uuid: UUID, after: 0, signal: ended.signal })) {
    kinds.push(fact?.kind ?? '');
    if (rows?.length === 0) ended.abort();
  }
  expect(kinds).toEqual(
    expect.arrayContaining(['declared', 'claiming', 'reserved', 'active', 'releasing', 'gone']),
  );
  expect(await fleet.declared({ host: HOST, uuid: UUID })).toEqual([]);
});
