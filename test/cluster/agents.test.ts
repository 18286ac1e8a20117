/**
 * Agents at each of three servers, of which one falls behind or stands still: nothing that was declared is skipped,
 * and nobody takes an answer of yesterday for a loss. An agent may well read a stream anew that seemed to have gone
 * back (`epoch`): that takes nothing away.
 */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { streamNameOf } from '../../events/jetstream/settings.ts';
import type { Uuid } from '../../events/names.ts';
import { DEFAULT_PREFIX } from '../../events/subject.ts';
import { sleep } from '../../reconciler/clock.ts';
import { systemClock } from '../../reconciler/clock-system.ts';
import type { FleetPorts } from '../../src/agent/fleet-ports.ts';
import { uuidOf } from '../bench/names.ts';
import { NatsCluster } from '../nats-cluster.ts';
import { append, presentOn, until } from '../scale/contest.ts';
import { initFleetOn } from '../scale/fleet-server.ts';
import { fleetAt, HostAtWork, LIMITS } from '../scale/host-at-work.ts';
import { BUCKET } from '../store/registry/registry-server.ts';

const SETTLE_MS_MAX = 40_000;
/** An election begins after 4 to 9 s without a word of the leader. */
const PAUSE_MS = 12_000;
const AFTERWARDS_MS = 3_000;
/** Time that an agent has to read through a follower that cannot catch up. */
const BEHIND_MS = 1_500;
const DECLARED = 20;
/** Tries to find a follower behind. */
const ROUNDS_MAX = 5;
/** Agents that read everything back all the time. */
const DOUBTFUL = {
  ...LIMITS,
  proveMs: 100,
  holdsMs: 100,
  doubtMs: 200,
  retryDelayMsMax: 1_000,
  pollMs: 1_000,
};

let cluster: NatsCluster;
let hosts: readonly HostAtWork[];
const opened: FleetPorts[] = [];

beforeEach(async () => {
  cluster = await NatsCluster.start();
  await initFleetOn(cluster.servers, 3);
});
afterEach(async () => {
  await Promise.all(hosts.map((host) => host.stop()));
  for (const fleet of opened.splice(0)) await fleet.close();
  await cluster.stop();
});

/** One at each server; resolves when all may take UUIDs. */
async function startHosts(limits = LIMITS): Promise<void> {
  const starting = cluster.servers.map(({ url }, at) => HostAtWork.start(`host-${at}`, [url], limits));
  hosts = await Promise.all(starting);
  await until(() => hosts.every(({ isReached }) => isReached));
}

/** The fleet as seen through one server. */
async function through(server: number): Promise<FleetPorts> {
  const fleet = await fleetAt([cluster.server(server).url], 'test', 1_000);
  opened.push(fleet);
  await fleet.reached;
  return fleet;
}

/** New UUIDs for every host. */
async function declareOn(
  fleet: FleetPorts,
  from: number,
): Promise<readonly { host: HostAtWork; uuid: Uuid }[]> {
  const all = hosts.flatMap((host, at) =>
    Array.from({ length: DECLARED }, (_, nth) => ({ host, uuid: uuidOf(from + at * DECLARED + nth) })),
  );
  await append(
    fleet.streams.desired,
    all.map(({ host, uuid }) => presentOn(host.host, uuid)),
  );
  return all;
}

async function allReady(all: readonly { host: HostAtWork; uuid: Uuid }[]): Promise<void> {
  const isReady = ({ host, uuid }: { host: HostAtWork; uuid: Uuid }) => host.row(uuid)?.state === 'ready';
  await until(() => all.every(isReady), systemClock.monotonicMs() + SETTLE_MS_MAX);
}

/**
 * Declares while a follower stands still, and wakes it when the others stand still in turn. True when it was behind:
 * what the leader had sent lies in its socket, so that it may be up to date on a slow machine. All are ready then.
 */
async function readBehind(from: number): Promise<boolean> {
  const leader = await cluster.leaderOf(streamNameOf(DEFAULT_PREFIX, 'desired'));
  const [follower = 0, other = 0] = cluster.othersThan(leader);
  const atLeader = await through(leader);
  await cluster.server(follower).pause();
  const declared = await declareOn(atLeader, from);
  await Promise.all([cluster.server(leader).pause(), cluster.server(other).pause()]);
  cluster.server(follower).resume();
  await sleep(systemClock, BEHIND_MS);
  const behind = declared.filter(({ host }) => host === hosts[follower]);
  const isBehind = behind.some(({ host, uuid }) => host.row(uuid) === undefined);
  cluster.server(leader).resume();
  cluster.server(other).resume();
  await allReady(declared);
  return isBehind;
}

test('what a follower does not have yet is not skipped by the agent that reads through it', async () => {
  await startHosts();
  await allReady(await declareOn(await through(0), 0));
  let isBehind = false;
  for (let round = 1; round <= ROUNDS_MAX && !isBehind; round += 1) {
    isBehind = await readBehind(round * 1_000);
  }
  expect(isBehind).toBe(true);
});

test('a leader that stood still is not believed when it wakes up: nothing was lost', async () => {
  await startHosts(DOUBTFUL);
  const leader = await cluster.leaderOf(`KV_${BUCKET}`);
  const others = cluster.othersThan(leader);
  const before = await declareOn(await through(leader), 0);
  await allReady(before);
  await cluster.server(leader).pause();
  await sleep(systemClock, PAUSE_MS);
  for (const name of ['desired', 'observed'] as const) {
    await cluster.leaderOf(streamNameOf(DEFAULT_PREFIX, name), others);
  }
  expect(await cluster.leaderOf(`KV_${BUCKET}`, others)).not.toBe(leader);
  const during = await declareOn(await through(others[0] ?? 0), 1_000);
  const elsewhere = during.filter(({ host }) => host !== hosts[leader]);
  await allReady(elsewhere);
  cluster.server(leader).resume();
  await allReady(during);
  await sleep(systemClock, AFTERWARDS_MS);
  for (const host of hosts) {
    const kinds = host.facts().map(({ kind }) => kind);
    expect(kinds).not.toContain('registry');
    expect(kinds).not.toContain('reasserted');
    expect(kinds).not.toContain('fenced');
    expect(kinds).not.toContain('releasing');
  }
});
