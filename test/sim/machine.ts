/**
 * A simulated machine: a kernel and a disk, and the agent that runs on it, if one does.
 *
 * The agent is the production code on in-memory adapters. Killing it leaves the kernel as it
 * is and the disk at its last commit; a reboot leaves only the disk.
 */
import type { Fact } from '../../events/fact.ts';
import type { Streams } from '../../events/stream.ts';
import type { Host } from '../../reconciler/host.ts';
import { RECONCILER_LIMITS } from '../../reconciler/limits.ts';
import { createSimulatedHost } from '../../reconciler/simulated/host-sim.ts';
import { SimulatedKernel } from '../../reconciler/simulated/kernel-sim.ts';
import { kernelConfig } from '../../reconciler/simulated/kernel-sim-config.ts';
import { Agent, type AgentPorts } from '../../src/agent.ts';
import { LINK_LIMITS } from '../../src/link.ts';
import type { Journal } from '../../store/journal/journal.ts';
import { MemoryDisk, type MemoryJournal, openMemoryJournal } from '../../store/journal/journal-memory.ts';
import type { Registry } from '../../store/registry/registry.ts';
import { type Life, mortalCall, mortalClock } from './mortal.ts';
import { type Weather, Wire, WiredRegistry, WiredStreams } from './network.ts';
import { overriding } from './overriding.ts';
import type { World } from './world.ts';

export const PARENTS = ['gpu-0', 'gpu-1'] as const;
export const TYPES = ['sim-a', 'sim-b'] as const;
export const PREFIX = 'mdev';

/** The share of commits at which an agent is killed. */
const FATAL_COMMITS = 0.02;

/** Among so many last records a fact is looked for that was just reported. */
const RECENT_RECORDS = 64;

/** What a planted bug does to the ports of every agent. */
export type Bug = (ports: AgentPorts, machine: Machine) => AgentPorts;

export type Fleet = { readonly streams: Streams; readonly registry: Registry };

type Process = { readonly life: Life; readonly agent: Agent; readonly journal: MemoryJournal };

export class Machine {
  readonly name: string;
  readonly world: World;
  readonly wire: Wire;
  readonly kernel: SimulatedKernel;
  readonly disk = new MemoryDisk();
  /** UUIDs that somebody beside the agent has made here. */
  readonly foreign = new Set<string>();
  readonly #fleet: Fleet;
  readonly #bug: Bug;
  #process: Process | undefined;
  #lastBoot: string | undefined;
  #started = 0;

  constructor(world: World, name: string, fleet: Fleet, weather: Weather, bug: Bug) {
    this.world = world;
    this.name = name;
    this.#fleet = fleet;
    this.#bug = bug;
    this.wire = new Wire(world, name, weather);
    this.kernel = new SimulatedKernel({ config: config(), clock: world, random: world.random });
    this.kernel.onUevent((change) => world.note(name, `uevent ${JSON.stringify(change)}`));
  }

  get running(): boolean {
    return this.#process !== undefined;
  }

  get journal(): Journal | undefined {
    return this.#process?.journal;
  }

