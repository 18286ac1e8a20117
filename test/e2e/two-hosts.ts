/**
 * Two hosts of one fleet on a real server: simulated kernels that outlive the agents, which are processes.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'nats';
import { DEFAULT_PREFIX } from '../../events/subject.ts';
import { systemClock, systemRandom } from '../../reconciler/clock-system.ts';
import {
  type SimulatedKernelServer,
  serveSimulatedKernel,
} from '../../reconciler/simulated/host-sim-server.ts';
import type { SimulatedKernel } from '../../reconciler/simulated/kernel-sim.ts';
import { kernelConfig } from '../../reconciler/simulated/kernel-sim-config.ts';
import { type FleetPorts, openFleetPorts } from '../../src/agent/fleet-ports.ts';
import { SIMULATED_MACHINE } from '../../src/simulated.ts';
import { type NatsOptions, type RunningNats, startNats } from '../nats.ts';
import { mdevfleet } from '../src/cli/run.ts';
import { RunningAgent } from './running-agent.ts';
import { Witness } from './witness.ts';

const ANSWER_MS_MAX = 10_000;

export type HostName = 'host-a' | 'host-b';

export class TwoHosts {
  readonly dir: string;
  readonly server: RunningNats;
  readonly witness: Witness;
  readonly #fleet: FleetPorts;
  readonly #kernels: Readonly<Record<HostName, SimulatedKernelServer>>;
  readonly #agents = new Map<HostName, RunningAgent>();

  private constructor(
    dir: string,
    server: RunningNats,
    fleet: FleetPorts,
    kernels: Readonly<Record<HostName, SimulatedKernelServer>>,
  ) {
    this.dir = dir;
    this.server = server;
    this.#fleet = fleet;
    this.#kernels = kernels;
    this.witness = new Witness(fleet.streams.observed, DEFAULT_PREFIX);
  }

  /** A server on which `init` was run, and two machines without agents. */
  static async open(options: NatsOptions): Promise<TwoHosts> {
    const dir = mkdtempSync(join(tmpdir(), 'mdevfleet-e2e-'));
    const server = await startNats(options);
    const { status, stderr } = await mdevfleet(['init', '--nats', server.url]);
    if (status !== 0) throw new Error(`init ended with ${status}: ${stderr}`);
    const files = { creds: null, nkey: null, tlsCa: null, tlsCert: null, tlsKey: null };
    const address = {
      kind: 'nats',
      servers: [server.url],
      prefix: DEFAULT_PREFIX,
      timeoutMs: 5_000,
    } as const;
    const fleet = await openFleetPorts({ ...address, ...files }, 'the test');
    await fleet.reached;
    const kernels = {
      'host-a': await startKernel(dir, 'host-a'),
      'host-b': await startKernel(dir, 'host-b'),
    };
    return new TwoHosts(dir, server, fleet, kernels);
  }

  async close(): Promise<void> {
    for (const agent of this.#agents.values()) await agent.kill();
    await this.#fleet.close();
    for (const kernel of Object.values(this.#kernels)) await kernel.close();
    await this.server.stop();
    rmSync(this.dir, { recursive: true });
  }

  /** What an agent of the host is told. Each host has a data folder of its own, as on a machine of its own. */
  flags(host: HostName, data = this.dataOf(host)): readonly string[] {
    const simulated = `--simulate=${socketOf(this.dir, host)}`;
    return ['--host', host, '--data', data, simulated, '--nats', this.server.url];
  }

  dataOf(host: HostName): string {
    return join(this.dir, host);
  }

  async startAgent(host: HostName): Promise<RunningAgent> {
    const agent = await RunningAgent.start(this.flags(host));
    this.#agents.set(host, agent);
    return agent;
  }

  agent(host: HostName): RunningAgent {
    const agent = this.#agents.get(host);
    if (agent === undefined) throw new Error(`no agent of ${host} was started`);
    return agent;
  }

  kernel(host: HostName): SimulatedKernel {
    return this.#kernels[host].kernel;
  }

  /** UUIDs of the devices that the host's kernel has, sorted. */
  devices(host: HostName): readonly string[] {
    return this.kernel(host)
      .devices()
      .map(({ uuid }) => uuid)
      .sort();
  }

  /** Runs a verb on this fleet. Throws when it does not end well. */
  async run(verb: readonly string[], input = ''): Promise<void> {
    const { status, stderr } = await mdevfleet([...verb, '--nats', this.server.url], { input });
    if (status !== 0) throw new Error(`mdevfleet ${verb.join(' ')} ended with ${status}: ${stderr}`);
  }

  /** Publishes with a bare NATS client, which knows nothing of this project; resolves when the server has stored it. */
  async publish(subject: string, body: string): Promise<void> {
    const client = await connect({ servers: this.server.url });
    const answer = await client.request(subject, body, { timeout: ANSWER_MS_MAX });
    await client.close();
    if (!('seq' in answer.json<object>())) throw new Error(`publishing on ${subject}: ${answer.string()}`);
  }
}

function startKernel(dir: string, host: HostName): Promise<SimulatedKernelServer> {
  const config = kernelConfig.parse(SIMULATED_MACHINE);
  return serveSimulatedKernel({
    socket: socketOf(dir, host),
    config,
    clock: systemClock,
    random: systemRandom,
  });
}

function socketOf(dir: string, host: HostName): string {
  return join(dir, `${host}.sock`);
}
