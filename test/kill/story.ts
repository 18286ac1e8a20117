/**
 * The scenario: everything that an agent can do is done, in an order in which each step needs the one before,
 * whoever dies in between.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeCommand, encodeDeclaration } from '../../events/codec.ts';
import type { Declaration, EventMeta } from '../../events/declaration.ts';
import type { Outgoing, Stream } from '../../events/stream.ts';
import { formatSubject } from '../../events/subject.ts';
import { systemClock, systemRandom } from '../../reconciler/clock-system.ts';
import {
  type SimulatedKernelServer,
  serveSimulatedKernel,
} from '../../reconciler/simulated/host-sim-server.ts';
import { kernelConfig } from '../../reconciler/simulated/kernel-sim-config.ts';
import type { FleetAddress } from '../../src/config.ts';
import { type FleetPorts, openFleetPorts } from '../../src/fleet-ports.ts';
import { take } from '../../store/registry/reserve.ts';
import { type Seen, Witness } from '../e2e/witness.ts';
import {
  DECLARED,
  DRIFTING,
  DUPLICATE,
  FOREIGN,
  FOREIGN_PLACE,
  HOST,
  MACHINE,
  REFUSED,
  REPLACED,
  REPLACEMENT,
  RIVAL_CLAIM,
  UNREADABLE,
  WAITING,
  WITHDRAWN,
} from './cast.ts';
import { Keeper } from './keeper.ts';
import type { Point } from './points.ts';

const EIO = 5;
const JUNK = new TextEncoder().encode('{"specversion":');

export class Story {
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
      flags: { host: HOST, data: dir, simulate: socketIn(dir), prefix: this.prefix, ...nats },
      onDeath: async () => {
        await this.witness.look();
        this.witnessed = [...this.witness.facts];
      },
      onFailure: (failure) => this.witness.fail(failure),
    });
  }

  /** A machine and a fleet of their own; the kernel is in this process and outlives the agent. */
  static async open(addressIn: (dir: string) => FleetAddress): Promise<Story> {
    const dir = mkdtempSync(join(tmpdir(), 'mdevfleet-kill-'));
    const config = kernelConfig.parse(MACHINE);
    const parts = { clock: systemClock, random: systemRandom };
    const kernel = await serveSimulatedKernel({ socket: socketIn(dir), config, ...parts });
    const address = addressIn(dir);
    const fleet = await openFleetPorts(address, 'the test');
    await fleet.reached;
    return new Story(dir, address, fleet, kernel);
  }

  async close(): Promise<void> {
    await this.keeper.close();
    await this.fleet.close();
    await this.kernel.close();
    rmSync(this.dir, { recursive: true });
  }

  async play(point: Point | null): Promise<void> {
    await this.#prepare();
    this.keeper.start(point);
    await this.#devicesAppear();
    await this.#thingsHappen();
    await this.#calmReturns();
    await this.#end();
  }

  /** What is there before the agent: somebody's device, another host's hold, and declarations. */
  async #prepare(): Promise<void> {
    await this.kernel.kernel.create(FOREIGN, FOREIGN_PLACE);
    const generation = { epoch: 1, sequence: 1 };
    const wish = { claim: RIVAL_CLAIM, generation, incarnation: 1, replaces: null };
    await take(this.fleet.registry, DUPLICATE, wish);
    for (const data of DECLARED) await this.#declare({ desired: 'present', event: this.#event(), data });
  }

  async #devicesAppear(): Promise<void> {
    const { witness } = this;
    for (const uuid of [DRIFTING, WITHDRAWN, REPLACED, UNREADABLE])
      await witness.untilState(HOST, uuid, 'ready');
    await witness.untilState(HOST, DUPLICATE, 'conflict');
    await witness.untilState(HOST, REFUSED, 'failed');
    await witness.untilState(HOST, WAITING, 'waiting', { reason: 'ParentAbsent' });
    await witness.untilFact(HOST, 'unmanaged', { uuid: FOREIGN });
  }

  async #thingsHappen(): Promise<void> {
    const { witness, kernel } = this;
    kernel.kernel.readErrno = (uuid) => (uuid === UNREADABLE ? EIO : null);
    await kernel.kernel.remove(DRIFTING);
    await kernel.kernel.plug('late');
    await this.#declare({ desired: 'absent', event: this.#event(), data: { uuid: WITHDRAWN, host: HOST } });
    await this.#declare({ desired: 'present', event: this.#event(), data: REPLACEMENT });
    await this.#repeatTheFirst();
    await this.#publish('desired', '_', JUNK);
    await this.#publishUnknown();
    await this.#retry(UNREADABLE);
    await witness.untilFact(HOST, 'drift', { uuid: DRIFTING });
    await witness.untilFact(HOST, 'gone', { uuid: WITHDRAWN });
    await witness.untilState(HOST, REPLACED, 'ready', { type: REPLACEMENT.type });
    await witness.untilState(HOST, UNREADABLE, 'waiting', { reason: 'HostUnreadable' });
    for (const uuid of [DRIFTING, WAITING]) await witness.untilState(HOST, uuid, 'ready');
    for (const kind of ['rejected', 'unsupported'] as const) await witness.untilFact(HOST, kind);
  }

  async #calmReturns(): Promise<void> {
    this.kernel.kernel.readErrno = () => null;
    await this.witness.untilState(HOST, UNREADABLE, 'ready');
  }

  /** The agent is told to stop; should it be killed over that, its successor is. */
  async #end(): Promise<void> {
    while (!this.keeper.stopped) {
      const { length } = this.witnessed;
      if (length > 0) await this.witness.untilFact(HOST, 'incarnated', { since: length });
      await this.keeper.stop();
    }
  }

  #event(): EventMeta {
    this.#events += 1;
    return { id: `event-${this.#events}`, source: 'the-test', time: systemClock.wall() };
  }

  #declare(declaration: Declaration): Promise<void> {
    return store(this.fleet.streams.desired, encodeDeclaration(this.prefix, declaration));
  }

  #retry(uuid: string): Promise<void> {
    const command = { command: 'retry', event: this.#event(), data: { host: HOST, uuid } } as const;
    return store(this.fleet.streams.command, encodeCommand(this.prefix, command));
  }

  /** An event that its publisher sends again, long after: another message, the same event. */
  async #repeatTheFirst(): Promise<void> {
    const first = await this.fleet.streams.desired.at(1);
    if (first === undefined) throw new Error('nothing was declared');
    await store(this.fleet.streams.desired, { ...first, id: 'the same once more' });
  }

  async #publishUnknown(): Promise<void> {
    const type = 'io.mdevfleet.device.blessed.v9';
    const body = { specversion: '1.0', ...this.#event(), type, subject: HOST, data: {} };
    await this.#publish('desired', FOREIGN, new TextEncoder().encode(JSON.stringify(body)));
  }

  #publish(kind: 'desired', uuid: string, data: Uint8Array): Promise<void> {
    const subject = formatSubject(this.prefix, { kind, host: HOST, uuid: uuid === '_' ? null : uuid });
    this.#events += 1;
    return store(this.fleet.streams[kind], { subject, id: `message-${this.#events}`, data });
  }
}

async function store(stream: Stream, { subject, id, data }: Outgoing): Promise<void> {
  const answer = await stream.append({ subject, id, data });
  if (answer.kind !== 'stored') throw new Error(`publishing on ${subject}: ${answer.kind}`);
}

function socketIn(dir: string): string {
  return join(dir, 'kernel.sock');
}
