/**
 * A simulated machine: a kernel and a disk, and the agent that runs on it, if one does.
 *
 * The agent is the production code on in-memory adapters. Killing it leaves the kernel as it
 * is and the disk at its last commit; a reboot leaves only the disk.
 */
import type { Uuid } from '../../events/names.ts';
import { decodeRecord } from '../../events/record.ts';
import { RECONCILER_LIMITS } from '../../reconciler/limits.ts';
import { SimulatedKernel } from '../../reconciler/simulated/kernel-sim.ts';
import { Agent, type AgentOptions, type AgentPorts } from '../../src/agent.ts';
import { LINK_LIMITS, type LinkEnd } from '../../src/link.ts';
import type { Journal } from '../../store/journal/journal.ts';
import { MemoryDisk, type MemoryJournal, openMemoryJournal } from '../../store/journal/journal-memory.ts';
import { auditedJournal } from './audited-journal.ts';
import { MACHINE_CONFIG, PREFIX, type SimPlace } from './inventory.ts';
import { type Life, mortalClock } from './mortal.ts';
import { mortalHost } from './mortal-host.ts';
import type { Published } from './published.ts';
import { journalOf } from './records.ts';
import type { Server } from './server.ts';
import { Sightings } from './sightings.ts';
import { FactWatch } from './watched-facts.ts';
import { WatchedKernel } from './watched-kernel.ts';
import { type Weather, Wire } from './wire.ts';
import { WiredRegistry } from './wired-registry.ts';
import { WiredStreams } from './wired-streams.ts';
import type { World } from './world.ts';

const LIMITS = { ...RECONCILER_LIMITS, ...LINK_LIMITS, stopDeadlineMs: 5_000 };

/** What an agent is made of. */
export type Parts = { readonly ports: AgentPorts; readonly options: AgentOptions };

/** What a planted bug does to what an agent is made of. */
export type Bug = (parts: Parts, machine: Machine) => Parts;

export type MachineParts = {
  readonly world: World;
  readonly name: string;
  readonly server: Server;
  readonly published: Published;
  readonly weather: Weather;
  readonly bug: Bug;
  /** The share of commits at which an agent is killed. */
  readonly fatalCommits: number;
};

type Process = { readonly life: Life; readonly agent: Agent; readonly journal: MemoryJournal };

export class Machine {
  readonly name: string;
  readonly world: World;
  readonly wire: Wire;
  readonly kernel: SimulatedKernel;
  readonly watched: WatchedKernel;
  readonly facts: FactWatch;
  disk = new MemoryDisk();
  /** Devices that somebody beside the agent has made here, by UUID. */
  readonly foreign = new Map<Uuid, SimPlace>();
  /** How far the machine's wall clock is off. */
  clockOffMs = 0;
  /** Durable commits so far. */
  commits = 0;
  /** The newest disk, while an older copy of it is in its place. */
  #newest: MemoryDisk | undefined;
  readonly #parts: MachineParts;
  #process: Process | undefined;
  #lastBoot: string | undefined;
  #started = 0;

  constructor(parts: MachineParts) {
    const { world, name, server, published, weather } = parts;
    this.#parts = parts;
    this.world = world;
    this.name = name;
    this.wire = new Wire(world, name, server, weather);
    this.kernel = new SimulatedKernel({ config: MACHINE_CONFIG, clock: world, random: world.random });
    const sightings = new Sightings(this.kernel, world);
    const { registry } = server;
    this.watched = new WatchedKernel({
      ...{ world, name, kernel: this.kernel, registry },
      held: (uuid) => this.disk.projections().devices.get(uuid)?.reservation,
      isForeign: (uuid) => this.foreign.has(uuid),
      isExcused: () => this.isPutBack,
    });
    this.facts = new FactWatch({
      ...{ world, name, server, published },
      wasElsewhere: (uuid, claim, withinMs) => sightings.wasElsewhere(uuid, claim, withinMs),
      wasMadeHere: (uuid) => this.watched.made.has(uuid),
      isIncomplete: (uuid) => this.kernel.device(uuid)?.phase === 'incomplete',
    });
    this.kernel.onUevent((change) => {
      world.stirred = true;
      world.note(name, `uevent ${JSON.stringify(change)}`);
      if (change.kind !== 'device') return;
      sightings.note(change.uuid);
      if (this.kernel.device(change.uuid) === undefined) this.foreign.delete(change.uuid);
    });
  }

