/**
 * The registry on three replicas while its leader dies, or stands still for longer than an election: what was
 * acknowledged stays, whatever was unknown is closed by writing again, and each UUID gets one holder.
 */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Claim, Uuid } from '../../events/names.ts';
import { sleep } from '../../reconciler/clock.ts';
import { systemClock } from '../../reconciler/clock-system.ts';
import { decodeHold } from '../../store/registry/hold.ts';
import { type Registry, RegistryUnavailable } from '../../store/registry/registry.ts';
import { openKvRegistry } from '../../store/registry/registry-kv.ts';
import { type Taken, take } from '../../store/registry/reserve.ts';
import { uuidOf } from '../bench/names.ts';
import { BUCKET, RegistryCluster } from '../store/registry/registry-server.ts';

const UUIDS = Array.from({ length: 60 }, (_, at) => uuidOf(at));
const HOSTS = ['host-a', 'host-b', 'host-c'] as const;
/** An answer that a server owes is not waited for longer. */
const TIMEOUT_MS = 1_000;
/** An election begins after 4 to 9 s without a word of the leader. */
const PAUSE_MS = 12_000;
const AGAIN_AFTER_MS = 50;

let cluster: RegistryCluster;

beforeEach(async () => {
  cluster = await RegistryCluster.start('newest');
});
afterEach(() => cluster.close());

/** What one contender was told, and how often it could not be told. */
type Told = {
  readonly uuid: Uuid;
  readonly claim: Claim;
  readonly last: Taken;
  readonly unreachable: number;
};

/** Takes until the answer is clear: an unknown outcome is closed by the same write. */
async function takeUntilClear(registry: Registry, uuid: Uuid, host: string): Promise<Told> {
  const claim = { host, parent: 'p', type: 't' };
  const wish = { claim, generation: { epoch: 1, sequence: 1 }, incarnation: 1, replaces: null };
  for (let unreachable = 0; ; ) {
    const last = await take(registry, uuid, wish);
    if (last.kind !== 'unknown') return { uuid, claim, last, unreachable };
    if (last.cause instanceof RegistryUnavailable) unreachable += 1;
    await sleep(systemClock, AGAIN_AFTER_MS);
  }
}

/** A contender for every UUID at each server. */
async function contenders(): Promise<readonly { host: string; registry: Registry }[]> {
  return Promise.all(
    HOSTS.map(async (host, server) => {
      const uplink = await cluster.uplink(server, TIMEOUT_MS);
      return { host, registry: openKvRegistry(uplink, BUCKET) };
    }),
  );
}

/** One winner each, known to all, and the registry says the same. */
async function expectOneHolderEach(told: readonly Told[], registry: Registry): Promise<void> {
  for (const uuid of UUIDS) {
    const all = told.filter((one) => one.uuid === uuid);
    const won = all.filter(({ last }) => last.kind === 'held');
    expect(won).toHaveLength(1);
    const winner = won[0]?.claim;
    for (const { last } of all)
      if (last.kind !== 'held') expect(last).toMatchObject({ holder: { claim: winner } });
    const value = (await registry.read(uuid))?.value ?? null;
    expect(value && decodeHold(value).claim).toEqual(winner);
  }
}

test('its leader is killed in the midst of contended takes', async () => {
  const all = await contenders();
  const race = (uuids: readonly Uuid[]) =>
    uuids.flatMap((uuid) => all.map(({ host, registry }) => takeUntilClear(registry, uuid, host)));
  const before = await Promise.all(race(UUIDS.slice(0, 20)));
  const leader = await cluster.nats.leaderOf(`KV_${BUCKET}`);
  const asking = race(UUIDS.slice(20, 40));
  await Promise.race(asking);
  await cluster.nats.server(leader).pause();
  asking.push(...race(UUIDS.slice(40)));
  await sleep(systemClock, TIMEOUT_MS / 2);
  await cluster.nats.server(leader).kill('SIGKILL');
  const during = await Promise.all(asking);
  expect(during.filter(({ unreachable }) => unreachable > 0)).not.toEqual([]);
  const other = all[cluster.nats.othersThan(leader)[0] ?? 0];
  if (other === undefined) throw new Error('nobody is left');
  await expectOneHolderEach([...before, ...during], other.registry);
  await cluster.nats.server(leader).restart();
});

test('its leader stands still for longer than an election, and comes back', async () => {
  const all = await contenders();
  const take20 = (from: number) =>
    Promise.all(
      UUIDS.slice(from, from + 20).flatMap((uuid) =>
        all.map(({ host, registry }) => takeUntilClear(registry, uuid, host)),
      ),
    );
  const before = await take20(0);
  const leader = await cluster.nats.leaderOf(`KV_${BUCKET}`);
  await cluster.nats.server(leader).pause();
  const during = take20(20);
  await sleep(systemClock, PAUSE_MS);
  const next = await cluster.nats.leaderOf(`KV_${BUCKET}`, cluster.nats.othersThan(leader));
  expect(next).not.toBe(leader);
  cluster.nats.server(leader).resume();
  const after = await take20(40);
  const other = all[next];
  if (other === undefined) throw new Error('nobody leads');
  await expectOneHolderEach([...before, ...(await during), ...after], other.registry);
});
