/**
 * `npm run large-fleet -- --devices 100000 --hosts 1000`: what the verbs take in a large fleet, in time and in memory, on a
 * nats-server and embedded.
 *
 * The devices come from manifests in YAML, as programs write them. No agent runs: what hosts report is written to the
 * stream, as they would.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { stringify } from 'yaml';
import type { Fact } from '../../events/fact.ts';
import type { HostId } from '../../events/names.ts';
import { encodeRecord, NO_RECORD } from '../../events/record.ts';
import type { Row } from '../../events/row.ts';
import type { Outgoing, Streams } from '../../events/stream.ts';
import { DEFAULT_PREFIX, formatSubject, INVENTORY } from '../../events/subject.ts';
import { openFleetPorts } from '../../src/agent/fleet-ports.ts';
import { formatWitness } from '../../store/witness.ts';
import { uuidOf } from '../bench/names.ts';
import { append } from './contest.ts';
import { startFleetServer } from './fleet-server.ts';
import { fleetAt } from './host-at-work.ts';
import { type Measured, measured } from './measured.ts';

const HEAD = { time: '2026-01-01T00:00:00.000Z', boot: 'boot', prev: NO_RECORD } as const;
const PARENTS = Array.from({ length: 8 }, (_, at) => `0000:4${at}:00.0`);
const TYPE = 'nvidia-222';
/** More would be more than a manifest may have. */
const PER_MANIFEST = 50_000;
const PER_POOL = 10_000;
const EMBEDDED_POLL_MS = 2_000;

const { values } = parseArgs({
  options: {
    devices: { type: 'string', default: '100000' },
    hosts: { type: 'string', default: '1000' },
    fleet: { type: 'string', default: 'nats,embedded' },
  },
});
const devices = Number(values.devices);
const hosts = Array.from({ length: Number(values.hosts) }, (_, at) => `host-${at}`);

for (const kind of values.fleet.split(',')) {
  const load = loadavg().map((one) => one.toFixed(1));
  console.log(
    `${kind}: ${devices} devices on ${hosts.length} hosts; ${availableParallelism()} cores, load ${load}`,
  );
  const folder = await mkdtemp(join(tmpdir(), 'mdevfleet-large-'));
  await (kind === 'nats' ? onServer(folder) : embedded(folder));
  await rm(folder, { recursive: true });
}

async function onServer(folder: string): Promise<void> {
  const { urls, stop } = await startFleetServer(1);
  const fleet = await fleetAt(urls, 'large-fleet');
  await fleet.reached;
  await measureAll(folder, ['--nats', urls.join(',')], fleet.streams);
  await fleet.close();
  await stop();
}

async function embedded(folder: string): Promise<void> {
  const address = {
    kind: 'embedded',
    data: folder,
    prefix: DEFAULT_PREFIX,
    pollMs: EMBEDDED_POLL_MS,
  } as const;
  const fleet = await openFleetPorts(address, 'large-fleet');
  await measureAll(folder, ['--data', folder], fleet.streams);
  await fleet.close();
}

async function measureAll(folder: string, fleet: readonly string[], { observed }: Streams): Promise<void> {
  const [all, half] = [await manifests(folder, 'all', devices), await manifests(folder, 'half', devices / 2)];
  const run = async (name: string, args: readonly string[], options = {}): Promise<void> => {
    print(name, await measured(folder, [...args, ...fleet], options));
  };
  await append(observed, hosts.map(inventoryOf));
  const pools = await poolsIn(folder);
  await run('plan of pools', ['plan', '-f', pools]);
  await run('plan', ['plan', '-f', all]);
  await run('apply', ['apply', '-f', all, '--yes']);
  for (let at = 0; at < devices; at += PER_MANIFEST) {
    const some = Array.from({ length: Math.min(PER_MANIFEST, devices - at) }, (_, nth) => reportOf(at + nth));
    await append(observed, some);
  }
  await run('plan, nothing to do', ['plan', '-f', all]);
  await run('apply, nothing to do', ['apply', '-f', all, '--yes']);
  for (const form of ['table', 'json', 'yaml'])
    await run(`get devices -o ${form}`, ['get', 'devices', '-o', form]);
  await run('get devices --host', ['get', 'devices', '--host', hosts.at(-1) ?? '']);
  await run('status', ['status']);
  await run('watch, until all are listed', ['watch'], { lines: devices });
  await run('apply --prune, half of them', [
    'apply',
    '-f',
    half,
    '--yes',
    '--prune',
    '--max-removals',
    '100%',
  ]);
}

