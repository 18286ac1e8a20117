/**
 * Links of several hosts to one fleet in memory, whose registry can lose what it acknowledged.
 */
import { encodeCommand } from '../../../events/codec.ts';
import type { Fact, FactOf } from '../../../events/fact.ts';
import type { HostId, Uuid } from '../../../events/names.ts';
import { decodeRecord } from '../../../events/record.ts';
import type { Streams } from '../../../events/stream.ts';
import { createMemoryStreams } from '../../../events/stream-memory.ts';
import { LINK_LIMITS, Link, type LinkEnd } from '../../../src/agent/link.ts';
import { MemoryDisk, type MemoryJournal, openMemoryJournal } from '../../../store/journal/journal-memory.ts';
import { readFleet } from '../../../store/registry/fleet.ts';
import { decodeHold } from '../../../store/registry/hold.ts';
import { type Registry, type RegistryKey, RegistryUnavailable } from '../../../store/registry/registry.ts';
import { MemoryRegistry } from '../../../store/registry/registry-memory.ts';
import { take } from '../../../store/registry/reserve.ts';
import { ManualClock } from '../../manual-clock.ts';
import { overriding } from '../../sim/overriding.ts';

export const UUID = '00000000-0000-4000-8000-000000000001';
const GENERATION = { epoch: 1, sequence: 1 };

/** The fleet's server, and what is common to its hosts. */
export class Fleet {
  readonly clock = new ManualClock();
  readonly streams = createMemoryStreams({ now: () => this.clock.wall() });
  registry = new MemoryRegistry(() => this.clock.wall());

  /** Everything in the registry is gone. */
  wipe(): void {
    this.registry = new MemoryRegistry(() => this.clock.wall());
  }

  /** Whether UUIDs may be taken in it. */
  async state(): Promise<string> {
    const found = await readFleet(this.registry);
    return found.kind === 'fleet' ? found.state : 'unknown';
  }

  /** The agent of host-b takes the UUID. */
  async takeElsewhere(): Promise<void> {
    const claim = { host: 'host-b', parent: 'p', type: 't' };
    const wish = { claim, generation: { epoch: 1, sequence: 9 }, incarnation: 1, replaces: null };
    const taken = await take(this.registry, UUID, wish);
    if (taken.kind !== 'held') throw new Error(`not taken, but ${taken.kind}`);
  }

  /** The registry as it is now, as far as these keys go, to be shown once more later. */
  async remember(...keys: readonly RegistryKey[]): Promise<Pick<Registry, 'read'>> {
    const found = keys.map(async (key) => [key, await this.registry.read(key)] as const);
    const entries = new Map(await Promise.all(found));
    return { read: async (key) => entries.get(key) };
  }

  /** Who holds the UUID, and in which phase. */
  async hold(uuid: Uuid = UUID): Promise<string | undefined> {
    const value = (await this.registry.read(uuid))?.value ?? null;
    if (value === null) return undefined;
    const { claim, phase } = decodeHold(value);
    return `${claim.host} ${phase}`;
  }
}

/** One life of an agent, as far as its link goes. */
export class Member {
  readonly fleet: Fleet;
  readonly host: HostId;
  readonly disk: MemoryDisk;
  readonly journal: MemoryJournal;
  readonly link: Link;
  readonly ends: LinkEnd[] = [];
  readonly recorded: (Uuid | null)[] = [];
  readonly troubles: unknown[] = [];
  reached = 0;
  /** True while the registry does not answer this host. */
  isCutOff = false;
  /** What a server shows this host that has led, stood still, and not heard of its successor; until a write. */
  yesterday: Pick<Registry, 'read'> | null = null;
  #listener: (state: 'up' | 'down') => void = () => undefined;

  constructor(fleet: Fleet, host: HostId, disk = new MemoryDisk(), journal = `journal-of-${host}`) {
    this.fleet = fleet;
    this.host = host;
    this.disk = disk;
    this.journal = this.#openJournal(journal);
    this.link = new Link({
      ...{ journal: this.journal, streams: this.#streams(), registry: this.#registry(), host },
      ...{ prefix: 'mdev', clock: fleet.clock, random: () => 0.5, limits: LINK_LIMITS },
      onRecorded: (uuid) => this.recorded.push(uuid),
      onReached: () => {
        this.reached += 1;
      },
      onTrouble: (error) => this.troubles.push(error),
      onEnd: (end) => this.ends.push(end),
    });
  }

  #openJournal(journal: string): MemoryJournal {
    const { clock } = this.fleet;
    return openMemoryJournal({
      disk: this.disk,
      journal,
      host: this.host,
      machine: { machineId: `machine-of-${this.host}`, product: null },
      software: 'test',
      stamp: () => ({ time: clock.wall(), boot: 'boot-1' }),
      schedule: (commit) => void clock.after(0, commit),
    });
  }

