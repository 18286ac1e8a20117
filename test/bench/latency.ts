/**
 * One declaration at rest: from its publication until `create` is written, against the sum of
 * its parts, each measured alone.
 *
 * A real server, a real journal, a real helper process; sysfs is a folder in which the bench plays
 * the kernel's part once the write has returned.
 */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeDeclaration } from '../../events/codec.ts';
import type { Streams } from '../../events/stream.ts';
import { subjectFilter } from '../../events/subject.ts';
import { systemClock, systemRandom } from '../../reconciler/clock-system.ts';
import type { Host } from '../../reconciler/host.ts';
import { RECONCILER_LIMITS } from '../../reconciler/limits.ts';
import { createSysfsHost } from '../../reconciler/sysfs/host-sysfs.ts';
import { Agent } from '../../src/agent/agent.ts';
import { LINK_LIMITS } from '../../src/agent/link.ts';
import type { Journal } from '../../store/journal/journal.ts';
import { openJournal } from '../../store/journal/journal-lmdb.ts';
import { readFleet } from '../../store/registry/fleet.ts';
import type { Registry } from '../../store/registry/registry.ts';
import { overriding } from '../sim/overriding.ts';
import { judge, type Line, printTable, type Sample, sample } from './measure.ts';
import { PREFIX, uuidOf } from './names.ts';

const ROUNDS = 100;
const HOST = 'latency';
const PLACE = { parent: 'p0', type: 't' };
/**
 * Before `create`, a declaration is declared, claiming and reserved, and it is observed once after each; the state of the
 * fleet's registry is read before the UUID is taken and after.
 */
const COMMITS = 3;
const OBSERVATIONS = 3;
const LOOKS = 2;

export async function benchLatency(streams: Streams, registry: Registry): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'mdevfleet-bench-'));
  const root = fakeSysfs(folder);
  const host = createSysfsHost({ clock: systemClock, marksDir: join(folder, 'writers'), root, dev: folder });
  const journal = await journalAt(join(folder, 'journal'));
  const parts = await measureParts(streams, registry, host, journal);
  const whole = await measureWhole(streams, registry, host, journal, root);
  await host.close();
  await journal.close();
  rmSync(folder, { recursive: true });
  return report(parts, whole);
}

type Part = 'publish' | 'read' | 'commit' | 'look' | 'registry' | 'observe' | 'write';
type Parts = Readonly<Record<Part, Sample>>;

async function measureParts(
  streams: Streams,
  registry: Registry,
  host: Host,
  journal: Journal,
): Promise<Parts> {
  const started = { kind: 'stopped', v: 1 } as const;
  const filter = subjectFilter(PREFIX, 'desired', { host: 'parts' });
  const value = new Uint8Array(256);
  return {
    publish: await repeat((at) => untilRung(streams, 'parts', at)),
    read: await repeat((at) => timed(() => streams.desired.next(filter, at % 50, 1))),
    commit: await repeat(() => timed(() => journal.append({ facts: [started] }))),
    look: await repeat(() => timed(() => readFleet(registry))),
    registry: await repeat((at) => timed(() => registry.write(uuidOf(1_000_000 + at), value, 0))),
    observe: await repeat((at) => timed(() => host.observe(uuidOf(at), { place: PLACE, use: false }))),
    write: await repeat((at) => timed(() => host.create(uuidOf(at), PLACE))),
  };
}

async function measureWhole(
  streams: Streams,
  registry: Registry,
  host: Host,
  journal: Journal,
  root: string,
): Promise<Sample> {
  let written: (() => void) | undefined;
  const watched = overriding(host, {
    create: async (uuid, place) => {
      const result = await host.create(uuid, place);
      written?.();
      appear(root, uuid);
      return result;
    },
  });
  const limits = { ...RECONCILER_LIMITS, ...LINK_LIMITS, takeGraceMs: 0, stopDeadlineMs: 5_000 };
  const log = { debug() {}, info() {}, warn() {}, error: console.error };
  const ports = { journal, streams, registry, host: watched, clock: systemClock, random: systemRandom, log };
  const agent = new Agent(ports, {
    prefix: PREFIX,
    software: 'bench',
    kernel: 'bench',
    bootIsNew: false,
    limits,
  });
  await agent.start();
  await rest();
  const whole = await repeat(async (at) => {
    const done = new Promise<void>((resolve) => {
      written = resolve;
    });
    const took = await timed(async () => {
      void streams.desired.append(declaration(HOST, 2_000_000 + at));
      await done;
    });
    await rest();
    return took;
  });
  await agent.stop();
  return whole;
}

