/**
 * A simulated machine: a kernel and a disk, and the agent that runs on it, if one does.
 *
 * The agent is the production code on in-memory adapters. Killing it leaves the kernel as it
 * is and the disk at its last commit; a reboot leaves only the disk.
 */
import type { Uuid } from '../../events/names.ts';
import { RECONCILER_LIMITS } from '../../reconciler/limits.ts';
import { SimulatedKernel } from '../../reconciler/simulated/kernel-sim.ts';
import { Agent, type AgentOptions, type AgentPorts } from '../../src/agent/agent.ts';
import { LINK_LIMITS, type LinkEnd } from '../../src/agent/link.ts';
import { MemoryDisk, type MemoryJournal } from '../../store/journal/journal-memory.ts';
import { auditedJournal } from './audited-journal.ts';
import { diskMadeAgain } from './disk-made-again.ts';
import { MACHINE_CONFIG, PREFIX, type SimPlace } from './inventory.ts';
import { agentPorts } from './machine-ports.ts';
import type { Life } from './mortal.ts';
import { openMortalJournal } from './mortal-journal.ts';
import type { Published } from './published.ts';
import { journalOf, recordOf } from './records.ts';
import type { Server } from './server.ts';
import { Sightings } from './sightings.ts';
import { FactWatch } from './watched-facts.ts';
import { WatchedKernel } from './watched-kernel.ts';
import { type Weather, Wire } from './wire.ts';
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
  /** True for a machine that has the host id of another. */
  readonly isClone?: boolean;
};

type Process = { readonly life: Life; readonly agent: Agent; readonly journal: MemoryJournal };

export class Machine {
  readonly name: string;
  readonly world: World;
  readonly wire: Wire;
  readonly kernel: SimulatedKernel;
  readonly watched: WatchedKernel;
  facts: FactWatch;
  disk = new MemoryDisk();
  /** Devices that somebody beside the agent has made here, by UUID. */
  readonly foreign = new Map<Uuid, SimPlace>();
  /** Devices to which somebody beside the agent has written. */
  readonly meddled = new Set<Uuid>();
  /** How far the machine's wall clock is off. */
  clockOffMs = 0;
  /** UUIDs of which a journal that was made again may not know the last. */
  readonly unproved = new Set<Uuid>();
  /** True while an operator has taken the word from the host. */
  isForgotten = false;
  /** Durable commits so far. */
  commits = 0;
  /** The newest disk, while an older copy of it is in its place. */
  #newest: MemoryDisk | undefined;
  /** True while a journal that was begun instead of the host's own, which is lost, is in its place. */
  #isLost = false;
  #begun = 0;
  readonly #sightings: Sightings;
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
    this.#sightings = new Sightings(this.kernel, world);
    const { registry } = server;
    this.watched = new WatchedKernel({
      ...{ world, name, kernel: this.kernel, registry },
      held: (uuid) => this.disk.projections().devices.get(uuid)?.reservation,
      isForeign: (uuid) => this.foreign.has(uuid),
      isExcused: () => this.isPutBack,
      pausedSinceMs: () => this.facts.pausedSinceMs,
      cordonedSinceMs: (parent) => this.facts.cordonedSinceMs(parent),
    });
    this.facts = this.#watchFacts(published);
    this.kernel.onUevent((change) => {
      world.stirred = true;
      world.note(name, `uevent ${JSON.stringify(change)}`);
      if (change.kind !== 'device') return;
      this.#sightings.note(change.uuid);
      if (this.kernel.device(change.uuid) !== undefined) return;
      this.foreign.delete(change.uuid);
      this.meddled.delete(change.uuid);
    });
  }

  #watchFacts(published: Published): FactWatch {
    const { world, name } = this;
    return new FactWatch({
      ...{ world, name, server: this.#parts.server, published },
      wasElsewhere: (uuid, claim, withinMs) => this.#sightings.wasElsewhere(uuid, claim, withinMs),
      wasMadeHere: (uuid) => this.watched.made.has(uuid),
      isIncomplete: (uuid) => this.kernel.device(uuid)?.phase === 'incomplete',
      mayLack: (uuid) => this.unproved.has(uuid),
    });
  }

  get running(): boolean {
    return this.#process !== undefined;
  }

  /** True while an agent runs here that has proved that it speaks for the host. */
  get isReached(): boolean {
    return this.#process?.agent.status.reached === true;
  }

  /** True while the disk is an older copy of what it was. */
  get isPutBack(): boolean {
    return this.#newest !== undefined;
  }

  /** True while another journal than this speaks for the host. */
  get isStranger(): boolean {
    return this.#isLost || this.#parts.isClone === true;
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
    const { ports, options } = this.#parts.bug(
      { ports: agentPorts(this, this.#parts.server, life, journal), options: given },
      this,
    );
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
    if (!this.isStranger) this.restart();
  }

  /** An agent that must not go on is right if its journal was put back, and then gets the newest, or is a stranger's. */
  #ended({ kind, message }: LinkEnd): void {
    if (kind === 'overtaken' && (this.isStranger || this.isForgotten)) {
      this.world.note(this.name, `the agent noticed that it must not speak for the host: ${message}`);
      return this.crash();
    }
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
      const hold = this.#parts.server.registry.holdOf(uuid)?.hold;
      const isHeld = hold?.claim.host === this.name && hold.phase !== 'fenced';
      if (!isHeld) this.foreign.set(uuid, { parent, type });
    }
    this.restart();
  }

  /** Loses the disk, and begins an empty one. */
  loseDisk(): void {
    this.crash();
    this.world.note(this.name, 'its disk is lost');
    this.disk = new MemoryDisk();
    this.#isLost = true;
    this.#begun += 1;
    this.start();
  }

  /** Makes the journal again that was lost, as an operator does. */
  async rebuild(): Promise<void> {
    const { server, published } = this.#parts;
    this.crash();
    const disk = await diskMadeAgain(this.name, journalOf(this.name), server.observed);
    this.world.note(this.name, `its journal is made again, up to record ${disk.projections().tail.seq}`);
    this.disk = disk;
    this.#isLost = false;
    for (const uuid of disk.projections().devices.keys()) this.unproved.add(uuid);
    this.facts = this.#watchFacts(published);
    this.facts.learn(disk);
    this.start();
  }

  /** Another machine with the same host id, and perhaps a copy of the disk. */
  clone(copy: MemoryDisk | undefined): Machine {
    const clone = new Machine({ ...this.#parts, isClone: true });
    clone.disk = copy ?? clone.disk;
    return clone;
  }

  /** Kills the agent where it stands. */
  crash(): void {
    if (this.#process === undefined) return;
    this.world.note(this.name, 'agent killed');
    this.#process.life.alive = false;
    this.#process.journal.crash();
    this.#process = undefined;
  }

  /** Asks the agent to stop. */
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
    const { isClone = false, fatalCommits } = this.#parts;
    return openMortalJournal(this, life, {
      journal: this.isStranger ? `journal-begun-${this.#begun}-times-on-${this.name}` : journalOf(this.name),
      machine: { machineId: isClone ? `clone of ${this.name}` : this.name, product: null },
      fatalCommits,
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
    for (const record of this.disk.read(tail.seq - records, records)) {
      const { fact } = recordOf(record);
      if (fact === null) continue;
      this.world.note(this.name, `record ${record.seq} ${JSON.stringify(fact)}`);
      if (this.isPutBack || this.isStranger) continue;
      this.facts.durable(fact, 'uuid' in fact ? devices.get(fact.uuid) : undefined);
    }
  }
}
