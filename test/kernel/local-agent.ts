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
import { type Embedded, openEmbedded } from '../../events/embedded/embedded.ts';
import { openEmbeddedStreams } from '../../events/embedded/streams-embedded.ts';
import type { Attribute } from '../../events/names.ts';
import { decodeRecord } from '../../events/record.ts';
import type { Row } from '../../events/row.ts';
import type { Streams } from '../../events/stream.ts';
import { DEFAULT_PREFIX } from '../../events/subject.ts';
import { systemClock, systemRandom } from '../../reconciler/clock-system.ts';
import type { Host, Place } from '../../reconciler/host.ts';
import { RECONCILER_LIMITS } from '../../reconciler/limits.ts';
import { createSysfsHost } from '../../reconciler/sysfs/host-sysfs.ts';
import { Agent, type AgentPorts } from '../../src/agent/agent.ts';
import { LINK_LIMITS } from '../../src/agent/link.ts';
import { readRows } from '../../src/fleet.ts';
import type { Limits } from '../../src/limits.ts';
import { readBoot, readMachine } from '../../src/machine.ts';
import type { Device } from '../../store/device.ts';
import type { Journal } from '../../store/journal/journal.ts';
import { openJournal } from '../../store/journal/journal-lmdb.ts';
import { openLmdbRegistry } from '../../store/registry/registry-lmdb.ts';
import { overriding } from '../sim/overriding.ts';
import { until } from './mdev.ts';
import { ROOT } from './shares.ts';

const MAIN = join(import.meta.dirname, '../../src/main.ts');
const WAIT_MS_MAX = 90_000;
const POLL_MS = 250;
const RECORDS_MAX = 10_000;
const WRITE_DEADLINE_MS = 10_000;
const JOURNAL = '00000000-0000-4000-8000-0000000000aa';
const OPTIONS = { prefix: DEFAULT_PREFIX, software: 'kernel-test', kernel: 'guest', bootIsNew: false };

/** Which host, where its data are, and the limits that are not as they are by default. */
type LocalOptions = {
  readonly host: string;
  readonly data: string;
  readonly limits: Partial<Limits>;
};

function journalFolder(data: string, host: string): string {
  return join(data, 'hosts', host);
}

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

/** An agent in this process: the parts that the program has, without its settings, its log and the way to a server. */
export class LocalAgent {
  readonly declare: Declarer;
  readonly #journal: Journal;
  readonly #agent: Agent;
  /** Everything that was opened, in the order in which it is to be closed. */
  readonly #opened: readonly { close(): Promise<void> }[];

  private constructor(name: string, ports: AgentPorts, limits: Partial<Limits>, fleet: Embedded) {
    const { waitTimerMsMax = RECONCILER_LIMITS.waitDelayMsMax.timer } = limits;
    const waitDelayMsMax = { ...RECONCILER_LIMITS.waitDelayMsMax, timer: waitTimerMsMax };
    const all = { ...RECONCILER_LIMITS, ...LINK_LIMITS, waitDelayMsMax, stopDeadlineMs: 5_000 };
    this.declare = new Declarer(ports.streams, name);
    this.#journal = ports.journal;
    this.#opened = [ports.journal, ports.host, fleet];
    this.#agent = new Agent(ports, { ...OPTIONS, limits: all });
  }

  /** @param instead methods of the agent's host that are replaced, given the real one */
  static async start(
    { host: name, data, limits }: LocalOptions,
    instead: (host: Host) => Partial<Host> = () => ({}),
  ): Promise<LocalAgent> {
    const dir = journalFolder(data, name);
    const embedded = await openEmbedded(data, { after: systemClock.after, now: systemClock.wall });
    const streams = await openEmbeddedStreams(embedded, DEFAULT_PREFIX);
    const { writeDeadlineMs = WRITE_DEADLINE_MS } = limits;
    const own = createSysfsHost({
      clock: systemClock,
      marksDir: join(dir, 'writers'),
      limits: { writeDeadlineMs },
    });
    const boot = readBoot();
    const journal = await openJournal({
      dir,
      host: name,
      machine: readMachine(),
      software: OPTIONS.software,
      create: JOURNAL,
      stamp: () => ({ time: systemClock.wall(), boot }),
    });
    const host = overriding(own, instead(own));
    const log = { debug() {}, info() {}, warn() {}, error: console.error };
    const registry = openLmdbRegistry(embedded);
    const ports = { journal, streams, registry, host, clock: systemClock, random: systemRandom, log };
    const agent = new LocalAgent(name, ports, limits, embedded);
    await agent.#agent.start();
    return agent;
  }

  device(uuid: string): Device {
    return this.#journal.device(uuid);
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
    const all = this.#journal.read(0, RECORDS_MAX);
    return all.filter(({ bytes }) => {
      const { fact } = decodeRecord(bytes);
      return fact?.kind === 'waiting' && fact.uuid === uuid && fact.reason === reason;
    }).length;
  }

  async stop(): Promise<void> {
    await this.#agent.stop();
    for (const one of this.#opened) await one.close();
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
    const argv = [MAIN, 'agent', '--host', host, '--data', data];
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
  const pairs = Object.entries(limits).map(([name, value]) => {
    const words = name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
    return [`MDEVFLEET_LIMITS_${words}`, String(value)];
  });
  return Object.fromEntries(pairs) as Record<string, string>;
}
