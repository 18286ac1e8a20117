/**
 * A host that lost its journal: it does not begin another one in silence, gets the journal back from what the fleet
 * has of it, and touches no device.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock, systemRandom } from '../../reconciler/clock-system.ts';
import {
  type SimulatedKernelServer,
  serveSimulatedKernel,
} from '../../reconciler/simulated/host-sim-server.ts';
import { kernelConfig } from '../../reconciler/simulated/kernel-sim-config.ts';
import { journalFolder } from '../../src/config.ts';
import { EXIT } from '../../src/exit.ts';
import { SIMULATED_MACHINE } from '../../src/simulated.ts';
import { mdevfleet, mdevfleetJson } from '../src/cli/run.ts';
import { RunningAgent } from './running-agent.ts';

const HOST = 'host-a';
const WAIT_MS_MAX = 30_000;
const UUIDS = ['7b000000-0000-4000-8000-000000000001', '7b000000-0000-4000-8000-000000000002'] as const;
const MANIFEST = `
apiVersion: mdevfleet.io/v1
kind: DeviceSet
metadata: {name: lost}
devices:
  - {uuid: ${UUIDS[0]}, host: ${HOST}, parent: mtty, type: mtty-1}
  - {uuid: ${UUIDS[1]}, host: ${HOST}, parent: mtty, type: mtty-1}
`;

let data: string;
let kernel: SimulatedKernelServer;

beforeAll(async () => {
  data = mkdtempSync(join(tmpdir(), 'mdevfleet-lost-'));
  const config = kernelConfig.parse(SIMULATED_MACHINE);
  kernel = await serveSimulatedKernel({
    socket: join(data, 'kernel.sock'),
    ...{ config, clock: systemClock, random: systemRandom },
  });
});
afterAll(async () => {
  await kernel.close();
  rmSync(data, { recursive: true });
});

async function states(): Promise<readonly unknown[]> {
  const rows = (await mdevfleetJson(['get', 'devices', '--data', data])) as readonly { state: string }[];
  return rows.map(({ state }) => state);
}

test('a lost journal is made again from what was forwarded of it, and no device is touched', async () => {
  const flags = ['--host', HOST, '--data', data, `--simulate=${join(data, 'kernel.sock')}`];
  const first = await RunningAgent.start(flags);
  expect((await mdevfleet(['apply', '--data', data, '-f', '-'], { input: MANIFEST })).status).toBe(EXIT.ok);
  await expect.poll(states, { timeout: WAIT_MS_MAX }).toEqual(['ready', 'ready']);
  expect(await first.stop()).toBe(EXIT.ok);
  const before = kernel.kernel.devices();
  rmSync(journalFolder(data, HOST), { recursive: true });

  const refused = await mdevfleet(['agent', ...flags]);
  expect(refused.status).toBe(EXIT.foreign);
  expect(refused.stderr).toContain('mdevfleet rebuild');

  const place = ['--host', HOST, '--data', data];
  const rebuilt = await mdevfleet(['rebuild', ...place]);
  expect(rebuilt).toMatchObject({ status: EXIT.ok, stdout: expect.stringContaining('2 devices') });
  expect(rebuilt.stdout).toContain('is kept as');
  expect((await mdevfleet(['rebuild', ...place])).status).toBe(EXIT.usage);

  const again = await RunningAgent.start(flags);
  await mdevfleet(['delete', '--data', data, UUIDS[1]]);
  await expect.poll(states, { timeout: WAIT_MS_MAX }).toEqual(['ready']);
  expect(await again.stop()).toBe(EXIT.ok);
  expect(kernel.kernel.devices()).toEqual(before.filter(({ uuid }) => uuid === UUIDS[0]));
  expect((await mdevfleet(['verify', ...place])).status).toBe(EXIT.ok);
});

test('there is nothing to make a journal of for a host that never reported', async () => {
  const { status, stderr } = await mdevfleet(['rebuild', '--host', 'host-b', '--data', data]);
  expect(status).toBe(EXIT.input);
  expect(stderr).toContain('the fleet was never told of one');
});