  /** Starts an agent on what the disk holds. */
  start(): void {
    if (this.#process !== undefined) return;
    this.#started += 1;
    const life: Life = { alive: true };
    const journal = this.#openJournal(life);
    const bootIsNew = this.#lastBoot !== undefined && this.#lastBoot !== this.kernel.bootId;
    this.#lastBoot = this.kernel.bootId;
    const limits = { ...RECONCILER_LIMITS, ...LINK_LIMITS, stopDeadlineMs: 5_000 };
    const options = { prefix: PREFIX, software: 'sim', kernel: 'sim', bootIsNew, limits };
    const ports = this.#bug(this.#ports(life, journal), this);
    const agent = new Agent({ ...ports, journal: this.#audited(ports.journal, life) }, options);
    this.#process = { life, agent, journal };
    this.world.note(this.name, `agent ${this.#started} starts at record ${journal.tail().seq}`);
    void agent.start();
    void agent.ended.then((end) => this.world.violation(`${this.name}: ${end.message}`));
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

  #openJournal(life: Life): MemoryJournal {
    const { world, name, disk } = this;
    return openMemoryJournal({
      disk,
      journal: `journal-of-${name}`,
      host: name,
      machine: { machineId: name, product: null },
      software: 'sim',
      stamp: () => ({ time: world.wall(), boot: this.kernel.bootId }),
      schedule: (commit) => this.#schedule(life, commit),
      onCommit: (records) =>
        world.note(name, `commit ${records} records, tail ${JSON.stringify(disk.projections().tail)}`),
    });
  }

  /** Commits a moment later; the worst moments to be killed are just before that, and just after. */
  #schedule(life: Life, commit: () => void): void {
    const { world } = this;
    const fatal = (): boolean => world.trouble && world.chance(FATAL_COMMITS);
    mortalClock(world, life).after(world.random(), () => {
      if (fatal()) return this.restart();
      commit();
      if (fatal()) world.after(0, () => life.alive && this.restart());
    });
  }

  /** Kills the agent, and starts it again some time later. */
  restart(): void {
    this.crash();
    this.world.after(this.world.between(1, 10_000), () => this.start());
  }

  #ports(life: Life, journal: Journal): AgentPorts {
    const { world } = this;
    const clock = mortalClock(world, life);
    const host = this.#mortalHost(life);
    return {
      ...{ journal, host, clock },
      random: world.random,
      streams: new WiredStreams(this.#fleet.streams, this.wire, life),
      registry: new WiredRegistry(this.#fleet.registry, this.wire, life),
      log: { debug() {}, info() {}, warn: () => {}, error: (fields) => this.#logged(fields) },
    };
  }

  /** What an agent is told is durable must be on the disk. */
  #audited(journal: Journal, life: Life): Journal {
    return overriding(journal, {
      append: async (append) => {
        const result = await journal.append(append);
        if (life.alive && result.kind === 'durable') for (const fact of append.facts) this.#auditFact(fact);
        return result;
      },
    });
  }

  #auditFact(fact: Fact): void {
    const text = JSON.stringify(fact).slice(1, -1);
    const { seq } = this.disk.projections().tail;
    const recent = this.disk.read(Math.max(0, seq - RECENT_RECORDS), RECENT_RECORDS);
    const there = recent.some(({ bytes }) => new TextDecoder().decode(bytes).includes(text));
    if (!there) this.world.violation(`${this.name} was told that a fact is durable, but it is not: ${text}`);
  }

  #logged(fields: object): void {
    const text =
      'err' in fields && fields.err instanceof Error ? (fields.err.stack ?? '') : JSON.stringify(fields);
    this.world.violation(`${this.name}: an agent logged an error: ${text.split('\n').slice(0, 3).join(' ')}`);
  }

  #mortalHost(life: Life): Host {
    const { world, kernel, name } = this;
    const host = createSimulatedHost({ kernel, clock: mortalClock(world, life) });
    const act = <T>(what: string, call: () => Promise<T>): Promise<T> =>
      mortalCall(life, async () => {
        const answer = await call();
        world.note(name, `${what}: ${JSON.stringify(answer)}`);
        return answer;
      });
    return {
      observe: (uuid, look) => mortalCall(life, () => host.observe(uuid, look)),
      survey: () => mortalCall(life, () => host.survey()),
      create: (uuid, place) => act(`create ${uuid}`, () => host.create(uuid, place)),
      remove: (uuid, place) => act(`remove ${uuid}`, () => this.#watchedRemove(host, uuid, place)),
      setAttribute: (uuid, place, one) =>
        act(`set ${uuid} ${one.name}`, () => host.setAttribute(uuid, place, one)),
      onChange: (listener) =>
        host.onChange((change) => {
          if (life.alive) world.after(world.random() * 2, () => life.alive && listener(change));
        }),
      close: () => host.close(),
    };
  }

  /** Whatever an agent's reasons are: it removes only what its journal holds, where it holds it. */
  #watchedRemove(host: Host, uuid: string, place: Parameters<Host['remove']>[1]): ReturnType<Host['remove']> {
    const held = this.disk.projections().devices.get(uuid)?.reservation;
    const there = this.kernel.device(uuid);
    const ours = held?.claim.parent === place.parent && held.claim.type === place.type;
    if (!ours)
      this.world.violation(`${this.name} removes ${uuid} at ${place.parent}, which it does not hold`);
    if (there?.held && ours) this.world.note(this.name, `asked to remove ${uuid} while it is in use`);
    return host.remove(uuid, place);
  }
}

/** Two parents, whose two types draw on one pool each. */
function config() {
  return kernelConfig.parse({
    reserveMs: [0, 3],
    probeMs: [0, 30],
    removeMs: [0, 30],
    parents: PARENTS.map((name) => ({
      name,
      units: 6,
      types: [
        { name: 'sim-a', units: 1, attributes: [{ name: 'rate', accepts: '^[0-9]+$' }] },
        { name: 'sim-b', units: 2 },
      ],
    })),
  });
}
