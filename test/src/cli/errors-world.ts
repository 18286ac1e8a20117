/**
 * A folder in which everything is that people can get wrong: manifests, a fleet, journals, servers. The list of errors
 * names it all by paths that begin in this folder.
 */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeDeclaration } from '../../../events/codec.ts';
import { encodeRecord, NO_RECORD } from '../../../events/record.ts';
import type { Streams } from '../../../events/stream.ts';
import { formatSubject } from '../../../events/subject.ts';
import { openFleetPorts } from '../../../src/agent/fleet-ports.ts';
import { beginRebuilding } from '../../../store/registry/fleet.ts';
import { raiseIncarnation } from '../../../store/registry/incarnation.ts';
import { take } from '../../../store/registry/reserve.ts';
import { type RunningNats, startNats } from '../../nats.ts';
import { makeErrorsJournals } from './errors-journals.ts';
import { runInProcess } from './in-process.ts';
import { makeFleet } from './past-fleet.ts';

/** Stands declared on host-a, and is held by it. */
export const DECLARED = '5d3c7e0a-2f51-4b1e-9a44-0c8a6f1e2b01';
/** Stands declared on two hosts. */
export const TWICE = '5d3c7e0a-2f51-4b1e-9a44-0c8a6f1e2b02';
const TIME = '2026-01-01T00:00:00.000Z';
const CLAIM = { host: 'host-a', parent: 'mtty', type: 'mtty-2' } as const;
const USERS = `authorization { users [
  { user: "ops", password: "let-me-in" }
  { user: "guest", password: "guest", permissions: { publish: { deny: ["mdev.desired.>", "mdev.command.>", "$KV.>"] } } }
  { user: "nobody", password: "nobody", permissions: { publish: { allow: ["nothing"] } } }
] }`;

export type ErrorsWorld = {
  /** What the names of servers in the list stand for. */
  readonly servers: Readonly<Record<string, string>>;
  remove(): Promise<void>;
};

/** Makes the folder, and moves into it. */
export async function makeErrorsWorld(): Promise<ErrorsWorld> {
  const home = process.cwd();
  const folder = mkdtempSync(join(tmpdir(), 'mdevfleet-errors-'));
  process.chdir(folder);
  writeManifests();
  writeFiles();
  await makeEmbeddedFleet();
  const past = await makeFleet();
  symlinkSync(past.data, 'past');
  const unlock = await makeErrorsJournals();
  const { servers, stop } = await startServers();
  return {
    servers,
    async remove() {
      unlock();
      await stop();
      past.remove();
      process.chdir(home);
      rmSync(folder, { recursive: true });
    },
  };
}

async function startServers(): Promise<Pick<ErrorsWorld, 'servers'> & { stop(): Promise<void> }> {
  const [bare, site, old] = await Promise.all([
    startNats({ jetstream: false, config: USERS }),
    startNats({ config: USERS }),
    oldServer(),
  ]);
  const as = (user: string, { url }: RunningNats) => url.replace('//', `//${user}@`);
  const ops = as('ops:let-me-in', site);
  for (const prefix of ['mdev', 'a.b']) await runInProcess(['init', '--nats', ops, '--prefix', prefix]);
  const address = old.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  return {
    servers: {
      'nats://old:4222': `nats://127.0.0.1:${port}`,
      'nats://ops:let-me-in@bare:4222': as('ops:let-me-in', bare),
      'nats://ops:wrong@bare:4222': as('ops:wrong', bare),
      'tls://site:4222': site.url.replace('nats:', 'tls:'),
      'nats://site:4222': ops,
      'nats://guest:guest@site:4222': as('guest:guest', site),
      'nats://nobody:nobody@site:4222': as('nobody:nobody', site),
      'nats://gone:4222': 'nats://127.0.0.1:1',
    },
    async stop() {
      old.close();
      await Promise.all([bare.stop(), site.stop()]);
    },
  };
}

