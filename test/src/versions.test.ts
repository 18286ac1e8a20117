/**
 * Agents of two versions side by side in one fleet, and a host that is upgraded.
 *
 * The older one is the program as it is; the newer one is the same program with a vocabulary that has more words: a
 * declaration in another shape, another command, another fact. Each is a set of modules of its own, as in two processes.
 */
import { beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { z } from 'zod';
import * as codec from '../../events/codec.ts';
import { typeOfCommand } from '../../events/command.ts';
import { ABSENT_TYPE, PRESENT_TYPE } from '../../events/declaration.ts';
import * as factModule from '../../events/fact.ts';
import { parseSubject } from '../../events/subject.ts';
import { RECONCILER_LIMITS } from '../../reconciler/limits.ts';
import { createSimulatedHost } from '../../reconciler/simulated/host-sim.ts';
import { SimulatedKernel } from '../../reconciler/simulated/kernel-sim.ts';
import { kernelConfig } from '../../reconciler/simulated/kernel-sim-config.ts';
import * as agentModule from '../../src/agent/agent.ts';
import { LINK_LIMITS } from '../../src/agent/link.ts';
import { readRows } from '../../src/fleet.ts';
import { lineOf } from '../../src/past/line.ts';
import { streamSource } from '../../src/past/source.ts';
import * as evolveModule from '../../store/evolve.ts';
import * as journalModule from '../../store/journal/journal-memory.ts';
import { Replay } from '../../store/journal/replay.ts';
import { Fleet } from './agent/link-world.ts';

const UUID = '00000000-0000-4000-8000-000000000001';
const OTHER = '00000000-0000-4000-8000-000000000002';
const THIRD = '00000000-0000-4000-8000-000000000003';
const OLDER_HOST = 'host-older';
const NEWER_HOST = 'host-newer';
const PLACE_TYPE = 'io.mdevfleet.device.present.v2';
const FREEZE_TYPE = 'io.mdevfleet.command.freeze.v1';
const LIMITS = { ...RECONCILER_LIMITS, ...LINK_LIMITS, stopDeadlineMs: 5_000 };
const KERNEL = kernelConfig.parse({ parents: [{ name: 'gpu0', units: 8, types: [{ name: 'small' }] }] });

/** The modules of a program that know words, by themselves or by those that they import. */
type Program = Pick<typeof agentModule, 'Agent'> & Pick<typeof journalModule, 'openMemoryJournal'>;

const OLDER: Program = { ...agentModule, ...journalModule };
let newer: Program;

/** A fact that only the newer program knows. */
const calibrated = z.strictObject({ kind: z.literal('calibrated'), v: z.literal(1), uuid: z.string() });

/** The newer words in the older ones: a place in one string, and a freeze that is a pause. */
function translated({ type, data, ...rest }: z.infer<typeof newerEvent>): object {
  if (type === FREEZE_TYPE) return { ...rest, type: typeOfCommand('pause'), data };
  const { place, ...others } = data;
  const [parent, name] = String(place).split('/');
  return { ...rest, type: PRESENT_TYPE, data: { ...others, parent, type: name } };
}

const newerEvent = z.looseObject({
  type: z.enum([PLACE_TYPE, FREEZE_TYPE]),
  data: z.record(z.string(), z.unknown()),
});

const newerCodec: typeof codec = {
  ...codec,
  eventTypes: () => [...codec.eventTypes(), PLACE_TYPE, FREEZE_TYPE],
  decodeEvent(subject, data) {
    const event = newerEvent.safeParse(JSON.parse(new TextDecoder().decode(data)));
    return codec.decodeEvent(subject, event.success ? bytesOf(translated(event.data)) : data);
  },
};

function bytesOf(value: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

beforeAll(async () => {
  const { facts, fact } = factModule;
  vi.resetModules();
  vi.doMock('../../events/codec.ts', () => newerCodec);
  vi.doMock('../../events/fact.ts', () => ({
    ...factModule,
    facts: { ...facts, calibrated },
    fact: z.discriminatedUnion('kind', [...fact.options, calibrated]),
  }));
  vi.doMock('../../store/evolve.ts', () => ({
    ...evolveModule,
    evolve: (...[device, one, seq]: Parameters<typeof evolveModule.evolve>) =>
      String(one.kind) === 'calibrated' ? { ...device, version: seq } : evolveModule.evolve(device, one, seq),
  }));
  const [agent, journal] = await Promise.all([
    import('../../src/agent/agent.ts'),
    import('../../store/journal/journal-memory.ts'),
  ]);
  newer = { ...agent, ...journal };
});

/** A host's machine, which outlives the programs that run on it. */
class Machine {
  readonly kernel: SimulatedKernel;
  readonly name: string;
  readonly #disk = new journalModule.MemoryDisk();
  #running: { readonly agent: agentModule.Agent; readonly journal: journalModule.MemoryJournal } | undefined;

  constructor(name: string) {
    this.name = name;
    this.kernel = new SimulatedKernel({ config: KERNEL, clock: fleet.clock, random: () => 0.5 });
  }

  get journal(): journalModule.MemoryJournal {
    if (this.#running === undefined) throw new Error(`nothing runs on ${this.name}`);
    return this.#running.journal;
  }

  /** Ends the program that runs here, if one does, and starts this one on its journal. */
  async run({ Agent, openMemoryJournal }: Program): Promise<this> {
    const { clock, streams, registry } = fleet;
    if (this.#running !== undefined) await clock.until(this.#running.agent.stop());
    const journal = openMemoryJournal({
      ...{ disk: this.#disk, journal: `of ${this.name}`, host: this.name, software: 'test' },
      machine: { machineId: this.name, product: null },
      stamp: () => ({ time: clock.wall(), boot: 'boot-1' }),
      schedule: (commit) => void clock.after(0, commit),
    });
    const host = createSimulatedHost({ kernel: this.kernel, clock });
    const log = { debug() {}, info() {}, warn() {}, error: (fields: object) => expect.fail(String(fields)) };
    const ports = { journal, streams, registry, host, clock, random: () => 0.5, log };
    const given = { prefix: 'mdev', software: 'test', kernel: 'test', bootIsNew: false, limits: LIMITS };
    const agent = new Agent(ports, given);
    this.#running = { agent, journal };
    await clock.until(agent.start());
    await settle();
    return this;
  }

  get devices(): readonly string[] {
    const uuids = this.kernel.devices().map(({ uuid }) => uuid);
    return uuids.sort();
  }

  /** What the older `log` says of the facts of this kind that the host has forwarded. */
  async lines(kind: string): Promise<readonly string[]> {
    const found: string[] = [];
    for await (const told of observed().facts({ host: this.name })) {
      const line = lineOf(told);
      if (line.kind === kind) found.push(line.why);
    }
    return found;
  }
}

let fleet: Fleet;
beforeEach(() => {
  fleet = new Fleet();
});

/** Longer than anything takes that is not waited for. */
async function settle(): Promise<void> {
  await fleet.clock.advance(60_000);
}

function observed(): ReturnType<typeof streamSource> {
  return streamSource({ stream: fleet.streams.observed, prefix: 'mdev' });
}

let events = 0;

/** Publishes what a newer program of an operator would; it is let settle. */
async function publish(host: string, uuid: string | null, type: string, data: object): Promise<void> {
  events += 1;
  const kind = type.includes('.command.') ? 'command' : 'desired';
  const subject = `mdev.${kind}.${host}.${uuid ?? '_'}`;
  expect(parseSubject('mdev', subject)).toMatchObject({ host });
  const event = {
    ...{ specversion: '1.0', id: `event-${events}`, source: 'test', time: fleet.clock.wall(), type },
    ...{ subject: `${host}/${uuid ?? '_'}`, data: { host, ...(uuid && { uuid }), ...data } },
  };
  await fleet.streams[kind].append({ subject, id: event.id, data: bytesOf(event) });
  await settle();
}

const present = (host: string, uuid: string) =>
  publish(host, uuid, PRESENT_TYPE, { parent: 'gpu0', type: 'small' });
const place = (host: string, uuid: string) => publish(host, uuid, PLACE_TYPE, { place: 'gpu0/small' });

test('an older host goes on beside a newer one, keeps what it cannot read, and acts on it once it is upgraded', async () => {
  const [old, fresh] = [await new Machine(OLDER_HOST).run(OLDER), await new Machine(NEWER_HOST).run(newer)];
  await place(OLDER_HOST, UUID);
  await publish(OLDER_HOST, null, FREEZE_TYPE, {});
  await place(NEWER_HOST, OTHER);
  expect(fresh.devices).toEqual([OTHER]);
  expect(old.devices).toEqual([]);
  expect(await old.lines('unsupported')).toEqual([
    expect.stringContaining(PLACE_TYPE),
    expect.stringContaining(FREEZE_TYPE),
  ]);
  expect(await old.lines('rejected')).toEqual([]);

  await present(OLDER_HOST, THIRD);
  expect(old.devices).toEqual([THIRD]);

  await old.run(newer);
  expect(old.journal.device(UUID).desired).toMatchObject({ kind: 'present' });
  expect(old.journal.positions().paused).not.toBeNull();
  expect(old.devices).toEqual([THIRD]);
  await publish(OLDER_HOST, null, typeOfCommand('resume'), {});
  expect(old.devices).toEqual([UUID, THIRD]);
  await old.run(newer);
  expect(await old.lines('declared')).toHaveLength(2);
});

test('both ask one registry: what a newer host holds is a conflict for an older one', async () => {
  const [old, fresh] = [await new Machine(OLDER_HOST).run(OLDER), await new Machine(NEWER_HOST).run(newer)];
  await place(NEWER_HOST, UUID);
  await present(OLDER_HOST, UUID);
  expect([fresh.devices, old.devices]).toEqual([[UUID], []]);
  expect(await old.lines('conflict')).toEqual([expect.stringContaining(NEWER_HOST)]);
});

test('a fact of a newer program hides nothing from older readers, nor from the older program on its journal', async () => {
  const fresh = await new Machine(NEWER_HOST).run(newer);
  await present(NEWER_HOST, UUID);
  const newest = { kind: 'calibrated', v: 1, uuid: UUID } as unknown as factModule.Fact;
  await fleet.clock.until(fresh.journal.append({ facts: [newest] }));
  await present(NEWER_HOST, OTHER);

  const rows = await readRows(fleet.streams.observed, 'mdev');
  expect(rows.map(({ uuid, state }) => `${uuid} ${state}`)).toEqual([`${UUID} ready`, `${OTHER} ready`]);
  expect(await fresh.lines('calibrated')).toEqual(['calibrated v1, of a newer program: {}']);
  const past = await observed().past({ endsOf: () => [{ kind: 'now' }] });
  expect(past.get(NEWER_HOST)).toMatchObject([{ fault: null, seq: fresh.journal.tail().seq }]);

  await fresh.run(OLDER);
  const replay = new Replay();
  for (const record of fresh.journal.read(0, Number.MAX_SAFE_INTEGER)) replay.apply(record);
  expect(replay.unknown).toBe(1);
  for (const uuid of [UUID, OTHER]) {
    const { version: _, ...device } = fresh.journal.device(uuid);
    expect(replay.devices.get(uuid)).toMatchObject(device);
  }
  expect(fresh.devices).toEqual([UUID, OTHER]);
  await publish(NEWER_HOST, UUID, ABSENT_TYPE, {});
  expect(fresh.devices).toEqual([OTHER]);
});