function report(parts: Parts, whole: Sample): boolean {
  const { publish, read, commit, look, registry, observe, write } = parts;
  const sum =
    publish.median +
    read.median +
    COMMITS * commit.median +
    LOOKS * look.median +
    registry.median +
    OBSERVATIONS * observe.median +
    write.median;
  const part = (what: string, one: Sample): Line => ({ what, unit: 'ms', sample: one });
  const times = whole.median / sum;
  printTable('one declaration at rest, from publish to create written', [
    part('publish until the doorbell rings', publish),
    part('read it from the stream', read),
    part(`durable commit (of ${COMMITS})`, commit),
    part(`look whether the registry is whole (of ${LOOKS})`, look),
    part('compare-and-set in the registry', registry),
    part(`observe (of ${OBSERVATIONS})`, observe),
    part('write by a helper', write),
    part('sum of these', { median: sum, least: sum, most: sum }),
    { what: 'whole', unit: 'ms', sample: whole, ratio: { of: 'sum of its parts', times } },
  ]);
  return judge({ name: 'publish to create against the sum of its parts', times, atMost: 2 });
}

async function repeat(measure: (at: number) => Promise<number>): Promise<Sample> {
  const values: number[] = [];
  for (let at = 0; at < ROUNDS; at += 1) values.push(await measure(at));
  return sample(values);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}

/** From publishing a declaration until its host's doorbell rings. */
function untilRung(streams: Streams, host: string, at: number): Promise<number> {
  return timed(
    () =>
      new Promise<void>((resolve) => {
        const end = streams.doorbell(host, () => {
          end();
          resolve();
        });
        void streams.desired.append(declaration(host, 3_000_000 + at));
      }),
  );
}

function declaration(host: string, at: number) {
  const event = { id: `${host}-${at}`, source: 'bench', time: new Date().toISOString() };
  const data = { uuid: uuidOf(at), host, ...PLACE };
  return encodeDeclaration(PREFIX, { desired: 'present', event, data });
}

/** Until what followed the write, records and forwarding, has surely ended. */
function rest(): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, 150));
}

function fakeSysfs(folder: string): string {
  const root = join(folder, 'sys');
  const parent = join(root, 'devices', 'virtual', PLACE.parent);
  const type = join(parent, 'mdev_supported_types', PLACE.type);
  mkdirSync(type, { recursive: true });
  mkdirSync(join(root, 'class', 'mdev_bus'), { recursive: true });
  mkdirSync(join(root, 'bus', 'mdev', 'devices'), { recursive: true });
  symlinkSync(parent, join(root, 'class', 'mdev_bus', PLACE.parent));
  writeFileSync(join(type, 'create'), '');
  writeFileSync(join(type, 'available_instances'), '1000000\n');
  return root;
}

/** What the kernel does for a device. */
function appear(root: string, uuid: string): void {
  const parent = join(root, 'devices', 'virtual', PLACE.parent);
  const device = join(parent, uuid);
  mkdirSync(device);
  writeFileSync(join(device, 'remove'), '');
  symlinkSync(join(parent, 'mdev_supported_types', PLACE.type), join(device, 'mdev_type'));
  symlinkSync(device, join(root, 'bus', 'mdev', 'devices', uuid));
}

function journalAt(dir: string): Promise<Journal> {
  return openJournal({
    dir,
    host: HOST,
    machine: { machineId: 'bench', product: null },
    software: 'bench',
    create: uuidOf(0),
    stamp: () => ({ time: new Date().toISOString(), boot: 'bench' }),
  });
}
