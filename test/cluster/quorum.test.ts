/**
 * Two of three servers are down: agents keep and repair what they hold, wait with what is new and say why, and
 * go on when they are back.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { FleetPorts } from '../../src/agent/fleet-ports.ts';
import { uuidOf } from '../bench/names.ts';
import { NatsCluster } from '../nats-cluster.ts';
import { append, presentOn, until } from '../scale/contest.ts';
import { initFleetOn } from '../scale/fleet-server.ts';
import { fleetAt, HostAtWork, LIMITS } from '../scale/host-at-work.ts';

const [HELD, NEW] = [uuidOf(1), uuidOf(2)];
const WAIT = { timeout: 50_000, interval: 50 };
/** Nothing is taken for so long after a connection, in which the servers can be killed. */
const GRACE_MS = 10_000;
const TEST_MS_MAX = 180_000;

let cluster: NatsCluster;
let fleet: FleetPorts;
const hosts: HostAtWork[] = [];

beforeAll(async () => {
  cluster = await NatsCluster.start();
  await initFleetOn(cluster.servers, 3);
  fleet = await fleetAt([cluster.server(0).url], 'test');
  await fleet.reached;
});
afterAll(async () => {
  await Promise.all(hosts.map((host) => host.stop()));
  await fleet.close();
  await cluster.stop();
});

async function start(host: string, takeGraceMs = LIMITS.takeGraceMs): Promise<HostAtWork> {
  const started = await HostAtWork.start(host, [cluster.server(0).url], { ...LIMITS, takeGraceMs });
  hosts.push(started);
  await until(() => started.isReached);
  return started;
}

test(
  'agents without a quorum hold, repair and wait, and settle when there is one again',
  async () => {
    const holder = await start('host-a');
    await append(fleet.streams.desired, [presentOn('host-a', HELD)]);
    await expect.poll(() => holder.row(HELD)?.state, WAIT).toBe('ready');
    const newcomer = await start('host-b', GRACE_MS);
    await append(fleet.streams.desired, [presentOn('host-b', NEW)]);
    await expect.poll(() => newcomer.row(NEW)?.state, WAIT).toBe('waiting');
    await Promise.all([cluster.server(1).kill(), cluster.server(2).kill()]);

    await holder.kernel.remove(HELD);
    await expect.poll(() => holder.kernel.device(HELD)?.phase, WAIT).toBe('complete');
    const waiting = { state: 'waiting', reason: 'RegistryUnreachable' };
    await expect.poll(() => newcomer.row(NEW), WAIT).toMatchObject(waiting);
    expect(newcomer.touched.has(NEW)).toBe(false);

    await Promise.all([cluster.server(1).restart(), cluster.server(2).restart()]);
    await expect.poll(() => newcomer.row(NEW)?.state, WAIT).toBe('ready');
    expect(holder.row(HELD)?.state).toBe('ready');
  },
  TEST_MS_MAX,
);
