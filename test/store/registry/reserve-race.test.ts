/**
 * The race for a UUID on the real registries: 50 UUIDs × 20 contenders, over several connections or
 * from several processes. Exactly one wins each; every other is told by whom it was beaten.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { expect, test } from 'vitest';
import { openEmbedded } from '../../../events/embedded/embedded.ts';
import type { Claim } from '../../../events/names.ts';
import type { Registry } from '../../../store/registry/registry.ts';
import { openLmdbRegistry } from '../../../store/registry/registry-lmdb.ts';
import { MemoryRegistry } from '../../../store/registry/registry-memory.ts';
import { giveBack } from '../../../store/registry/reserve.ts';
import { RegistryCluster, startRegistryServer } from './registry-server.ts';
import { type Answer, CLIENTS, contend, UUIDS } from './reserve-race.ts';

const NOW = () => '2026-01-01T00:00:00.000Z';

/** Who won each UUID, in the order of UUIDS; fails unless exactly one did and all others know. */
function winners(answers: readonly Answer[]): readonly Claim[] {
  return UUIDS.map((uuid) => {
    const all = answers.filter((one) => one.uuid === uuid);
    const won = all.filter(({ answer }) => answer.kind === 'held');
    expect(won).toHaveLength(1);
    const winner = won[0]?.claim;
    if (winner === undefined) throw new Error(`nobody won ${uuid}`);
    for (const { answer } of all) {
      if (answer.kind !== 'held')
        expect(answer).toMatchObject({ kind: 'taken', holder: { claim: winner, phase: 'held' } });
    }
    return winner;
  });
}

async function race(clients: readonly Registry[]): Promise<readonly Answer[]> {
  return (await Promise.all(clients.map(contend))).flat();
}

async function giveAllBack(registry: Registry, claims: readonly Claim[]): Promise<void> {
  for (const [index, claim] of claims.entries()) {
    const uuid = UUIDS[index] ?? '';
    expect(await giveBack(registry, uuid, { claim, incarnation: 1 }, null)).toEqual({ kind: 'given' });
  }
}

/** A race for UUIDs that nobody ever held, and one for the same once they were given back. */
async function expectOneWinner(clients: readonly Registry[]): Promise<void> {
  const [first] = clients;
  if (first === undefined) throw new Error('nobody contends');
  await giveAllBack(first, winners(await race(clients)));
  winners(await race(clients));
}

test('in memory', async () => {
  const registry = new MemoryRegistry(NOW);
  await expectOneWinner(Array.from({ length: CLIENTS }, () => registry));
});

test.each(['newest', 'least'] as const)('key-value of the %s server, four connections', async (version) => {
  const server = await startRegistryServer(version);
  try {
    await expectOneWinner(await Promise.all(Array.from({ length: CLIENTS }, () => server.client())));
  } finally {
    await server.close();
  }
});

test('key-value on three replicas, four connections over all of them', async () => {
  const cluster = await RegistryCluster.start('newest');
  try {
    await expectOneWinner(await Promise.all(Array.from({ length: CLIENTS }, () => cluster.client())));
  } finally {
    await cluster.close();
  }
});

test('LMDB, four processes', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'mdevfleet-race-'));
  const embedded = await openEmbedded(dir, { after: () => () => undefined, now: NOW });
  try {
    await giveAllBack(openLmdbRegistry(embedded), winners(await raceOfProcesses(dir)));
    winners(await raceOfProcesses(dir));
  } finally {
    await embedded.close();
    await rm(dir, { recursive: true });
  }
});

async function raceOfProcesses(dir: string): Promise<readonly Answer[]> {
  const contenders = Array.from({ length: CLIENTS }, (_, client) => startContender(dir, client));
  try {
    for (const { lines } of contenders) expect((await lines.next()).value).toBe('ready');
    for (const { process } of contenders) process.stdin?.end();
    const answers = await Promise.all(contenders.map(async ({ lines }) => (await lines.next()).value));
    return answers.flatMap((line) => JSON.parse(line ?? '[]') as Answer[]);
  } finally {
    await Promise.all(contenders.map(ended));
  }
}

async function ended(contender: Contender): Promise<void> {
  const { process } = contender;
  process.stdin?.destroy();
  if (process.exitCode === null && process.signalCode === null) await once(process, 'exit');
}

type Contender = { readonly process: ChildProcess; readonly lines: AsyncIterator<string> };

function startContender(dir: string, client: number): Contender {
  const script = join(import.meta.dirname, 'reserve-contender.ts');
  const child = spawn(process.execPath, [script, dir, String(client)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  return { process: child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
}
