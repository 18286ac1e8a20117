/**
 * A soak: agents in several processes on three real servers, with simulated kernels, while processes and servers are
 * killed with -9 at random and devices vanish. No UUID may be on two hosts at any moment; when the faults stop, every
 * device is as it was last declared, and the observed stream says what the journals say.
 */
import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HostId } from '../../events/names.ts';
import { DEFAULT_PREFIX } from '../../events/subject.ts';
import { sleep } from '../../reconciler/clock.ts';
import { systemClock, systemRandom } from '../../reconciler/clock-system.ts';
import type { FleetPorts } from '../../src/agent/fleet-ports.ts';
import { verifyJournal } from '../../store/journal/verify.ts';
import { hashesOf, withJournal } from '../e2e/journal-on-disk.ts';
import { type Program, startProgram } from '../e2e/program.ts';
import { Witness, withoutRepeats } from '../e2e/witness.ts';
import { type FleetServer, startFleetServer } from '../scale/fleet-server.ts';
import { fleetAt } from '../scale/host-at-work.ts';
import { Machines } from './machines.ts';
import { RegistryWatch } from './registry-watch.ts';
import { type Unmet, Wishes } from './wishes.ts';

const WORKER = join(import.meta.dirname, 'worker.ts');
const CHURN_EVERY_MS = 100;
const FAULT_EVERY_MS = 3_000;
const DEAD_MS_MAX = 3_000;
const LOOK_EVERY_MS = 500;
const START_MS_MAX = 180_000;
const SETTLE_MS_MAX = 60_000;
/** Facts about a device that did not settle, in an error. */
const STORY_MAX = 60;

export type SoakSize = {
  readonly agents: number;
  readonly processes: number;
  readonly devices: number;
  readonly faultsMs: number;
};

export type SoakResult = {
  readonly kills: Readonly<Record<'agents' | 'servers' | 'devices', number>>;
  readonly declarations: number;
  readonly registryWrites: number;
  readonly facts: number;
  /** From the last fault until everything was as declared. */
  readonly settledMs: number;
};

/** Runs it. Throws when anything is not as it must be. */
export async function soak(size: SoakSize): Promise<SoakResult> {
  const folder = await mkdtemp(join(tmpdir(), 'mdevfleet-soak-'));
  const server = await startFleetServer(3);
  const hosts = Array.from({ length: size.agents }, (_, at) => `host-${at}`);
  const machines = await Machines.start(folder, hosts);
  const watch = await RegistryWatch.start(server.urls);
  const fleet = await fleetAt(server.urls, 'soak');
  await fleet.reached;
  const run = new Soak(size, folder, hosts, server, machines, fleet);
  try {
    const { settledMs, declarations } = await run.live();
    const facts = await run.compareJournals();
    assert.deepEqual([...machines.violations, ...watch.violations], []);
    return { kills: run.kills, declarations, registryWrites: watch.seen, facts, settledMs };
  } finally {
    await run.end('SIGKILL');
    await Promise.all([watch.close(), fleet.close(), machines.close()]);
    await server.stop();
    await rm(folder, { recursive: true });
  }
}

class Soak {
  readonly kills = { agents: 0, servers: 0, devices: 0 };
  readonly #size: SoakSize;
  readonly #folder: string;
  readonly #hosts: readonly HostId[];
  readonly #server: FleetServer;
  readonly #machines: Machines;
  readonly #fleet: FleetPorts;
  readonly #wishes: Wishes;
  readonly #workers: Program[] = [];

  constructor(
    size: SoakSize,
    folder: string,
    hosts: readonly HostId[],
    server: FleetServer,
    machines: Machines,
    fleet: FleetPorts,
  ) {
    this.#size = size;
    this.#folder = folder;
    this.#hosts = hosts;
    this.#server = server;
    this.#machines = machines;
    this.#fleet = fleet;
    this.#wishes = new Wishes(fleet.streams.desired, hosts, size.devices);
  }

