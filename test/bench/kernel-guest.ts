/**
 * Runs inside a guest: 200 devices on a real kernel, made by the agent, by a loop that makes the same reads and
 * writes by the same helpers, and by a bare loop. One line of JSON a round.
 */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeDeclaration } from '../../events/codec.ts';
import { openEmbedded } from '../../events/embedded/embedded.ts';
import { openEmbeddedStreams } from '../../events/embedded/streams-embedded.ts';
import { sleep } from '../../reconciler/clock.ts';
import { systemClock, systemRandom } from '../../reconciler/clock-system.ts';
import type { Host } from '../../reconciler/host.ts';
import { RECONCILER_LIMITS } from '../../reconciler/limits.ts';
import { createSysfsHost } from '../../reconciler/sysfs/host-sysfs.ts';
import { Agent } from '../../src/agent.ts';
import { LINK_LIMITS } from '../../src/link.ts';
import { openJournal } from '../../store/journal/journal-lmdb.ts';
import { openLmdbRegistry } from '../../store/registry/registry-lmdb.ts';
import { onBus, resetParents, setCapacity, typePath } from '../kernel/mdev.ts';
import { overriding } from '../sim/overriding.ts';
import { PREFIX, uuidOf } from './names.ts';

export const DEVICES = 200;
export const ROUNDS = 3;
const HOST = 'kernel';
const PLACE = { parent: 'mdevfleet-0', type: 'mdevfleet-a' };
const UUIDS = Array.from({ length: DEVICES }, (_, at) => uuidOf(at));
/** Seldom enough to take nothing from the agent, which runs in the same process. */
const POLL_MS = 20;

/** What one round took, in milliseconds, and how often the agent looked at a device on the way. */
export type Round = {
  readonly agentMs: number;
  readonly sameMs: number;
  readonly bareMs: number;
  readonly readMs: number;
  readonly writeMs: number;
  readonly observations: number;
};

/** Looking for a device that is not there also reads what room there is for it, through a helper. */
type Counts = { absent: number; present: number };

function counted(host: Host, counts: Counts): Host {
  return overriding(host, {
    observe: async (uuid, look) => {
      const seen = await host.observe(uuid, look);
      counts[seen.kind === 'absent' ? 'absent' : 'present'] += 1;
      return seen;
    },
  });
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begin = systemClock.monotonicMs();
  await work();
  return systemClock.monotonicMs() - begin;
}

/** From its start until all declared devices are active. The declarations are in the stream before. */
async function agentRound(dir: string, counts: Counts): Promise<number> {
  const clock = systemClock;
  const embedded = await openEmbedded(dir, { after: clock.after, now: clock.wall });
  const streams = await openEmbeddedStreams(embedded, PREFIX);
  await streams.desired.appendAll(UUIDS.map((uuid) => declaration(uuid)));
  const own = createSysfsHost({ clock, marksDir: join(dir, 'writers') });
  const journal = await openJournal({
    dir: join(dir, 'journal'),
    host: HOST,
    machine: { machineId: 'bench', product: null },
    software: 'bench',
    create: uuidOf(1_000_000),
    stamp: () => ({ time: clock.wall(), boot: 'bench' }),
  });
  const log = { debug() {}, info() {}, warn() {}, error: console.error };
  const registry = openLmdbRegistry(embedded);
  const host = counted(own, counts);
  const ports = { journal, streams, registry, host, clock, random: systemRandom, log };
  const limits = { ...RECONCILER_LIMITS, ...LINK_LIMITS, stopDeadlineMs: 5_000 };
  const options = { prefix: PREFIX, software: 'bench', kernel: 'bench', bootIsNew: false, limits };
  const agent = new Agent(ports, options);
  const took = await timed(async () => {
    await agent.start();
    for (let ready = 0; ready < DEVICES; await sleep(clock, POLL_MS)) {
      while (journal.device(UUIDS[ready] ?? '').reservation?.phase === 'active') ready += 1;
    }
  });
  await agent.stop();
  await journal.close();
  await own.close();
  await embedded.close();
  return took;
}

/** As many observations as the agent made before and after, and the writes, one after the other. */
async function sameRound(dir: string, counts: Counts) {
  const host = createSysfsHost({ clock: systemClock, marksDir: join(dir, 'writers-of-the-loop') });
  const look = async (uuid: string, all: number): Promise<void> => {
    for (let times = 0; times < Math.round(all / DEVICES); times += 1) {
      await host.observe(uuid, { place: PLACE, use: false });
    }
  };
  let readMs = 0;
  let writeMs = 0;
  for (const uuid of UUIDS) {
    readMs += await timed(() => look(uuid, counts.absent));
    writeMs += await timed(() => host.create(uuid, PLACE));
    readMs += await timed(() => look(uuid, counts.present));
  }
  await host.close();
  return { sameMs: readMs + writeMs, readMs, writeMs };
}

function bareRound(): Promise<number> {
  return timed(async () => {
    for (const uuid of UUIDS) writeFileSync(typePath(PLACE.parent, 'a', 'create'), uuid);
  });
}

function declaration(uuid: string) {
  const event = { id: `event-${uuid}`, source: 'bench', time: systemClock.wall() };
  return encodeDeclaration(PREFIX, { desired: 'present', event, data: { uuid, host: HOST, ...PLACE } });
}

async function clean(): Promise<void> {
  await resetParents();
  setCapacity(PLACE.parent, DEVICES);
}

function assertMade(by: string): void {
  if (!UUIDS.every(onBus)) throw new Error(`${by} did not make all devices`);
}

async function round(): Promise<Round> {
  const dir = mkdtempSync(join(tmpdir(), 'bench-'));
  const counts: Counts = { absent: 0, present: 0 };
  await clean();
  const agentMs = await agentRound(dir, counts);
  assertMade('the agent');
  await clean();
  const same = await sameRound(dir, counts);
  assertMade('the loop');
  await clean();
  const bareMs = await bareRound();
  assertMade('the bare loop');
  return { agentMs, ...same, bareMs, observations: counts.absent + counts.present };
}

if (import.meta.main) {
  for (let at = 0; at < ROUNDS; at += 1) console.log(JSON.stringify(await round()));
  process.exit();
}
