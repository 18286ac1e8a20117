/**
 * An agent inside a guest without a server: its fleet is a folder of the machine. In this process, composed as the
 * program composes it, so that its journal can be looked at while it works; or as the program itself.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeDeclaration } from '../../events/codec.ts';
import { openEmbedded } from '../../events/embedded/embedded.ts';
import { openEmbeddedStreams } from '../../events/embedded/streams-embedded.ts';
import type { Attribute } from '../../events/names.ts';
import { decodeRecord } from '../../events/record.ts';
import type { Row } from '../../events/row.ts';
import type { Streams } from '../../events/stream.ts';
import { DEFAULT_PREFIX } from '../../events/subject.ts';
import { systemClock } from '../../reconciler/clock-system.ts';
import type { Host, Place } from '../../reconciler/host.ts';
import { Agent } from '../../src/agent.ts';
import { openParts, type Parts } from '../../src/compose.ts';
import { agentConfig, journalFolder, readSettings } from '../../src/config.ts';
import { readRows } from '../../src/fleet.ts';
import type { Limits } from '../../src/limits.ts';
import { createLogger } from '../../src/logger.ts';
import { variableOf } from '../../src/options.ts';
import type { Device } from '../../store/device.ts';
import { overriding } from '../sim/overriding.ts';
import { until } from './mdev.ts';
import { ROOT } from './shares.ts';

const WAIT_MS_MAX = 90_000;
const POLL_MS = 50;
const RECORDS_MAX = 10_000;

/** Which host, where its data are, and the limits that are not as they are by default. */
type LocalOptions = {
  readonly host: string;
  readonly data: string;
  readonly limits: Partial<Limits>;
};

/** Where the helpers of an agent keep their marks. */
export function marksOf({ host, data }: LocalOptions): string {
  return join(journalFolder(data, host), 'writers');
}

/** Declares devices, as `apply` does. */
class Declarer {
  readonly #streams: Streams;
  readonly #host: string;
  #events = 0;

  constructor(streams: Streams, host: string) {
    this.#streams = streams;
    this.#host = host;
  }

  present(uuid: string, place: Place, attributes: readonly Attribute[] = []): Promise<void> {
    const data = { uuid, host: this.#host, ...place, attributes: [...attributes] };
    return this.#publish({ desired: 'present', event: this.#event(), data });
  }

  absent(uuid: string): Promise<void> {
    return this.#publish({ desired: 'absent', event: this.#event(), data: { uuid, host: this.#host } });
  }

  #event() {
    this.#events += 1;
    return { id: `local-${process.pid}-${this.#events}`, source: 'kernel-test', time: systemClock.wall() };
  }

  async #publish(declaration: Parameters<typeof encodeDeclaration>[1]): Promise<void> {
    const answer = await this.#streams.desired.append(encodeDeclaration(DEFAULT_PREFIX, declaration));
    assert.equal(answer.kind, 'stored');
  }
}

/** An agent in this process. */
export class LocalAgent {
  readonly host: Host;
  readonly declare: Declarer;
  readonly #parts: Parts;
  readonly #agent: Agent;

  private constructor(name: string, parts: Parts, instead: (host: Host) => Partial<Host>) {
    const host = overriding(parts.ports.host, instead(parts.ports.host));
    this.host = parts.ports.host;
    this.declare = new Declarer(parts.ports.streams, name);
    this.#parts = parts;
    this.#agent = new Agent({ ...parts.ports, host }, parts.options);
  }

  /** @param instead methods of the agent's host that are replaced, given the real one */
  static async start(
    { host, data, limits }: LocalOptions,
    instead: (host: Host) => Partial<Host> = () => ({}),
  ): Promise<LocalAgent> {
    const log = createLogger('warn', false, openSync(`/guest/shared/agent-${host}.log`, 'a'));
    const parts = await openParts(agentConfig(readSettings({ host, data }, variables(limits))), log);
    const agent = new LocalAgent(host, parts, instead);
    await agent.#agent.start();
    return agent;
  }

  device(uuid: string): Device {
    return this.#parts.ports.journal.device(uuid);
  }

  /** Waits until the device is whole. */
  active(uuid: string): Promise<void> {
    return until(`${uuid} active`, () => {
      const { reservation, waiting } = this.device(uuid);
      return reservation?.phase === 'active' && waiting === null;
    });
  }

  /** Waits until nothing is held for the UUID. */
  gone(uuid: string): Promise<void> {
    return until(`${uuid} gone`, () => this.device(uuid).reservation === null);
  }

  /** Waits until the device is shown to wait for this reason, and answers the message. */
  async waits(uuid: string, reason: string): Promise<string> {
    await until(`${uuid} ${reason}`, () => this.device(uuid).waiting?.reason === reason);
    return this.device(uuid).waiting?.message ?? '';
  }

  /** How many records say that the UUID waits for this reason. */
  records(uuid: string, reason: string): number {
    const all = this.#parts.ports.journal.read(0, RECORDS_MAX);
    return all.filter(({ bytes }) => {
      const { fact } = decodeRecord(bytes);
      return fact?.kind === 'waiting' && fact.uuid === uuid && fact.reason === reason;
    }).length;
  }

  async stop(): Promise<void> {
    await this.#agent.stop();
    await this.#parts.close();
  }
}

/** The fleet's side of an agent that is a program of its own. */
export class LocalFleet {
  readonly declare: Declarer;
  readonly #host: string;
  readonly #streams: Streams;
  readonly #close: () => Promise<void>;

  private constructor(host: string, streams: Streams, close: () => Promise<void>) {
    this.declare = new Declarer(streams, host);
    this.#host = host;
    this.#streams = streams;
    this.#close = close;
  }

  static async open({ data, host }: LocalOptions): Promise<LocalFleet> {
    const embedded = await openEmbedded(data, { after: systemClock.after, now: systemClock.wall });
    const streams = await openEmbeddedStreams(embedded, DEFAULT_PREFIX);
    return new LocalFleet(host, streams, () => embedded.close());
  }

  /** Waits until what the host reports of a device is as wanted, and answers that. */
  async until(what: string, uuid: string, wanted: (row: Row) => boolean): Promise<Row> {
    for (let waited = 0; ; waited += POLL_MS) {
      const rows = await readRows(this.#streams.observed, DEFAULT_PREFIX, this.#host);
      const row = rows.find((one) => one.uuid === uuid);
      if (row !== undefined && wanted(row)) return row;
      if (waited > WAIT_MS_MAX) throw new Error(`waited for ${what} in vain: ${JSON.stringify(row)}`);
      await sleep(POLL_MS);
    }
  }

  close(): Promise<void> {
    return this.#close();
  }
}

/** The agent's own program. */
export class ProgramAgent {
  readonly #child: ChildProcess;

  constructor({ host, data, limits }: LocalOptions) {
    const log = openSync(`/guest/shared/agent-${host}.log`, 'a');
    const argv = ['src/main.ts', 'agent', '--host', host, '--data', data];
    const env = { ...process.env, ...variables(limits) };
    this.#child = spawn(process.execPath, argv, { cwd: ROOT, env, stdio: ['ignore', log, log] });
  }

  /** Ends it as a service manager does; answers its exit status. */
  async stop(): Promise<number | null> {
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    const [status] = (await exit) as [number | null];
    return status;
  }
}

/** As the environment gives them. */
function variables(limits: Partial<Limits>): Record<string, string> {
  const pairs = Object.entries(limits);
  return Object.fromEntries(pairs.map(([name, value]) => [variableOf(`limits.${name}`), String(value)]));
}
