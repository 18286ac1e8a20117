/**
 * Where the scenario plays: a machine and a fleet of their own, an agent that is kept running, somebody who watches,
 * and what anybody can do to them.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeCommand, encodeDeclaration } from '../../events/codec.ts';
import type { Command } from '../../events/command.ts';
import type { Declaration, EventMeta, PresentData } from '../../events/declaration.ts';
import type { Fact } from '../../events/fact.ts';
import type { Uuid } from '../../events/names.ts';
import type { Outgoing, Stream } from '../../events/stream.ts';
import { formatSubject } from '../../events/subject.ts';
import { systemClock, systemRandom } from '../../reconciler/clock-system.ts';
import {
  type SimulatedKernelServer,
  serveSimulatedKernel,
} from '../../reconciler/simulated/host-sim-server.ts';
import { kernelConfig } from '../../reconciler/simulated/kernel-sim-config.ts';
import { type FleetPorts, openFleetPorts } from '../../src/agent/fleet-ports.ts';
import type { FleetAddress } from '../../src/config.ts';
import type { RegistryKey } from '../../store/registry/registry.ts';
import { take } from '../../store/registry/reserve.ts';
import { type Seen, Witness } from '../e2e/witness.ts';
import { FOREIGN, HOST, MACHINE, RIVAL_CLAIM } from './cast.ts';
import { Keeper } from './keeper.ts';

const LOOK_MS = 100;
const FORWARD_PAUSE_MS = 10;

export class Stage {
  readonly dir: string;
  readonly prefix: string;
  readonly fleet: FleetPorts;
  readonly kernel: SimulatedKernelServer;
  readonly witness: Witness;
  readonly keeper: Keeper;
  /** What the stream had when the agent was killed. */
  witnessed: readonly Seen[] = [];
  #events = 0;

  private constructor(dir: string, address: FleetAddress, fleet: FleetPorts, kernel: SimulatedKernelServer) {
    this.dir = dir;
    this.prefix = address.prefix;
    this.fleet = fleet;
    this.kernel = kernel;
    this.witness = new Witness(fleet.streams.observed, this.prefix);
    const nats: Record<string, string> = address.kind === 'nats' ? { nats: address.servers.join(',') } : {};
    this.keeper = new Keeper({
      flags: {
        host: HOST,
        data: dir,
        simulate: socketIn(dir),
        prefix: this.prefix,
        config: limitsIn(dir),
        ...nats,
      },
      onDeath: async () => {
        await this.witness.look();
        this.witnessed = [...this.witness.facts];
      },
      onFailure: (failure) => this.witness.fail(failure),
    });
  }

  /** A machine and a fleet of their own; the kernel is in this process and outlives the agent. */
  static async open(addressIn: (dir: string) => FleetAddress): Promise<Stage> {
    const dir = mkdtempSync(join(tmpdir(), 'mdevfleet-kill-'));
    const config = kernelConfig.parse(MACHINE);
    const parts = { clock: systemClock, random: systemRandom };
    const kernel = await serveSimulatedKernel({ socket: socketIn(dir), config, ...parts });
    const address = addressIn(dir);
    const fleet = await openFleetPorts(address, 'the test');
    await fleet.reached;
    return new Stage(dir, address, fleet, kernel);
  }

  async close(): Promise<void> {
    await this.keeper.close();
    await this.fleet.close();
    await this.kernel.close();
    rmSync(this.dir, { recursive: true });
  }

  /** Of an event that nobody has published yet. */
  event(): EventMeta {
    this.#events += 1;
    return { id: `event-${this.#events}`, source: 'the-test', time: systemClock.wall() };
  }

  /** Waits until the host has reported such a fact. */
  untilRecorded(what: string, isIt: (fact: Fact) => boolean): Promise<Seen> {
    return this.witness.until(what, () => this.witness.facts.find(({ fact }) => isIt(fact)));
  }

  /** The other host takes the UUID. */
  async takeAsRival(uuid: Uuid): Promise<void> {
    const generation = { epoch: 1, sequence: 1 };
    const wish = { claim: RIVAL_CLAIM, generation, incarnation: 1, replaces: null };
    const taken = await take(this.fleet.registry, uuid, wish);
    if (taken.kind !== 'held') throw new Error(`taking ${uuid} for ${RIVAL_CLAIM.host}: ${taken.kind}`);
  }

  /** Erases a key of the registry; an agent that has just started may write the same one. */
  async erase(key: RegistryKey): Promise<void> {
    const { registry } = this.fleet;
    await this.witness.until(`${key} to be erased`, async () => {
      const revision = (await registry.read(key))?.revision ?? 0;
      return (await registry.erase(key, revision)).kind === 'written' ? true : undefined;
    });
  }

  withdraw(uuid: Uuid): Promise<void> {
    return this.#declare({ desired: 'absent', event: this.event(), data: { uuid, host: HOST } });
  }

  declarePresent(data: PresentData): Promise<void> {
    return this.#declare({ desired: 'present', event: this.event(), data });
  }

  #declare(declaration: Declaration): Promise<void> {
    return store(this.fleet.streams.desired, encodeDeclaration(this.prefix, declaration));
  }

  retry(uuid: Uuid): Promise<void> {
    return this.#tell({ command: 'retry', event: this.event(), data: { host: HOST, uuid } });
  }

  /** Publishes a command to the whole host. */
  steer(command: 'pause' | 'resume' | 'call'): Promise<void> {
    return this.#tell({ command, event: this.event(), data: { host: HOST } });
  }

  cordon(command: 'cordon' | 'uncordon', parent: string): Promise<void> {
    return this.#tell({ command, event: this.event(), data: { host: HOST, parent } });
  }

  #tell(command: Command): Promise<void> {
    return store(this.fleet.streams.command, encodeCommand(this.prefix, command));
  }

  /** An event that its publisher sends again, long after: another message, the same event. */
  async repeatTheFirst(): Promise<void> {
    const first = await this.fleet.streams.desired.at(1);
    if (first === undefined) throw new Error('nothing was declared');
    await store(this.fleet.streams.desired, { ...first, id: 'the same once more' });
  }

  async publishUnknown(): Promise<void> {
    const type = 'io.mdevfleet.device.blessed.v9';
    const body = { specversion: '1.0', ...this.event(), type, subject: HOST, data: {} };
    await this.#publish(FOREIGN, JSON.stringify(body));
  }

  publishJunk(): Promise<void> {
    return this.#publish(null, '{"specversion":');
  }

  #publish(uuid: Uuid | null, text: string): Promise<void> {
    const subject = formatSubject(this.prefix, { kind: 'desired', host: HOST, uuid });
    this.#events += 1;
    const data = new TextEncoder().encode(text);
    return store(this.fleet.streams.desired, { subject, id: `message-${this.#events}`, data });
  }
}

async function store(stream: Stream, { subject, id, data }: Outgoing): Promise<void> {
  const answer = await stream.append({ subject, id, data });
  if (answer.kind !== 'stored') throw new Error(`publishing on ${subject}: ${answer.kind}`);
}

/** The agent looks at the registry, and forwards, all the time, so that nobody waits for it to notice or to tell. */
function limitsIn(dir: string): string {
  const file = join(dir, 'config.json');
  const limits = { registryProveMs: LOOK_MS, registryHoldsMs: LOOK_MS, forwardPauseMs: FORWARD_PAUSE_MS };
  writeFileSync(file, JSON.stringify({ limits }));
  return file;
}

function socketIn(dir: string): string {
  return join(dir, 'kernel.sock');
}
