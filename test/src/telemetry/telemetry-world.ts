/**
 * An agent on one machine in memory, with its metrics and health, and the fleet that declares.
 */
import { encodeDeclaration } from '../../../events/codec.ts';
import type { Streams } from '../../../events/stream.ts';
import { createMemoryStreams } from '../../../events/stream-memory.ts';
import { RECONCILER_LIMITS } from '../../../reconciler/limits.ts';
import { Agent, type AgentPorts } from '../../../src/agent/agent.ts';
import { LINK_LIMITS } from '../../../src/agent/link.ts';
import { Telemetry } from '../../../src/telemetry/telemetry.ts';
import { HOST, PLACE, UUID, World } from '../../reconciler/pass-world.ts';
import { overriding } from '../../sim/overriding.ts';

const LIMITS = { ...RECONCILER_LIMITS, ...LINK_LIMITS, stopDeadlineMs: 5_000 };
export const DEADLINES = { writeDeadlineMs: 10_000, hookDeadlineMs: 10_000, natsTimeoutMs: 5_000 };

type Line = { readonly level: string; readonly message: string };

export class TelemetryWorld {
  readonly world: World;
  readonly streams: Streams;
  readonly lines: Line[] = [];
  readonly telemetry: Telemetry;
  readonly agent: Agent;
  #connection: (state: 'up' | 'down') => void = () => undefined;
  #published = 0;

  /** Without streams the fleet has declared nothing yet. */
  constructor(world = new World(), streams?: Streams) {
    this.world = world;
    this.streams = streams ?? createMemoryStreams({ now: () => world.clock.wall() });
    const ports = this.#ports();
    const space = () => ({ sizeBytes: 4096, freeBytes: 8192 });
    this.telemetry = new Telemetry({ ports, deadlines: DEADLINES, software: 'mdevfleet 1.2.3', space });
    const given = { prefix: 'mdev', software: 'test', kernel: 'test', bootIsNew: false, limits: LIMITS };
    this.agent = new Agent(this.telemetry.ports, given);
  }

  #ports(): AgentPorts {
    const { clock, journal, registry, acting } = this.world;
    const streams = overriding(this.streams, {
      onConnection: (listener) => {
        this.#connection = listener;
        return () => undefined;
      },
    });
    const say = (level: string) => (_fields: object, message: string) =>
      void this.lines.push({ level, message });
    const log = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
    return { journal, streams, registry, host: acting.host, clock, random: () => 0.5, log };
  }

  /** Starts the agent and has it reach the fleet, and as much time pass as it needs to take UUIDs. */
  async start(): Promise<void> {
    await this.world.clock.until(this.agent.start());
    this.connection('up');
    await this.world.clock.advance(LIMITS.takeGraceMs + 1_000);
  }

  connection(state: 'up' | 'down'): void {
    this.#connection(state);
  }

  /** Publishes a declaration of a device that is to be there, or of none. */
  async declare(desired: 'present' | 'absent' = 'present'): Promise<void> {
    this.#published += 1;
    const time = this.world.clock.wall();
    const event = { id: `published-${this.#published}`, source: 'test', time };
    const data = { uuid: UUID, host: HOST };
    await this.publish(
      encodeDeclaration(
        'mdev',
        desired === 'present'
          ? { desired, event, data: { ...data, ...PLACE, attributes: [] } }
          : { desired, event, data },
      ),
    );
  }

  async publish(message: { subject: string; id: string; data: Uint8Array }): Promise<void> {
    await this.streams.desired.append(message);
  }

  /** Lets time pass. */
  async wait(ms: number): Promise<void> {
    await this.world.clock.advance(ms);
  }

  async page(path: '/metrics' | '/healthz' | '/readyz'): Promise<{ status: number; body: string }> {
    const page = this.telemetry.pages(() => this.agent.status)[path];
    if (page === undefined) throw new Error(`there is no page ${path}`);
    return page();
  }

  /** Every series of the metrics with its value. */
  async series(): Promise<ReadonlyMap<string, number>> {
    const { body } = await this.page('/metrics');
    const lines = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return new Map(
      lines.map((line) => {
        const end = line.lastIndexOf(' ');
        return [line.slice(0, end), Number(line.slice(end + 1))] as const;
      }),
    );
  }

  /** The values of some series. */
  async values(...names: readonly string[]): Promise<readonly (number | undefined)[]> {
    const series = await this.series();
    return names.map((name) => series.get(name));
  }
}