  get running(): boolean {
    return this.#process !== undefined;
  }

  get journal(): Journal | undefined {
    return this.#process?.journal;
  }

  /** True while the disk is an older copy of what it was. */
  get isPutBack(): boolean {
    return this.#newest !== undefined;
  }

  /** Starts an agent on what the disk holds; later, if it cannot even begin. */
  start(): void {
    if (this.#process !== undefined) return;
    this.#started += 1;
    const life: Life = { alive: true };
    try {
      this.#run(life, this.#openJournal(life));
    } catch (error) {
      this.#again(`agent ${this.#started} cannot open its journal: ${String(error)}`);
    }
  }

  #run(life: Life, journal: MemoryJournal): void {
    const bootIsNew = this.#lastBoot !== undefined && this.#lastBoot !== this.kernel.bootId;
    this.#lastBoot = this.kernel.bootId;
    const given = { prefix: PREFIX, software: 'sim', kernel: 'sim', bootIsNew, limits: LIMITS };
    const { ports, options } = this.#parts.bug({ ports: this.#ports(life, journal), options: given }, this);
    const agent = new Agent({ ...ports, journal: auditedJournal(this, ports.journal, life) }, options);
    const process = { life, agent, journal };
    this.#process = process;
    this.world.note(this.name, `agent ${this.#started} starts at record ${journal.tail().seq}`);
    agent.start().catch((error: unknown) => {
      if (this.#process === process) this.#again(`agent ${this.#started} cannot start: ${String(error)}`);
    });
    void agent.ended.then((end) => life.alive && this.#ended(end));
  }

  #again(why: string): void {
    this.world.note(this.name, why);
    this.restart();
  }

  /** An agent that must not go on is right if its journal was put back, and then gets the newest. */
  #ended({ kind, message }: LinkEnd): void {
    if (kind !== 'rolled-back' || this.#newest === undefined) {
      return this.world.violation(`${this.name} must not go on: ${message}`);
    }
    this.world.note(this.name, 'the agent noticed that its journal was put back');
    this.putRight();
  }

