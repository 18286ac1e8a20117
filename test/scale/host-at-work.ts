/**
 * One host of a large fleet in this process: the production agent with real NATS ports, over a simulated kernel and
 * a journal in memory.
 */
import type { Fact } from '../../events/fact.ts';
import type { HostId, Uuid } from '../../events/names.ts';
import { decodeRecord } from '../../events/record.ts';
import type { Row } from '../../events/row.ts';
import { DEFAULT_PREFIX } from '../../events/subject.ts';
import { systemClock, systemRandom } from '../../reconciler/clock-system.ts';
import { RECONCILER_LIMITS } from '../../reconciler/limits.ts';
import { createSimulatedHost } from '../../reconciler/simulated/host-sim.ts';
import { SimulatedKernel } from '../../reconciler/simulated/kernel-sim.ts';
import { kernelConfig } from '../../reconciler/simulated/kernel-sim-config.ts';
import { Agent } from '../../src/agent/agent.ts';
import { type FleetPorts, openFleetPorts } from '../../src/agent/fleet-ports.ts';
import { LINK_LIMITS } from '../../src/agent/link.ts';
import { newId } from '../../src/ids.ts';
import type { AgentLimits } from '../../src/limits.ts';
import { MemoryDisk, type MemoryJournal, openMemoryJournal } from '../../store/journal/journal-memory.ts';
import { type Registry, RegistryUnavailable, type Written } from '../../store/registry/registry.ts';
import { rowsOf } from '../../store/rows.ts';
import { overriding } from '../sim/overriding.ts';

export const PLACE = { parent: 'gpu', type: 'vgpu' } as const;
const UNITS = 100_000;
const TIMEOUT_MS = 5_000;
/** Nobody was here before whose return would have to be waited for. */
const GRACE_MS = 100;

export const LIMITS: AgentLimits = {
  ...RECONCILER_LIMITS,
  ...LINK_LIMITS,
  takeGraceMs: GRACE_MS,
  stopDeadlineMs: 10_000,
};

/** The fleet as a program reaches it that comes in through these servers. */
export function fleetAt(
  servers: readonly string[],
  name: string,
  timeoutMs = TIMEOUT_MS,
): Promise<FleetPorts> {
  const files = { creds: null, nkey: null, tlsCa: null, tlsCert: null, tlsKey: null };
  return openFleetPorts({ kind: 'nats', servers, prefix: DEFAULT_PREFIX, timeoutMs, ...files }, name);
}

export class HostAtWork {
  readonly host: HostId;
  readonly kernel = new SimulatedKernel({
    config: kernelConfig.parse({
      parents: [{ name: PLACE.parent, units: UNITS, types: [{ name: PLACE.type }] }],
    }),
    clock: systemClock,
    random: systemRandom,
  });
  /** Every UUID of which the kernel ever had a device, complete or not. */
  readonly touched = new Set<Uuid>();
  /** How often the registry answered that another write of the key was in flight. */
  inFlight = 0;
  readonly #journal: MemoryJournal;
  readonly #fleet: FleetPorts;
  readonly #agent: Agent;

  private constructor(host: HostId, fleet: FleetPorts, limits: AgentLimits) {
    this.host = host;
    this.#fleet = fleet;
    this.#journal = openJournal(host);
    this.kernel.onUevent((change) => {
      if (change.kind === 'device') this.touched.add(change.uuid);
    });
    const simulated = createSimulatedHost({ kernel: this.kernel, clock: systemClock });
    const ports = { streams: fleet.streams, registry: this.#counted(fleet.registry), host: simulated };
    const nobody = (): void => undefined;
    const log = { debug: nobody, info: nobody, warn: nobody, error: nobody };
    const about = { prefix: DEFAULT_PREFIX, software: 'test', kernel: 'simulated', bootIsNew: false, limits };
    const time = { clock: systemClock, random: systemRandom };
    this.#agent = new Agent({ ...ports, ...time, journal: this.#journal, log }, about);
  }

  /** Starts the agent; resolves when it may take UUIDs soon. */
  static async start(host: HostId, servers: readonly string[], limits = LIMITS): Promise<HostAtWork> {
    const fleet = await fleetAt(servers, host);
    const made = new HostAtWork(host, fleet, limits);
    await fleet.reached;
    await made.#agent.start();
    return made;
  }

  /** True once the agent speaks for its host. */
  get isReached(): boolean {
    return this.#agent.status.reached;
  }

  /** What the host says of the UUID; undefined before it has heard of it. */
  row(uuid: Uuid): Row | undefined {
    return rowsOf(this.#journal.device(uuid))[0];
  }

  /** Everything that the host has recorded. */
  facts(): readonly Fact[] {
    const records = this.#journal.read(0, Number.MAX_SAFE_INTEGER);
    return records.map(({ bytes }) => decodeRecord(bytes).fact).filter((one) => one !== null);
  }

  async stop(): Promise<void> {
    await this.#agent.stop();
    await this.#fleet.close();
    await this.#journal.close();
  }

  #counted(registry: Registry): Registry {
    const count = (written: Written): Written => {
      const isInFlight = written.kind === 'unknown' && !(written.cause instanceof RegistryUnavailable);
      if (isInFlight) this.inFlight += 1;
      return written;
    };
    return overriding(registry, {
      write: async (...write) => count(await registry.write(...write)),
      erase: async (...erase) => count(await registry.erase(...erase)),
    });
  }
}

function openJournal(host: HostId): MemoryJournal {
  return openMemoryJournal({
    disk: new MemoryDisk(),
    journal: newId(),
    host,
    machine: { machineId: `machine-of-${host}`, product: null },
    software: 'test',
    stamp: () => ({ time: systemClock.wall(), boot: 'the-boot' }),
    schedule: (commit) => void setImmediate(commit),
  });
}