/** A folder of manifests of one set. */
async function manifests(folder: string, name: string, count: number): Promise<string> {
  const path = await mkdtemp(join(folder, `${name}-`));
  const head = { apiVersion: 'mdevfleet.io/v1', kind: 'DeviceSet', metadata: { name: 'large' } };
  for (let at = 0; at < count; at += PER_MANIFEST) {
    const some = Array.from({ length: Math.min(PER_MANIFEST, count - at) }, (_, nth) => deviceOf(at + nth));
    await writeFile(join(path, `${at}.yaml`), stringify({ ...head, devices: some }));
  }
  return path;
}

async function poolsIn(folder: string): Promise<string> {
  const path = join(folder, 'pools.yaml');
  const head = { apiVersion: 'mdevfleet.io/v1', kind: 'DeviceSet', metadata: { name: 'pooled' } };
  const pools = Array.from({ length: Math.ceil(devices / PER_POOL) }, (_, at) => {
    return { name: `pool-${at}`, count: Math.min(PER_POOL, devices - at * PER_POOL), type: TYPE };
  });
  await writeFile(path, stringify({ ...head, pools }));
  return path;
}

function placeOf(at: number): { readonly host: HostId; readonly parent: string; readonly type: string } {
  const parent = PARENTS[Math.floor(at / hosts.length) % PARENTS.length] ?? '';
  return { host: hosts[at % hosts.length] ?? '', parent, type: TYPE };
}

function deviceOf(at: number): object {
  return { uuid: uuidOf(at), ...placeOf(at), labels: { owner: `team-${at % 10}` } };
}

function reportOf(at: number): Outgoing {
  const uuid = uuidOf(at);
  const row: Row = {
    ...{ uuid, ...placeOf(at), state: 'ready', reason: null, message: null, attributes: [], set: 'large' },
    generation: { epoch: 1, sequence: at + 1 },
  };
  const generation = { epoch: 1, sequence: at + 1 };
  const fact: Fact = { kind: 'active', v: 1, uuid, generation, how: 'created' };
  return recorded(
    row.host,
    at + 2,
    fact,
    formatSubject(DEFAULT_PREFIX, { kind: 'observed', host: row.host, uuid }),
    [row],
  );
}

/** Room for three times the devices. */
function inventoryOf(host: HostId): Outgoing {
  const capacity = Math.ceil((3 * devices) / hosts.length / PARENTS.length);
  const types = [{ id: TYPE, capacity }];
  const fact: Fact = {
    ...{ kind: 'inventory', v: 1, kernel: '6.12.0', labels: {}, omitted: 0 },
    types: [{ id: TYPE, name: 'NVIDIA T4-1B', api: 'vfio-pci' }],
    parents: PARENTS.map((name) => ({ name, driver: 'nvidia', types })),
  };
  const subject = formatSubject(DEFAULT_PREFIX, { kind: 'observed', host, uuid: null, topic: INVENTORY });
  return recorded(host, 1, fact, subject);
}

function recorded(host: HostId, seq: number, fact: Fact, subject: string, rows?: readonly Row[]): Outgoing {
  const { bytes, hash } = encodeRecord({ ...HEAD, seq }, fact, rows);
  return { subject, id: formatWitness({ journal: `journal-${host}`, seq, hash }), data: bytes };
}

function print(name: string, { status, firstMs, wholeMs, peakMiB, lines }: Measured): void {
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  const what = `first output ${seconds(firstMs)}, whole ${seconds(wholeMs)}, ${peakMiB.toFixed(0)} MiB`;
  console.log(`  ${name}: ${what} (ended with ${status}, ${lines} lines)`);
}
