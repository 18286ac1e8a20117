/**
 * `npm run server-cost -- --agents 1000`: what connected agents cost the server, with the doorbell as they have it and
 * with one filtered consumer each instead: memory and processor time, idle and with 200 declarations a second.
 *
 * An agent is here what the server sees of it: a connection, and a subscription to its doorbell upon which it reads by
 * direct get; or a connection that consumes what is declared for its host. Each way gets a server of its own.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { AckPolicy, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from 'nats';
import { streamNameOf } from '../../events/jetstream/settings.ts';
import type { HostId } from '../../events/names.ts';
import { DEFAULT_PREFIX, subjectFilter } from '../../events/subject.ts';
import { sleep } from '../../reconciler/clock.ts';
import { systemClock } from '../../reconciler/clock-system.ts';
import { uuidOf } from '../bench/names.ts';
import type { RunningNats } from '../nats.ts';
import { append, presentOn } from './contest.ts';
import { startFleetServer } from './fleet-server.ts';
import { fleetAt } from './host-at-work.ts';

const CONNECTING_MAX = 50;
const REST_MS = 3_000;
const SPAN_MS = 10_000;
const RATE_PER_S = 200;
const TURNS_PER_S = 10;
/** What /proc counts processor time in. */
const TICKS_PER_S = 100;

const { values } = parseArgs({ options: { agents: { type: 'string', default: '1000' } } });
const hosts = Array.from({ length: Number(values.agents) }, (_, at) => `host-${at}`);

/** Connects an agent, which calls back with each declaration that it got; resolves with how it leaves. */
type Connect = (server: RunningNats, host: HostId, got: () => void) => Promise<() => Promise<void>>;

console.log(`${hosts.length} agents; ${availableParallelism()} cores, shared with the agents`);
await measure('doorbell and direct get', byDoorbell);
await measure('a filtered consumer each', byConsumer);

async function measure(name: string, connectAgent: Connect): Promise<void> {
  const { servers, urls, stop } = await startFleetServer(1);
  const [server] = servers;
  if (server === undefined) throw new Error('no server');
  const before = memoryOf(server);
  let got = 0;
  const leave: (() => Promise<void>)[] = [];
  while (leave.length < hosts.length) {
    const batch = hosts.slice(leave.length, leave.length + CONNECTING_MAX);
    leave.push(...(await Promise.all(batch.map((host) => connectAgent(server, host, () => (got += 1))))));
  }
  await sleep(systemClock, REST_MS);
  const memory = memoryOf(server);
  console.log(`${name}: ${perAgent(memory - before)} KiB an agent; the server has ${mebibytes(memory)} MiB`);
  console.log(`  idle: ${await loadDuring(server, () => sleep(systemClock, SPAN_MS))}`);
  const declared = { count: 0 };
  const beginMs = systemClock.monotonicMs();
  const load = await loadDuring(server, async () => {
    declared.count = await declare(urls);
  });
  const rate = (declared.count * 1_000) / (systemClock.monotonicMs() - beginMs);
  await sleep(systemClock, REST_MS);
  console.log(`  ${rate.toFixed(0)} declarations a second: ${load}; ${got} of ${declared.count} arrived`);
  console.log(`  afterwards: ${mebibytes(memoryOf(server))} MiB`);
  await Promise.all(leave.map((close) => close()));
  await stop();
}

async function byDoorbell(server: RunningNats, host: HostId, got: () => void): Promise<() => Promise<void>> {
  const fleet = await fleetAt([server.url], host);
  await fleet.reached;
  const filter = subjectFilter(DEFAULT_PREFIX, 'desired', { host });
  let after = 0;
  fleet.streams.doorbell(host, () => {
    void fleet.streams.desired.next(filter, after, 100).then((messages) => {
      for (const { sequence } of messages) {
        if (sequence <= after) continue;
        after = sequence;
        got();
      }
    });
  });
  return () => fleet.close();
}

async function byConsumer(server: RunningNats, host: HostId, got: () => void): Promise<() => Promise<void>> {
  const connection: NatsConnection = await connect({ servers: server.url });
  const stream = streamNameOf(DEFAULT_PREFIX, 'desired');
  const manager = await jetstreamManager(connection);
  const filter_subject = subjectFilter(DEFAULT_PREFIX, 'desired', { host });
  await manager.consumers.add(stream, { durable_name: host, filter_subject, ack_policy: AckPolicy.Explicit });
  const consumer = await jetstream(connection).consumers.get(stream, host);
  await consumer.consume({
    callback: (message) => {
      message.ack();
      got();
    },
  });
  return () => connection.close();
}

/** Declares at the rate, each on the next host; answers how many. */
async function declare(urls: readonly string[]): Promise<number> {
  const fleet = await fleetAt(urls, 'declaring');
  await fleet.reached;
  const beginMs = systemClock.monotonicMs();
  const perTurn = RATE_PER_S / TURNS_PER_S;
  let count = 0;
  for (let turn = 1; systemClock.monotonicMs() - beginMs < SPAN_MS; turn += 1) {
    const chosen = Array.from({ length: perTurn }, (_, nth) => hosts[(count + nth) % hosts.length] ?? '');
    await append(
      fleet.streams.desired,
      chosen.map((host, nth) => presentOn(host, uuidOf(count + nth))),
    );
    count += perTurn;
    await sleep(systemClock, Math.max(0, beginMs + (turn * 1_000) / TURNS_PER_S - systemClock.monotonicMs()));
  }
  await fleet.close();
  return count;
}

async function loadDuring(server: RunningNats, work: () => Promise<void>): Promise<string> {
  const [ticks, beginMs] = [ticksOf(server), systemClock.monotonicMs()];
  await work();
  const seconds = (systemClock.monotonicMs() - beginMs) / 1_000;
  return `${(((ticksOf(server) - ticks) / TICKS_PER_S / seconds) * 100).toFixed(1)} % of a core`;
}

/** Bytes of memory that the server has. */
function memoryOf({ pid }: RunningNats): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) * 1024;
}

/** Processor time, of user and system: fields 14 and 15, counted behind the name, which is in parentheses. */
function ticksOf({ pid }: RunningNats): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

function mebibytes(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(0);
}

function perAgent(bytes: number): string {
  return (bytes / 1024 / hosts.length).toFixed(0);
}
