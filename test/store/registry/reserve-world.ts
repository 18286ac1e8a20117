/**
 * A small world for the reservation protocol: agents that contend for one UUID, over a network that
 * loses, delays and cuts off, in the order that fast-check's scheduler says.
 *
 * An agent here is only the journal around the protocol: it may crash at any moment and goes on from
 * what it had journaled. The world checks at every step that no two believe that they hold the UUID.
 */
import type { Scheduler } from 'fast-check';
import { decodeHold, encodeValue, type Hold } from '../../../store/registry/hold.ts';
import { type Registry, RegistryUnavailable, type Written } from '../../../store/registry/registry.ts';
import { MemoryRegistry } from '../../../store/registry/registry-memory.ts';
import { giveBack, markReleasing, type Taken, take } from '../../../store/registry/reserve.ts';

export const UUID = '00000000-0000-4000-8000-000000000001';

/**
 * What happens to a request. `lost`: it never arrives. `answer-lost`: it takes effect. A number: its
 * sender is told `unknown`, and it arrives after as many steps.
 */
export type Fault = 'none' | 'lost' | 'answer-lost' | number;

/** So many turns for which the device is declared, or withdrawn, and whether the agent crashes somewhere in each. */
export type Spell = { readonly turns: number; readonly crashes: boolean };

export type Past = 'blank' | 'erased' | 'tombstone';

const TOMBSTONE: Hold = {
  v: 1,
  claim: { host: 'z', parent: 'p', type: 't' },
  phase: 'fenced',
  generation: { epoch: 1, sequence: 1 },
  incarnation: 1,
};

/** Who stood in the registry, in order; null for nobody. */
type Stood = { readonly host: string; readonly phase: string; readonly revision: number } | null;

export class World {
  readonly registry = new MemoryRegistry(() => '2026-01-01T00:00:00.000Z');
  readonly stood: Stood[] = [null];
  readonly agents: readonly Agent[];
  readonly #scheduler: Scheduler;
  readonly #faults: Fault[];

  constructor(scheduler: Scheduler, hosts: readonly string[], faults: readonly Fault[]) {
    this.#scheduler = scheduler;
    this.#faults = [...faults];
    this.agents = hosts.map((host) => new Agent(this, host));
  }

  /** Lets others go first. */
  step(what: string): Promise<void> {
    return this.#scheduler.schedule(Promise.resolve(), what);
  }

  /** Something stood under the UUID before: it was given back, or taken by force from a host that is gone. */
  async begin(past: Past): Promise<void> {
    if (past === 'erased') await this.registry.erase(UUID, 0);
    if (past === 'tombstone') await this.registry.write(UUID, encodeValue(TOMBSTONE), 0);
  }

  nextFault(): Fault {
    return this.#faults.shift() ?? 'none';
  }

  stopFaults(): void {
    this.#faults.length = 0;
  }

  /** Applies a write and notes who stands in the registry then. */
  async apply(write: () => Promise<Written>): Promise<Written> {
    const written = await write();
    if (written.kind === 'written') this.stood.push(await this.standing());
    return written;
  }

  /** True when a host that was fenced came to hold the UUID with nobody between, and had not heard of it before. */
  wentPastFence(): boolean {
    return this.stood.some((stood, index) => {
      const before = this.stood[index - 1];
      const past = before?.phase === 'fenced' && stood?.host === before.host && stood.phase !== 'fenced';
      return past && !this.agents.some((one) => one.host === before.host && one.heard.has(before.revision));
    });
  }

  async standing(): Promise<Stood> {
    const entry = await this.registry.read(UUID);
    if (!entry?.value) return null;
    const { claim, phase } = decodeHold(entry.value);
    return { host: claim.host, phase, revision: entry.revision };
  }

  /** An operator takes the UUID away from whoever has it after some steps; a holder hears of it at once. */
  async forceRelease(afterSteps: number): Promise<void> {
    for (let step = 0; step <= afterSteps; step += 1) await this.step('force release');
    const entry = await this.registry.read(UUID);
    if (!entry?.value) return;
    const hold = decodeHold(entry.value);
    const tombstone = encodeValue({ ...hold, phase: 'fenced' });
    const written = await this.apply(() => this.registry.write(UUID, tombstone, entry.revision));
    if (written.kind !== 'written') throw new Error('somebody wrote in between');
    const holder = this.agents.find((agent) => agent.host === hold.claim.host);
    holder?.forced(entry.revision, written.revision);
  }

  checkOneHolder(): void {
    const holders = this.agents.filter((agent) => agent.hasDevice).map((agent) => agent.host);
    if (holders.length > 1) throw new Error(`two holders: ${holders.join(' and ')}`);
  }
}

type Journal =
  | { readonly phase: 'none' | 'claiming' | 'fenced' }
  | { readonly phase: 'reserved'; readonly revision: number }
  | { readonly phase: 'releasing'; readonly revision: number | null };

/** A life of an agent ends with a crash; what it sent before may still arrive. */
type Life = { alive: boolean };

export class Agent {
  readonly host: string;
  journal: Journal = { phase: 'none' };
  wanted = false;
  /** From holding the UUID until its device was seen gone, which is when it is given back. */
  hasDevice = false;
  /** Revisions of tombstones that its journal has. */
  readonly heard = new Set<number>();
  /** The last of them. */
  #fence: number | null = null;
  /** The last answer to a take. */
  answer: Taken | null = null;
  readonly #world: World;
  #incarnation = 1;
  #forcedUpTo = 0;

  constructor(world: World, host: string) {
    this.#world = world;
    this.host = host;
  }

  get claim() {
    return { host: this.host, parent: 'p', type: 't' };
  }

