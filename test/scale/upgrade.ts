/**
 * `npm run upgrade -- --devices 1000 --facts 100000`: a host with so many devices and so long a journal, whose Debian
 * package is replaced by a later one, and that by the earlier one again. The later one folds journals otherwise, as far
 * as it knows, so each change reads all records anew. It throws if a device is touched or a journal does not verify.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { systemClock, systemRandom } from '../../reconciler/clock-system.ts';
import { serveSimulatedKernel } from '../../reconciler/simulated/host-sim-server.ts';
import { kernelConfig } from '../../reconciler/simulated/kernel-sim-config.ts';
import { makeDeb } from '../../tools/deb.ts';
import { uuidOf } from '../bench/names.ts';
import { CleanRoot } from '../package/clean-root.ts';
import { end } from '../package/started.ts';

const LATER = '99.0.0';
const FOLDS = 'usr/lib/mdevfleet/dist/store/journal/journal-storage.js';
const FOLD = /FOLD_VERSION = (\d+)/;
const CONFIG = '/etc/mdevfleet/config.yaml';
const SOCKET = '/run/kernel.sock';
const MANIFEST = '/tmp/fleet.yaml';
const HOST = ['--host', 'alpha', '--data', '/var/lib/mdevfleet'];
const [PARENT, TYPE, ATTRIBUTE] = ['matrix', 'vfio_ap-passthrough', 'assign_adapter'] as const;

const run = promisify(execFile);
const { values } = parseArgs({
  options: { devices: { type: 'string', default: '1000' }, facts: { type: 'string', default: '100000' } },
});
const [devices, facts] = [Number(values.devices), Number(values.facts)];

const folder = await mkdtemp(join(tmpdir(), 'mdevfleet-upgrade-'));
const root = await CleanRoot.make();
const types = [{ name: TYPE, attributes: [{ name: ATTRIBUTE }] }];
const { kernel, close } = await serveSimulatedKernel({
  socket: root.path(SOCKET),
  config: kernelConfig.parse({ parents: [{ name: PARENT, units: devices, types }] }),
  clock: systemClock,
  random: systemRandom,
});
let uevents = 0;
kernel.onUevent(() => {
  uevents += 1;
});
try {
  const earlier = await makeDeb();
  const later = await laterThan(earlier);
  await root.install(earlier);
  await root.write(CONFIG, `host: alpha\ndata: /var/lib/mdevfleet\nsimulate: ${SOCKET}\n`);
  await root.must('mkdir', '-p', '/var/lib/mdevfleet');
  await withAgent(async () => {
    for (let round = 0; (await records()) < facts; round += 1) await declare(round);
  });
  console.log(`${devices} devices, ${await verified()} records`);
  const before = { standing: standing(), uevents };
  for (const [name, deb] of [
    ['upgrade', later],
    ['downgrade', earlier],
  ] as const) {
    await root.install(deb);
    const beginMs = systemClock.monotonicMs();
    await withAgent(async () => {
      console.log(`${name}: the agent has started after ${seconds(beginMs)}`);
      await settled();
      console.log(`${name}: all is as declared after ${seconds(beginMs)}`);
    });
    assert.deepEqual({ standing: standing(), uevents }, before, `the ${name} touched a device`);
    console.log(`${name}: no device touched, ${await verified()} records verified`);
  }
} finally {
  await close();
  await root.remove();
  await rm(folder, { recursive: true });
}

/** The same package under a later version, that has another way to fold. */
async function laterThan(deb: string): Promise<string> {
  const tree = join(folder, 'tree');
  await run('dpkg-deb', ['--raw-extract', deb, tree]);
  await edit(join(tree, 'DEBIAN', 'control'), /^Version: .*$/m, `Version: ${LATER}`);
  await edit(join(tree, FOLDS), FOLD, 'FOLD_VERSION = 1_000_000');
  const packed = join(folder, `${LATER}.deb`);
  await run('dpkg-deb', ['--root-owner-group', '-Znone', '--build', tree, packed]);
  return packed;
}

async function edit(file: string, what: RegExp, by: string): Promise<void> {
  const text = await readFile(file, 'utf8');
  assert.match(text, what);
  await writeFile(file, text.replace(what, by));
}

async function withAgent(work: () => Promise<void>): Promise<void> {
  const agent = await root.start('agent started', 'mdevfleet', 'agent');
  await work();
  assert.equal(await end(agent), 0);
}

/** Declares all devices with another value of their attribute than in the round before. */
async function declare(round: number): Promise<void> {
  const list = Array.from({ length: devices }, (_, at) => ({
    ...{ uuid: uuidOf(at), host: 'alpha', parent: PARENT, type: TYPE },
    attributes: [{ name: ATTRIBUTE, value: String(round) }],
  }));
  const set = { apiVersion: 'mdevfleet.io/v1', kind: 'DeviceSet', metadata: { name: 'all' }, devices: list };
  await root.write(MANIFEST, JSON.stringify(set));
  await root.must('mdevfleet', 'apply', '-f', MANIFEST, '--yes', '--wait');
}

async function settled(): Promise<void> {
  while ((await root.run('mdevfleet', 'status')).status !== 0);
}

async function records(): Promise<number> {
  const { status, stdout } = await root.run('mdevfleet', 'replay', ...HOST, '--json');
  assert.equal(status, 0);
  return JSON.parse(stdout).hosts[0]?.seq ?? 0;
}

async function verified(): Promise<number> {
  const { tail } = JSON.parse(await root.must('mdevfleet', 'verify', ...HOST, '--json'));
  return tail.seq;
}

function standing(): unknown {
  return structuredClone(kernel.devices());
}

function seconds(sinceMs: number): string {
  return `${((systemClock.monotonicMs() - sinceMs) / 1_000).toFixed(1)} s`;
}
