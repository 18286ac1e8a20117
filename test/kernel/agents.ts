/**
 * Real agents inside a guest, and the fleet's side of them: a server, declarations, and what hosts report.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Encoded, encodeCommand, encodeDeclaration } from '../../events/codec.ts';
import type { FactKind, FactOf } from '../../events/fact.ts';
import { connectNats } from '../../events/jetstream/connection.ts';
import { initFleet } from '../../events/jetstream/init.ts';
import { bucketNameOf } from '../../events/jetstream/settings.ts';
import { openJetStreams } from '../../events/jetstream/stream-jetstream.ts';
import { openUplink, type Uplink } from '../../events/jetstream/uplink.ts';
import type { Attribute, Claim } from '../../events/names.ts';
import { decodeRecord } from '../../events/record.ts';
import type { Row } from '../../events/row.ts';
import type { Stream, Streams } from '../../events/stream.ts';
import { subjectFilter } from '../../events/subject.ts';
import { systemClock, systemRandom } from '../../reconciler/clock-system.ts';
import { readRows } from '../../src/fleet.ts';
import type { Registry } from '../../store/registry/registry.ts';
import { openKvRegistry } from '../../store/registry/registry-kv.ts';
import { type RunningNats, startNats } from '../nats.ts';
import { ROOT } from './shares.ts';

export const PREFIX = 'mdev';
const WAIT_MS_MAX = 90_000;
const POLL_MS = 250;
/** As long as a machine may need that is busy with other things, too. */
const TIMEOUT_MS = 60_000;
const FACTS_MAX = 1_000;
const MAIN = join(import.meta.dirname, '../../src/main.ts');
const NO_SECRETS = { creds: null, nkey: null, tlsCa: null, tlsCert: null, tlsKey: null };

/** A server inside the guest, and a client on it. */
export class GuestFleet {
  readonly server: RunningNats;
  readonly streams: Streams;
  readonly registry: Registry;
  readonly #uplink: Uplink;
  #events = 0;

  private constructor(server: RunningNats, uplink: Uplink) {
    this.server = server;
    this.#uplink = uplink;
    this.streams = openJetStreams(uplink, PREFIX);
    this.registry = openKvRegistry(uplink, bucketNameOf(PREFIX));
  }

  static async start(): Promise<GuestFleet> {
    const server = await startNats();
    const options = { servers: [server.url], timeoutMs: TIMEOUT_MS, ...NO_SECRETS };
    const connection = await connectNats(options);
    await initFleet(connection, { prefix: PREFIX, timeoutMs: options.timeoutMs });
    await connection.close();
    const uplink = openUplink({ ...options, after: systemClock.after, random: systemRandom });
    await uplink.first;
    return new GuestFleet(server, uplink);
  }

  async stop(): Promise<void> {
    await this.streams.close();
    await this.#uplink.close();
    await this.server.stop();
  }

  /** Answers the sequence of the declaration. */
  present(uuid: string, claim: Claim, attributes: readonly Attribute[] = []): Promise<number> {
    const data = { uuid, ...claim, attributes: [...attributes] };
    const declaration = encodeDeclaration(PREFIX, { desired: 'present', event: this.#meta(), data });
    return this.#publish(this.streams.desired, declaration);
  }

  /** Answers the sequence of the declaration. */
  absent(uuid: string, host: string): Promise<number> {
    const data = { uuid, host };
    const declaration = encodeDeclaration(PREFIX, { desired: 'absent', event: this.#meta(), data });
    return this.#publish(this.streams.desired, declaration);
  }

  /** Lets a host try again what ended in a conflict. */
  async retry(uuid: string, host: string): Promise<void> {
    const data = { uuid, host };
    await this.#publish(
      this.streams.command,
      encodeCommand(PREFIX, { command: 'retry', event: this.#meta(), data }),
    );
  }

  async rows(host: string, uuid?: string): Promise<readonly Row[]> {
    const rows = await readRows(this.streams.observed, PREFIX, host);
    return rows.filter((row) => uuid === undefined || row.uuid === uuid);
  }

  /** Waits until what a host reports of a device is as wanted, and answers that. */
  async until(
    what: string,
    host: string,
    uuid: string,
    wanted: (rows: readonly Row[]) => boolean,
  ): Promise<readonly Row[]> {
    for (let waited = 0; ; waited += POLL_MS) {
      const rows = await this.rows(host, uuid);
      if (wanted(rows)) return rows;
      if (waited > WAIT_MS_MAX) throw new Error(`waited for ${what} in vain: ${JSON.stringify(rows)}`);
      await sleep(POLL_MS);
    }
  }

  ready(host: string, uuid: string): Promise<readonly Row[]> {
    return this.until(`${uuid} ready on ${host}`, host, uuid, (rows) =>
      rows.some((row) => row.state === 'ready'),
    );
  }

  /** Waits until a host has recorded such a fact of a device, and answers all of them so far. */
  async recorded<K extends FactKind>(host: string, uuid: string, kind: K): Promise<readonly FactOf<K>[]> {
    const filter = subjectFilter(PREFIX, 'observed', { host, uuid });
    const found: FactOf<K>[] = [];
    for (let after = 0, waited = 0; ; ) {
      const messages = await this.streams.observed.next(filter, after, FACTS_MAX);
      after = messages.at(-1)?.sequence ?? after;
      const facts = messages.map(({ data }) => decodeRecord(data).fact);
      found.push(...facts.filter((fact): fact is FactOf<K> => fact?.kind === kind));
      if (messages.length > 0) continue;
      if (found.length > 0) return found;
      if (waited > WAIT_MS_MAX) throw new Error(`waited for a fact ${kind} of ${uuid} in vain`);
      waited += POLL_MS;
      await sleep(POLL_MS);
    }
  }

  gone(host: string, uuid: string): Promise<readonly Row[]> {
    return this.until(`${uuid} gone from ${host}`, host, uuid, (rows) => rows.length === 0);
  }

  async #publish(stream: Stream, event: Encoded): Promise<number> {
    const answer = await stream.append(event);
    assert.ok(answer.kind === 'stored');
    return answer.sequence;
  }

  #meta() {
    this.#events += 1;
    return { id: `guest-${process.pid}-${this.#events}`, source: 'kernel-test', time: systemClock.wall() };
  }
}

/** The agent's own program, on the guest's sysfs. */
export class GuestAgent {
  readonly #child: ChildProcess;

  /** @param data a folder of the guest's disk, which a reboot leaves as it is */
  constructor(host: string, data: string, nats: string, logLevel: 'debug' | 'info' = 'debug') {
    const log = openSync(join('/guest/shared', `agent-${host}.log`), 'a');
    const argv = [MAIN, 'agent', '--host', host, '--data', data, '--nats', nats, '--log-level', logLevel];
    this.#child = spawn(process.execPath, argv, { cwd: ROOT, stdio: ['ignore', log, log] });
  }

  get pid(): number {
    assert.ok(this.#child.pid !== undefined);
    return this.#child.pid;
  }

  /** Ends it as a service manager does; answers its exit status. */
  async stop(): Promise<number | null> {
    if (this.#child.exitCode !== null) return this.#child.exitCode;
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    const [code] = (await exit) as [number | null];
    return code;
  }
}

/** Runs a verb of the command line; answers its exit status. */
export async function runVerb(...argv: readonly string[]): Promise<number | null> {
  const child = spawn(process.execPath, [MAIN, ...argv], {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code;
}