  get owner() {
    return { claim: this.claim, generation: { epoch: 1, sequence: 1 }, incarnation: this.#incarnation };
  }

  /** Declared and withdrawn in turn. */
  async live(spells: readonly Spell[]): Promise<void> {
    for (const { turns, crashes } of spells) {
      this.wanted = !this.wanted;
      for (let turn = 0; turn < turns; turn += 1) await (crashes ? this.#crashingTurn() : this.turn());
    }
  }

  async #crashingTurn(): Promise<void> {
    const life = { alive: true };
    await Promise.race([this.turn(life), this.#world.step(`${this.host} crashes`)]);
    life.alive = false;
    this.#incarnation += 1;
  }

  /** One step onward from what is journaled to what is wanted. */
  async turn(life: Life = { alive: true }): Promise<void> {
    const registry = new Client(this.#world, this.host, life);
    switch (this.journal.phase) {
      case 'none':
        return this.wanted ? this.#take(registry) : undefined;
      case 'claiming':
        return this.wanted ? this.#take(registry) : this.#giveBack(registry, null);
      case 'reserved':
        return this.wanted ? undefined : this.#beginRelease(registry, this.journal.revision);
      case 'releasing':
        return this.#giveBack(registry, this.journal.revision);
      case 'fenced':
        return this.wanted ? undefined : this.#write({ phase: 'none' });
    }
  }

  /** What was written for this agent up to that revision is not its own any more, even if it has yet to hear of it. */
  forced(revision: number, tombstone: number): void {
    this.#forcedUpTo = revision;
    this.hasDevice = false;
    if (this.journal.phase !== 'reserved') return;
    this.#write({ phase: 'fenced' });
    this.#hear(tombstone);
  }

  #write(journal: Journal): void {
    this.journal = journal;
    if (journal.phase === 'reserved') this.hasDevice = true;
    this.#world.checkOneHolder();
  }

  async #take(registry: Registry): Promise<void> {
    this.#write({ phase: 'claiming' });
    const from = this.#world.stood.length - 1;
    const answer = await take(registry, UUID, { ...this.owner, replaces: null, fence: this.#fence });
    this.answer = answer;
    if (answer.kind === 'held') this.#hold(answer.revision);
    if (answer.kind === 'fenced') this.#fenced(answer.revision);
    if (answer.kind === 'taken') this.#checkConflict(answer.holder.claim.host, from);
  }

  #hear(tombstone: number): void {
    this.#fence = tombstone;
    this.heard.add(tombstone);
  }

  #fenced(tombstone: number): void {
    this.#hear(tombstone);
    if (this.#forcedUpTo === 0) throw new Error(`${this.host} was told that it is fenced, and never was`);
    this.#write({ phase: 'fenced' });
  }

  #hold(revision: number): void {
    this.#write(revision > this.#forcedUpTo ? { phase: 'reserved', revision } : { phase: 'fenced' });
  }

  /** No conflict may be told that was none: the holder stood there at some time during the call. */
  #checkConflict(holder: string, from: number): void {
    const during = this.#world.stood.slice(from);
    const true_ = during.some((stood) => stood?.host === holder && stood.phase === 'held');
    if (!true_) throw new Error(`${this.host} was told of a conflict with ${holder}, which held nothing`);
  }

  async #beginRelease(registry: Registry, revision: number): Promise<void> {
    this.#write({ phase: 'releasing', revision });
    await markReleasing(registry, UUID, this.owner, revision);
  }

  async #giveBack(registry: Registry, revision: number | null): Promise<void> {
    this.#write({ phase: 'releasing', revision });
    this.hasDevice = false;
    const answer = await giveBack(registry, UUID, this.owner, revision);
    if (answer.kind !== 'unknown') this.#write({ phase: 'none' });
  }
}

/** The registry as one life of an agent reaches it. */
class Client implements Registry {
  readonly #world: World;
  readonly #host: string;
  readonly #life: Life;

  constructor(world: World, host: string, life: Life) {
    this.#world = world;
    this.#host = host;
    this.#life = life;
  }

  read(): Promise<never> {
    throw new Error('the protocol reads by revision only');
  }

  at(...query: Parameters<Registry['at']>): ReturnType<Registry['at']> {
    return this.#exchange(async () => {
      if (this.#world.nextFault() !== 'none') throw new RegistryUnavailable('a fault of the test');
      return this.#world.registry.at(...query);
    });
  }

  write(...write: Parameters<Registry['write']>): Promise<Written> {
    return this.#exchange(() => this.#send(() => this.#world.registry.write(...write)));
  }

  erase(...erase: Parameters<Registry['erase']>): Promise<Written> {
    return this.#exchange(() => this.#send(() => this.#world.registry.erase(...erase)));
  }

  async close(): Promise<void> {
    // Nothing to close.
  }

  /** There and back; who is dead sends nothing and hears nothing. */
  async #exchange<T>(ask: () => Promise<T>): Promise<T> {
    if (!this.#life.alive) return new Promise(() => undefined);
    await this.#world.step(`request of ${this.#host}`);
    try {
      return await ask();
    } finally {
      await this.#world.step(`answer to ${this.#host}`);
      if (!this.#life.alive) await new Promise(() => undefined);
    }
  }

  async #send(write: () => Promise<Written>): Promise<Written> {
    const fault = this.#world.nextFault();
    if (fault === 'none') return this.#world.apply(write);
    if (fault === 'answer-lost') await this.#world.apply(write);
    if (typeof fault === 'number') void this.#sendLate(write, fault);
    return { kind: 'unknown', cause: fault };
  }

  async #sendLate(write: () => Promise<Written>, steps: number): Promise<void> {
    for (let step = 0; step <= steps; step += 1) await this.#world.step(`late write of ${this.#host}`);
    await this.#world.apply(write);
  }
}