  /** Declares everything, changes and breaks things for as long as it was told, and waits until all is settled. */
  async live(): Promise<Pick<SoakResult, 'settledMs' | 'declarations'>> {
    await this.#wishes.declareAll();
    await Promise.all(Array.from({ length: this.#size.processes }, (_, index) => this.#startWorker(index)));
    await this.#settled(START_MS_MAX);
    const endMs = systemClock.monotonicMs() + this.#size.faultsMs;
    await Promise.all([this.#churn(endMs), this.#break(endMs)]);
    const lastFaultMs = systemClock.monotonicMs();
    await this.#settled(SETTLE_MS_MAX);
    return { settledMs: systemClock.monotonicMs() - lastFaultMs, declarations: this.#wishes.published };
  }

  /** Ends the agents; each journal is whole, and the stream has the same, freed of repeats. Answers how many facts. */
  async compareJournals(): Promise<number> {
    await this.end('SIGTERM');
    const witness = await this.#witness();
    for (const host of this.#hosts) {
      const seen = withoutRepeats(witness.facts, host).map(({ seq, hash }) => ({ seq, hash }));
      await withJournal(join(this.#folder, host), host, (storage) => {
        assert.equal(verifyJournal(storage).kind, 'sound');
        assert.deepEqual(seen, hashesOf(storage), `the stream does not have what the journal of ${host} has`);
      });
    }
    return witness.facts.length;
  }

  /** Has seen all that the leader has; a replica may be behind it. */
  async #witness(): Promise<Witness> {
    const { observed } = this.#fleet.streams;
    const { lastSequence } = await observed.info();
    const witness = new Witness(observed, DEFAULT_PREFIX);
    await witness.until(`record ${lastSequence}`, () => witness.position >= lastSequence || undefined);
    return witness;
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    await Promise.all(this.#workers.map((_, index) => this.#endWorker(index, signal)));
  }

  async #settled(withinMs: number): Promise<void> {
    const endMs = systemClock.monotonicMs() + withinMs;
    for (;;) {
      const unmet = this.#wishes.unmet(this.#machines);
      if (unmet.length === 0) return;
      if (systemClock.monotonicMs() > endMs) throw new Error(await this.#told(unmet));
      await sleep(systemClock, LOOK_EVERY_MS);
    }
  }

  /** What is not as declared, and all that was said of the first of it. */
  async #told(unmet: readonly Unmet[]): Promise<string> {
    const witness = await this.#witness();
    const names = unmet.slice(0, 5).map(({ uuid, kind, hosts }) => `${uuid} (${kind}, declared on ${hosts})`);
    const story = witness.facts
      .filter(({ fact }) => 'uuid' in fact && fact.uuid === unmet[0]?.uuid)
      .slice(-STORY_MAX)
      .map(({ host, seq, fact }) => `${host} ${seq} ${JSON.stringify(fact)}`);
    return [`${unmet.length} devices are not as declared, first ${names}`, ...story].join('\n');
  }

  async #churn(endMs: number): Promise<void> {
    while (systemClock.monotonicMs() < endMs) {
      await this.#wishes.change();
      await sleep(systemClock, CHURN_EVERY_MS);
    }
  }

  async #break(endMs: number): Promise<void> {
    while (systemClock.monotonicMs() < endMs) {
      await this.#fault();
      await sleep(systemClock, FAULT_EVERY_MS * systemRandom());
    }
  }

  async #fault(): Promise<void> {
    const chosen = systemRandom();
    const deadMs = DEAD_MS_MAX * systemRandom();
    if (chosen < 0.4) {
      const index = Math.floor(systemRandom() * this.#workers.length);
      this.kills.agents += 1;
      await this.#endWorker(index, 'SIGKILL');
      await sleep(systemClock, deadMs);
      await this.#startWorker(index);
    } else if (chosen < 0.7) {
      const server = this.#server.servers[Math.floor(systemRandom() * this.#server.servers.length)];
      this.kills.servers += 1;
      await server?.kill('SIGKILL');
      await sleep(systemClock, deadMs);
      await server?.restart();
    } else {
      this.kills.devices += 1;
      await this.#wishes.removeOne(this.#machines);
    }
  }

  /** Resolves when its agents have started; those of one process are every n-th host. */
  #startWorker(index: number): Promise<void> {
    const hosts = this.#hosts.filter((_, at) => at % this.#size.processes === index);
    const said: string[] = [];
    return new Promise((resolve, reject) => {
      const args = [this.#folder, this.#server.urls.join(','), ...hosts];
      const worker = startProgram(WORKER, args, (line) => {
        said.push(line);
        if (line === 'ready') resolve();
        if (line.startsWith('ended')) this.#machines.violations.push(`an agent of ${hosts} gave up: ${line}`);
      });
      worker.once('close', () => reject(new Error(`a process of agents ended:\n${said.join('\n')}`)));
      this.#workers[index] = worker;
    });
  }

  async #endWorker(index: number, signal: NodeJS.Signals): Promise<void> {
    const worker = this.#workers[index];
    if (worker === undefined || worker.exitCode !== null || worker.signalCode !== null) return;
    const ended = once(worker, 'exit');
    worker.kill(signal);
    await ended;
  }
}
