/**
 * Many hosts that declare the same UUIDs at once, and what must come of it: one holder of each, a conflict that names
 * it on every other host, and no device that a loser made.
 */
import { strict as assert } from 'node:assert';
import { encodeDeclaration } from '../../events/codec.ts';
import type { HostId, Uuid } from '../../events/names.ts';
import type { Outgoing, Stream } from '../../events/stream.ts';
import { DEFAULT_PREFIX } from '../../events/subject.ts';
import { sleep } from '../../reconciler/clock.ts';
import { systemClock } from '../../reconciler/clock-system.ts';
import { newId } from '../../src/ids.ts';
import { uuidOf } from '../bench/names.ts';
import { fleetAt, HostAtWork, PLACE } from './host-at-work.ts';

const LOOK_EVERY_MS = 20;
/** Hosts that start together. */
const STARTING_MAX = 20;

export type ContestSize = {
  readonly uuids: number;
  /** Hosts that declare each of the UUIDs. */
  readonly contenders: number;
  readonly settleMsMax: number;
};

export type ContestResult = {
  readonly declarations: number;
  readonly conflicts: number;
  /** From the first declaration's publication until all had been settled. */
  readonly settledMs: number;
  /** Answers "another write is in flight" of the registry. */
  readonly inFlight: number;
};

type Contender = { readonly host: HostAtWork; readonly uuid: Uuid };

export class Contest {
  readonly #hosts: readonly HostAtWork[];
  readonly #servers: readonly string[];
  #uuids = 0;

  private constructor(hosts: readonly HostAtWork[], servers: readonly string[]) {
    this.#hosts = hosts;
    this.#servers = servers;
  }

  /** Starts the hosts, each at the next of the servers; resolves when all speak for themselves. */
  static async open(servers: readonly string[], count: number): Promise<Contest> {
    const hosts: HostAtWork[] = [];
    while (hosts.length < count) {
      const batch = Array.from(
        { length: Math.min(STARTING_MAX, count - hosts.length) },
        (_, at) => hosts.length + at,
      );
      const starting = batch.map((at) =>
        HostAtWork.start(`host-${at}`, [servers[at % servers.length] ?? '']),
      );
      hosts.push(...(await Promise.all(starting)));
    }
    await until(() => hosts.every(({ isReached }) => isReached));
    return new Contest(hosts, servers);
  }

  /** Declares new UUIDs, each on several hosts, all at once. Throws if one does not end as it must, or in time. */
  async run({ uuids, contenders, settleMsMax }: ContestSize): Promise<ContestResult> {
    const all = Array.from({ length: uuids }, (_, at) =>
      this.#contendersOf(this.#uuids + at, contenders),
    ).flat();
    this.#uuids += uuids;
    const before = this.#inFlight();
    const beginMs = systemClock.monotonicMs();
    await this.#declare(all);
    await until(() => all.every(isSettled), beginMs + settleMsMax);
    const settledMs = systemClock.monotonicMs() - beginMs;
    for (const group of Map.groupBy(all, ({ uuid }) => uuid).values()) assertOneHolder(group);
    this.#assertNobodyUnreachable();
    const conflicts = all.length - uuids;
    return { declarations: all.length, conflicts, settledMs, inFlight: this.#inFlight() - before };
  }

  async close(): Promise<void> {
    await Promise.all(this.#hosts.map((host) => host.stop()));
  }

  /** Neighbours, so that each host meets others at each of its UUIDs. */
  #contendersOf(at: number, count: number): readonly Contender[] {
    assert(count <= this.#hosts.length, 'more contenders than hosts');
    const turned = Array.from({ length: count }, (_, turn) => this.#hosts[(at + turn) % this.#hosts.length]);
    return turned.filter((host) => host !== undefined).map((host) => ({ host, uuid: uuidOf(at) }));
  }

  async #declare(contenders: readonly Contender[]): Promise<void> {
    const fleet = await fleetAt(this.#servers, 'contest');
    await fleet.reached;
    await append(
      fleet.streams.desired,
      contenders.map(({ host, uuid }) => presentOn(host.host, uuid)),
    );
    await fleet.close();
  }

  #inFlight(): number {
    return this.#hosts.reduce((sum, { inFlight }) => sum + inFlight, 0);
  }

  /** Nobody was ever told that the registry is away: a write in flight passes. */
  #assertNobodyUnreachable(): void {
    const told = this.#hosts.flatMap((host) => host.facts()).filter((fact) => fact.kind === 'waiting');
    assert.deepEqual(
      told.filter(({ reason }) => reason === 'RegistryUnreachable'),
      [],
    );
  }
}

/** A declaration as operators publish it. */
export function presentOn(host: HostId, uuid: Uuid): Outgoing {
  const event = { id: newId(), source: 'test', time: systemClock.wall() };
  return encodeDeclaration(DEFAULT_PREFIX, { desired: 'present', event, data: { uuid, host, ...PLACE } });
}

/** Appends all. Throws when one was not stored. */
export async function append(stream: Stream, messages: readonly Outgoing[]): Promise<void> {
  const answers = await stream.appendAll(messages);
  const failed = answers.find(({ kind }) => kind !== 'stored');
  if (failed !== undefined) throw new Error('a declaration was not stored', { cause: failed });
}

/** Resolves when it holds; throws after the deadline on the monotonic clock, if there is one. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  endMs = Number.POSITIVE_INFINITY,
): Promise<void> {
  while (!(await holds())) {
    if (systemClock.monotonicMs() > endMs) throw new Error('it did not come to pass in time');
    await sleep(systemClock, LOOK_EVERY_MS);
  }
}

function isSettled({ host, uuid }: Contender): boolean {
  const state = host.row(uuid)?.state;
  return state === 'ready' || state === 'conflict';
}

function assertOneHolder(group: readonly Contender[]): void {
  const holders = group.filter(({ host, uuid }) => host.row(uuid)?.state === 'ready');
  assert.equal(holders.length, 1, `${group[0]?.uuid} has ${holders.length} holders`);
  const winner = holders[0]?.host;
  for (const { host, uuid } of group) {
    assert.equal(host.kernel.device(uuid)?.phase, host === winner ? 'complete' : undefined);
    assert.equal(host.touched.has(uuid), host === winner, `${uuid} was made on ${host.host}`);
    if (host !== winner) assertConflict(host, uuid, winner?.host);
  }
}

function assertConflict(host: HostAtWork, uuid: Uuid, winner: HostId | undefined): void {
  const told = host.facts().filter((fact) => fact.kind === 'conflict' && fact.uuid === uuid);
  assert.equal(told.length, 1, `${host.host} told ${told.length} conflicts of ${uuid}`);
  const [one] = told;
  assert(one?.kind === 'conflict' && one.reason === 'UuidHeld');
  assert.equal(one.holder?.claim.host, winner);
  assert.ok(host.row(uuid)?.message?.includes(`host ${winner}`));
}