  #streams(): Streams {
    return overriding(this.fleet.streams, {
      onConnection: (listener) => {
        this.#listener = listener;
        return () => undefined;
      },
    });
  }

  /** Whatever registry the fleet has at the moment. */
  #registry(): Registry {
    const ask = <T>(call: (registry: MemoryRegistry) => Promise<T>): Promise<T> =>
      this.isCutOff ? Promise.reject(new RegistryUnavailable('cut off')) : call(this.fleet.registry);
    const written = (call: Parameters<typeof ask<Awaited<ReturnType<Registry['write']>>>>[0]) =>
      ask(call).catch((cause: unknown) => ({ kind: 'unknown' as const, cause }));
    return {
      read: (key) => ask(async (registry) => (this.yesterday ?? registry).read(key)),
      at: (key, revision) => ask((registry) => registry.at(key, revision)),
      write: (...write) => written((registry) => this.#today(registry.write(...write))),
      erase: (...erase) => written((registry) => this.#today(registry.erase(...erase))),
      close: async () => undefined,
    };
  }

  /** A write takes a majority, of which whoever answers hears then. */
  #today<T>(write: Promise<T>): Promise<T> {
    this.yesterday = null;
    return write;
  }

  /** An operator says that he takes the UUID from this host. */
  async announceForce(): Promise<void> {
    const event = { id: 'by force', source: 'ops', time: '2026-01-01T00:00:00Z' };
    const data = { host: this.host, uuid: UUID, why: 'burnt down' };
    await this.fleet.streams.command.append(encodeCommand('mdev', { command: 'release', event, data }));
  }

  /** Starts, and lets everything happen that follows at once. */
  async start(): Promise<this> {
    this.link.start();
    await this.connect();
    return this;
  }

  /** The connection is there (again). */
  async connect(): Promise<void> {
    this.#listener('up');
    await this.pass(1);
  }

  stop(): Promise<boolean> {
    return this.fleet.clock.until(this.link.stop());
  }

  pass(ms: number): Promise<void> {
    return this.fleet.clock.advance(ms);
  }

  /** Takes the UUID as a pass does, and records that; its device is taken to be whole. */
  async hold(phase: 'reserved' | 'active' | 'releasing' = 'active', uuid: Uuid = UUID): Promise<number> {
    const claim = { host: this.host, parent: 'p', type: 't' };
    const about = { v: 1, uuid, generation: GENERATION } as const;
    const incarnation = this.link.incarnation ?? 0;
    const wish = { claim, generation: GENERATION, incarnation, replaces: null };
    const taken = await take(this.fleet.registry, uuid, wish);
    if (taken.kind !== 'held') throw new Error(`not taken, but ${taken.kind}`);
    const { revision } = taken;
    await this.record({ kind: 'claiming', ...about, claim });
    await this.record({ kind: 'reserved', ...about, revision });
    if (phase !== 'reserved') await this.record({ kind: 'active', ...about, how: 'created' });
    if (phase === 'releasing') await this.record({ kind: 'releasing', ...about, cause: 'Withdrawn' });
    return revision;
  }

  async record(fact: Fact): Promise<void> {
    const result = await this.fleet.clock.until(this.journal.append({ facts: [fact] }));
    if (result.kind !== 'durable') throw new Error(`not recorded: ${result.kind}`);
  }

  /** Whether a UUID may be taken now. */
  async admission(): Promise<string> {
    return (await this.fleet.clock.until(this.link.admission())).kind;
  }

  facts<K extends Fact['kind']>(kind: K): readonly FactOf<K>[] {
    const all = this.journal.read(0, Number.MAX_SAFE_INTEGER).map(({ bytes }) => decodeRecord(bytes).fact);
    return all.filter((one): one is FactOf<K> => one?.kind === kind);
  }

  phase(uuid: Uuid = UUID): string | undefined {
    return this.journal.device(uuid).reservation?.phase;
  }
}
