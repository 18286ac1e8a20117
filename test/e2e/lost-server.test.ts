/**
 * A server that lost everything, and with it the disk of one host: as docs/operations.md says, the fleet is as it was after
 * that, and no device was touched.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from 'nats';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { journalFolder } from '../../src/config.ts';
import { EXIT } from '../../src/exit.ts';
import { runInProcess } from '../src/cli/in-process.ts';
import type { Ran } from '../src/cli/run.ts';
import { TwoHosts } from './two-hosts.ts';

const WAIT_MS_MAX = 30_000;
const HOSTS = ['host-a', 'host-b'] as const;
const DEVICES = HOSTS.map((host, index) => {
  return { uuid: `7b000000-0000-4000-8000-00000000000${index}`, host, parent: 'mtty', type: 'mtty-1' };
});
const MANIFEST = {
  apiVersion: 'mdevfleet.io/v1',
  kind: 'DeviceSet',
  metadata: { name: 's' },
  devices: DEVICES,
};

let fleet: TwoHosts;
beforeAll(async () => {
  fleet = await TwoHosts.open({});
});
afterAll(() => fleet.close());

function run(...verb: readonly string[]): Promise<Ran> {
  return runInProcess([...verb, '--nats', fleet.server.url]);
}

/** The manifest as it was written, or as hosts know it. */
function apply(text: string): Promise<Ran> {
  const file = join(fleet.dir, 'fleet.yaml');
  writeFileSync(file, text);
  return run('apply', '-f', file, '--wait', '--timeout', '30s');
}

/** Runs it until what it says will do; answers that. */
async function eventually(verb: string, isGood: (said: string) => boolean): Promise<string> {
  let said = '';
  const asked = async () => {
    said = (await run(...verb.split(' '))).stdout;
    return said;
  };
  await expect.poll(asked, { timeout: WAIT_MS_MAX }).toSatisfy(isGood);
  return said;
}

async function loseEverything(): Promise<void> {
  const connection = await connect({ servers: fleet.server.url });
  const { streams } = await jetstreamManager(connection);
  for await (const { config } of streams.list()) await streams.delete(config.name);
  await connection.close();
  await fleet.server.kill();
  await fleet.server.restart();
}

test('a new server, the journal of one host from an export, and all is as it was', async () => {
  await Promise.all(HOSTS.map((host) => fleet.startAgent(host)));
  expect(await apply(JSON.stringify(MANIFEST))).toMatchObject({ status: EXIT.ok });
  const before = HOSTS.map((host) => fleet.kernel(host).devices());
  const place = ['--host', 'host-a', '--data', fleet.dataOf('host-a')];
  expect(await fleet.agent('host-a').stop()).toBe(EXIT.ok);
  const file = join(fleet.dir, 'host-a.ndjson.gz');
  expect(await runInProcess(['export', 'journal', file, ...place])).toMatchObject({ status: EXIT.ok });

  await loseEverything();
  rmSync(journalFolder(fleet.dataOf('host-a'), 'host-a'), { recursive: true });
  expect(await run('init')).toMatchObject({ status: EXIT.ok });
  expect(await runInProcess(['import', 'journal', file, ...place])).toMatchObject({ status: EXIT.ok });
  await fleet.startAgent('host-a');
  await eventually('status', (said) => /^hosts +2\n agents +2\nregistry +rebuilding/m.test(said));
  await expect.poll(async () => (await run('reopen')).status, { timeout: WAIT_MS_MAX }).toBe(EXIT.ok);

  const uuids = DEVICES.map(({ uuid }) => uuid);
  const known = await eventually('replay --manifest', (said) => uuids.every((uuid) => said.includes(uuid)));
  expect(await apply(known)).toMatchObject({ status: EXIT.ok });
  expect((await run('status')).status).toBe(EXIT.ok);
  expect(HOSTS.map((host) => fleet.kernel(host).devices())).toEqual(before);
  expect(await run('verify', ...place, '--against-stream')).toMatchObject({ status: EXIT.ok });
});