  /** Puts an older copy of the disk in its place, as a careless restore does. */
  putBack(copy: MemoryDisk): void {
    if (this.#newest !== undefined) return;
    this.crash();
    this.#newest = this.disk;
    this.disk = copy;
    this.start();
  }

  /** Puts the newest disk back. What was made under the copy and is not held is somebody else's then. */
  putRight(): void {
    if (this.#newest === undefined) return;
    this.crash();
    this.disk = this.#newest;
    this.#newest = undefined;
    for (const { uuid, parent, type } of this.kernel.devices()) {
      const holder = this.#parts.server.registry.holdOf(uuid)?.hold.claim.host;
      if (holder !== this.name) this.foreign.set(uuid, { parent, type });
    }
    this.restart();
  }

  /** Kills the agent where it stands. */
  crash(): void {
    if (this.#process === undefined) return;
    this.world.note(this.name, 'agent killed');
    this.#process.life.alive = false;
    this.#process.journal.crash();
    this.#process = undefined;
  }

  /** Asks the agent to stop, and waits until it has. */
  async stop(): Promise<void> {
    const process = this.#process;
    if (process === undefined) return;
    this.world.note(this.name, 'agent told to stop');
    await process.agent.stop();
    if (this.#process !== process) return;
    this.crash();
  }

  reboot(): void {
    this.crash();
    this.world.note(this.name, 'machine reboots');
    this.kernel.reboot();
    this.foreign.clear();
  }

  /** Kills the agent, and starts it again some time later. */
  restart(): void {
    this.crash();
    this.world.after(this.world.between(1, 10_000), () => this.start());
  }

  #openJournal(life: Life): MemoryJournal {
    const { world, name, disk } = this;
    return openMemoryJournal({
      disk,
      journal: journalOf(name),
      host: name,
      machine: { machineId: name, product: null },
      software: 'sim',
      stamp: () => ({ time: world.wallAt(this.clockOffMs), boot: this.kernel.bootId }),
      schedule: (commit) => this.#schedule(life, commit),
      onCommit: (records) => this.#committed(records),
    });
  }

  #committed(records: number): void {
    const { tail, positions, devices } = this.disk.projections();
    this.commits += 1;
    this.world.stirred = true;
    const { desired, command, forwarded } = positions;
    const at = `desired ${desired?.epoch}/${desired?.sequence}, command ${command?.epoch}/${command?.sequence}`;
    this.world.note(this.name, `commit up to ${tail.seq}, ${at}, forwarded ${forwarded}`);
    for (const { bytes, seq } of this.disk.read(tail.seq - records, records)) {
      const { fact } = decodeRecord(bytes);
      if (fact === null) continue;
      this.world.note(this.name, `record ${seq} ${JSON.stringify(fact)}`);
      if (this.isPutBack) continue;
      this.facts.durable(fact, 'uuid' in fact ? devices.get(fact.uuid) : undefined);
    }
  }

  /** Commits a moment later; the worst moments to be killed are just before that, and just after. */
  #schedule(life: Life, commit: () => void): void {
    const { world } = this;
    const fatal = (): boolean => world.trouble && world.chance(this.#parts.fatalCommits);
    mortalClock(world, life).after(world.random(), () => {
      if (fatal()) return this.restart();
      commit();
      if (fatal()) world.after(0, () => life.alive && this.restart());
    });
  }

  #ports(life: Life, journal: Journal): AgentPorts {
    const { world, wire } = this;
    const { server } = this.#parts;
    const clock = { ...mortalClock(world, life), wall: () => world.wallAt(this.clockOffMs) };
    const ifAlive = (told: () => void): void => void (life.alive && told());
    return {
      ...{ journal, clock },
      host: mortalHost({ world, name: this.name, kernel: this.watched.kernel }, life),
      random: world.random,
      streams: new WiredStreams(server, wire, life),
      registry: new WiredRegistry(server.registry, wire, life, {
        asks: (key, value) => ifAlive(() => this.#asks(key, value)),
        decides: (key, { kind }) => {
          const standing = server.registry.holdOf(key);
          if (kind === 'refused' && standing !== undefined) this.facts.refused(key, standing);
        },
      }),
      log: { debug() {}, info() {}, warn: () => {}, error: (fields) => ifAlive(() => this.#logged(fields)) },
    };
  }

  /** No UUID is asked for before the journal says that it may be; none is given back while its device stands. */
  #asks(key: string, value: Uint8Array | null): void {
    if (this.isPutBack)
      this.world.violation(`${this.name} writes ${key} in the registry from an older journal`);
    if (key.startsWith('host.') || key === 'fleet' || this.isPutBack) return;
    const reservation = this.disk.projections().devices.get(key)?.reservation;
    const isStray = value === null && this.#parts.server.registry.disputed.has(key);
    if (!reservation && !isStray)
      this.world.violation(`${this.name} writes ${key} in the registry before its journal knows`);
    const there = this.kernel.device(key);
    const ours = there?.parent === reservation?.claim.parent && there?.type === reservation?.claim.type;
    const stands = there !== undefined && ours && reservation?.phase !== 'claiming';
    if (value === null && stands)
      this.world.violation(`${this.name} gives ${key} back while its device stands`);
  }

  #logged(fields: object): void {
    if ('end' in fields) return;
    const text =
      'err' in fields && fields.err instanceof Error ? (fields.err.stack ?? '') : JSON.stringify(fields);
    this.world.violation(`${this.name}: an agent logged an error: ${text.split('\n').slice(0, 3).join(' ')}`);
  }
}