/** Says the first words of an old server's protocol, and answers pings. */
async function oldServer(): Promise<Server> {
  const info = { version: '2.9.10', headers: true, max_payload: 1_048_576 };
  const server = createServer((socket) => {
    socket.write(`INFO ${JSON.stringify(info)}\r\n`);
    socket.on('data', (data) => data.includes('PING') && socket.write('PONG\r\n'));
    socket.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

/** JSON is YAML, too. */
function manifest(file: string, set: string, body: object): void {
  const head = { apiVersion: 'mdevfleet.io/v1', kind: 'DeviceSet', metadata: { name: set } };
  writeFileSync(file, JSON.stringify({ ...head, ...body }));
}

function writeManifests(): void {
  const device = (change: object) => ({ devices: [{ uuid: DECLARED, ...CLAIM, ...change }] });
  manifest('mine.yaml', 'mine', device({}));
  manifest('moved.yaml', 'mine', device({ host: 'host-b' }));
  manifest('relabelled.yaml', 'mine', device({ labels: { owner: 'us' } }));
  manifest('nothing.yaml', 'mine', { devices: [] });
  manifest('theirs.yaml', 'theirs', device({}));
  manifest('uuid.yaml', 'mine', device({ uuid: 'abc' }));
  manifest('field.yaml', 'mine', device({ colour: 'red' }));
  manifest('parent.yaml', 'mine', device({ parent: '..' }));
  manifest('type.yaml', 'mine', device({ type: 'a/../b' }));
  manifest('pool.yaml', 'pool', { pools: [{ name: 'desks', count: 3, type: 'nvidia-222' }] });
}

function writeFiles(): void {
  mkdirSync('empty');
  writeFileSync('bytes.yaml', Uint8Array.of(0xff, 0xfe, 0));
  writeFileSync('text.yaml', 'a: [');
  writeFileSync('wrong-config.yaml', 'host: A B\n');
  writeFileSync('unknown-config.yaml', 'hots: host-a\nlimits: { resyncS: 1 }\n');
  writeFileSync('list-config.yaml', '[]');
  writeFileSync('kernel.yaml', 'parts: []');
  mkdirSync('mdevctl.d/mtty', { recursive: true });
  writeFileSync(`mdevctl.d/mtty/${DECLARED}`, '{"mdev_type":"..","start":"auto"}');
  writeFileSync('noise.creds', 'these are no credentials');
}

/** One device stands declared and held, one on two hosts; host-a has reported, and the registry is rebuilding. */
async function makeEmbeddedFleet(): Promise<void> {
  const address = { kind: 'embedded', data: 'fleet', prefix: 'mdev', pollMs: 1_000 } as const;
  const { streams, registry, close } = await openFleetPorts(address, 'test');
  await declare(streams, DECLARED, 'host-a', 'mine');
  await declare(streams, TWICE, 'host-a', 'other');
  await declare(streams, TWICE, 'host-b', 'other');
  await report(streams);
  await runInProcess(['plan', '--data', 'fleet', '-f', 'relabelled.yaml', '--out', 'stale.plan']);
  await declare(streams, DECLARED, 'host-a', 'mine', { owner: 'them' });
  const machine = { machineId: 'host-a', product: null };
  await raiseIncarnation(registry, { host: 'host-a', journal: 'ja', machine }, 0);
  const wish = { claim: CLAIM, generation: { epoch: 1, sequence: 1 }, incarnation: 1, replaces: null };
  await take(registry, DECLARED, wish);
  await beginRebuilding(registry, { by: 'host-a', what: 'the registry has lost a hold', at: TIME });
  await close();
}

async function declare(
  { desired }: Streams,
  uuid: string,
  host: string,
  set: string,
  labels = {},
): Promise<void> {
  const event = { id: `${host} ${uuid} ${JSON.stringify(labels)}`, source: 'test', time: TIME };
  const data = { uuid, ...CLAIM, host, set, labels };
  await desired.append(encodeDeclaration('mdev', { desired: 'present', event, data }));
}

async function report({ observed }: Streams): Promise<void> {
  const head = { seq: 2, time: TIME, boot: 'boot', prev: NO_RECORD };
  const { bytes, hash } = encodeRecord(head, { kind: 'started', v: 1, software: 's', kernel: 'k' });
  const subject = formatSubject('mdev', { kind: 'observed', host: 'host-a', uuid: null });
  await observed.append({ subject, id: hash, data: bytes });
}
