/**
 * Runs inside a guest, `node kernel-guest.ts DEVICES ROUNDS`: devices on one parent of a real kernel, made and removed
 * by the agent, by a loop that makes the same reads and writes by the same helpers, and by a bare loop. One line of
 * JSON a round. It throws unless each device is made once and removed once, and the agent's journal verifies.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
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
import { Agent } from '../../src/agent/agent.ts';
import { LINK_LIMITS } from '../../src/agent/link.ts';
import { openJournal } from '../../store/journal/journal-lmdb.ts';
import { verifyJournalFiles } from '../../store/journal/probe.ts';
import { openLmdbRegistry } from '../../store/registry/registry-lmdb.ts';
import { BUS, calls, devicePath, onBus, resetParents, setCapacity, typePath } from '../kernel/mdev.ts';
import { overriding } from '../sim/overriding.ts';
import { PREFIX, uuidOf } from './names.ts';

const HOST = 'kernel';
const PLACE = { parent: 'mdevfleet-0', type: 'mdevfleet-a' };
/** Seldom enough to take nothing from the agent, which runs in the same process. */
const POLL_MS = 20;

/** Making all devices, or removing them, in milliseconds. */
export type Phase = {
  readonly agentMs: number;
  readonly sameMs: number;
  readonly bareMs: number;
  /** Of the loop that does the same. */
  readonly readMs: number;
  readonly writeMs: number;
  /** How often the agent looked at a device. */
  readonly observations: number;
};

export type Round = {
  readonly create: Phase;
  readonly remove: Phase;
  /** Looking once at all that are there. */
  readonly survey: { readonly agentMs: number; readonly bareMs: number };
};

/** Looking for a device that is not there also reads what room there is for it, through a helper. */
type Counts = { absent: number; present: number };
type AgentRun = { readonly ms: number; readonly counts: Counts };
type Loop = { readonly readMs: number; readonly writeMs: number };

function counted(host: Host): { readonly host: Host; readonly take: () => Counts } {
  let counts: Counts = { absent: 0, present: 0 };
  const observe: Host['observe'] = async (uuid, look) => {
    const seen = await host.observe(uuid, look);
    counts[seen.kind === 'absent' ? 'absent' : 'present'] += 1;
    return seen;
  };
  const take = (): Counts => {
    const taken = counts;
    counts = { absent: 0, present: 0 };
    return taken;
  };
  return { host: overriding(host, { observe }), take };
}

async function timed(work: () => unknown): Promise<number> {
  const begin = systemClock.monotonicMs();
  await work();
  return systemClock.monotonicMs() - begin;
}

/** From its start until all declared devices are active, and from their withdrawal until all are given back. */
async function agentRuns(dir: string, uuids: readonly string[]) {
  const clock = systemClock;
  const embedded = await openEmbedded(dir, { after: clock.after, now: clock.wall });
  const streams = await openEmbeddedStreams(embedded, PREFIX);
  await streams.desired.appendAll(uuids.map((uuid) => declaration(uuid, 'present')));
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
  const { host, take } = counted(own);
  const ports = { journal, streams, registry, host, clock, random: systemRandom, log };
  const limits = { ...RECONCILER_LIMITS, ...LINK_LIMITS, stopDeadlineMs: 5_000 };
  const options = { prefix: PREFIX, software: 'bench', kernel: 'bench', bootIsNew: false, limits };
  const agent = new Agent(ports, options);
  const all = async (phase: string | undefined): Promise<void> => {
    for (let done = 0; done < uuids.length; await sleep(clock, POLL_MS)) {
      while (done < uuids.length && journal.device(uuids[done] ?? '').reservation?.phase === phase) done += 1;
    }
  };
  const createMs = await timed(async () => {
    await agent.start();
    await all('active');
  });
  const created: AgentRun = { ms: createMs, counts: take() };
  assertThere(uuids, 'the agent');
  const surveyMs = await timed(() => own.survey());
  const removeMs = await timed(async () => {
    await streams.desired.appendAll(uuids.map((uuid) => declaration(uuid, 'absent')));
    await all(undefined);
  });
  const removed: AgentRun = { ms: removeMs, counts: take() };
  await agent.stop();
  await journal.close();
  await own.close();
  await embedded.close();
  const verified = await verifyJournalFiles(join(dir, 'journal'));
  assert.notEqual(verified.kind, 'damaged', JSON.stringify(verified));
  return { created, removed, surveyMs };
}

/** As many observations as the agent made before and after, and the writes, one after the other. */
async function sameLoops(dir: string, uuids: readonly string[], created: Counts, removed: Counts) {
  const host = createSysfsHost({ clock: systemClock, marksDir: join(dir, 'writers-of-the-loop') });
  const look = async (uuid: string, all: number, use: boolean): Promise<void> => {
    for (let times = 0; times < Math.round(all / uuids.length); times += 1) {
      await host.observe(uuid, { place: PLACE, use });
    }
  };
  const loop = async (before: number, after: number, use: boolean, write: (uuid: string) => unknown) => {
    const ms = { readMs: 0, writeMs: 0 };
    for (const uuid of uuids) {
      ms.readMs += await timed(() => look(uuid, before, use));
      ms.writeMs += await timed(() => write(uuid));
      ms.readMs += await timed(() => look(uuid, after, use));
    }
    return ms;
  };
  const create = await loop(created.absent, created.present, false, (uuid) => host.create(uuid, PLACE));
  assertThere(uuids, 'the loop');
  const remove = await loop(removed.present, removed.absent, true, (uuid) => host.remove(uuid, PLACE));
  await host.close();
  return { create, remove };
}

async function bareLoops(uuids: readonly string[]) {
  const create = typePath(PLACE.parent, 'a', 'create');
  const createMs = await timed(() => {
    for (const uuid of uuids) writeFileSync(create, uuid);
  });
  assertThere(uuids, 'the bare loop');
  const surveyMs = await timed(() => {
    for (const uuid of readdirSync(BUS)) {
      readlinkSync(join(BUS, uuid));
      readlinkSync(join(BUS, uuid, 'mdev_type'));
    }
  });
  const removeMs = await timed(() => {
    for (const uuid of uuids) writeFileSync(devicePath(PLACE.parent, uuid, 'remove'), '1');
  });
  return { createMs, surveyMs, removeMs };
}

function declaration(uuid: string, desired: 'present' | 'absent') {
  const event = { id: `${desired}-${uuid}`, source: 'bench', time: systemClock.wall() };
  return encodeDeclaration(
    PREFIX,
    desired === 'present'
      ? { desired, event, data: { uuid, host: HOST, ...PLACE } }
      : { desired, event, data: { uuid, host: HOST } },
  );
}

function assertThere(uuids: readonly string[], by: string): void {
  assert.ok(uuids.every(onBus), `${by} did not make all devices`);
  assert.equal(readdirSync(BUS).length, uuids.length);
}

/** Does it on a clean parent, and checks that every device was made and removed, and that only once. */
async function once<T>(uuids: readonly string[], work: () => Promise<T>): Promise<T> {
  await resetParents();
  setCapacity(PLACE.parent, uuids.length);
  const before = calls(PLACE.parent);
  const done = await work();
  const after = calls(PLACE.parent);
  assert.deepEqual(readdirSync(BUS), []);
  assert.equal(after.probes - before.probes, uuids.length);
  assert.equal(after.removes - before.removes, uuids.length);
  return done;
}

/** Only what the agent does, with so many devices. */
export async function agentRound(devices: number): Promise<void> {
  const uuids = uuidsOf(devices);
  const dir = mkdtempSync(join(tmpdir(), 'bench-'));
  await once(uuids, () => agentRuns(dir, uuids));
  rmSync(dir, { recursive: true });
}

async function round(devices: number): Promise<Round> {
  const uuids = uuidsOf(devices);
  const dir = mkdtempSync(join(tmpdir(), 'bench-'));
  const agent = await once(uuids, () => agentRuns(dir, uuids));
  const same = await once(uuids, () => sameLoops(dir, uuids, agent.created.counts, agent.removed.counts));
  const bare = await once(uuids, () => bareLoops(uuids));
  rmSync(dir, { recursive: true });
  return {
    create: phase(agent.created, same.create, bare.createMs),
    remove: phase(agent.removed, same.remove, bare.removeMs),
    survey: { agentMs: agent.surveyMs, bareMs: bare.surveyMs },
  };
}

function uuidsOf(devices: number): readonly string[] {
  return Array.from({ length: devices }, (_, at) => uuidOf(at));
}

function phase({ ms, counts }: AgentRun, { readMs, writeMs }: Loop, bareMs: number): Phase {
  const observations = counts.absent + counts.present;
  return { agentMs: ms, sameMs: readMs + writeMs, bareMs, readMs, writeMs, observations };
}

if (import.meta.main) {
  const [devices, rounds] = process.argv.slice(2).map(Number);
  for (let at = 0; at < (rounds ?? 1); at += 1) console.log(JSON.stringify(await round(devices ?? 1)));
  process.exit();
}
