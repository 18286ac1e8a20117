/**
 * One host for the tests of passes and of the loop: journal, registry and kernel in memory, and a clock that a test
 * moves. Nothing is simulated but the machine; what operators declare goes through the same decisions as in an agent.
 *
 * `before` and `answers` let a test step in: the one runs just before a call reaches the host or the registry,
 * the other replaces its answer.
 */
import type { Fact, FactOf } from '../../events/fact.ts';
import type { Attribute, Claim, Uuid } from '../../events/names.ts';
import { decodeRecord } from '../../events/record.ts';
import type { Row } from '../../events/row.ts';
import type { Acting, Admission } from '../../reconciler/acting.ts';
import { Gate } from '../../reconciler/gate.ts';
import type { Observed, Place, Survey, WriteResult } from '../../reconciler/host.ts';
import { RECONCILER_LIMITS, type ReconcilerLimits } from '../../reconciler/limits.ts';
import { Memory } from '../../reconciler/memory.ts';
import { type PassEnd, runPass } from '../../reconciler/pass.ts';
import { createSimulatedHost } from '../../reconciler/simulated/host-sim.ts';
import { SimulatedKernel } from '../../reconciler/simulated/kernel-sim.ts';
import { type KernelConfigInput, kernelConfig } from '../../reconciler/simulated/kernel-sim-config.ts';
import { decide } from '../../store/decide.ts';
import type { DeclaredOn } from '../../store/declared-on.ts';
import { MemoryDisk, type MemoryJournal, openMemoryJournal } from '../../store/journal/journal-memory.ts';
import { decodeHold, encodeValue, type Hold } from '../../store/registry/hold.ts';
import type { Registry } from '../../store/registry/registry.ts';
import { MemoryRegistry } from '../../store/registry/registry-memory.ts';
import { rowsOf } from '../../store/rows.ts';
import { ManualClock } from '../manual-clock.ts';

export const HOST = 'host-1';
export const PLACE: Place = { parent: 'gpu0', type: 'small' };
const INCARNATION = 1;
const AWAY: Admission = { kind: 'unreachable', message: 'the registry is away' };

const types = [
  { name: 'small', attributes: [{ name: 'rate', accepts: '^[0-9]+$' }] },
  { name: 'big', units: 4 },
];
const CONFIG: KernelConfigInput = {
  parents: [
    { name: 'gpu0', units: 8, types },
    { name: 'gpu1', units: 8, types },
    { name: 'late', units: 8, types, registered: false },
  ],
};

/** The n-th UUID of these tests. */
export function uuidOf(n: number): Uuid {
  return `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
}

export const UUID = uuidOf(1);

/** What is recorded of a device until it is ready. */
export const READY: readonly string[] = ['declared', 'claiming', 'reserved', 'active'];

/** A world in which the UUID is declared, made and ready. */
export async function ready(options: WorldOptions = {}): Promise<World> {
  const world = new World(options);
  await world.declare();
  await world.pass();
  if (world.state() !== 'ready') throw new Error(`not ready, but ${world.state()}`);
  return world;
}

type Call =
  | 'observe'
  | 'survey'
  | 'stock'
  | 'create'
  | 'remove'
  | 'setAttribute'
  | 'read'
  | 'write'
  | 'erase';
export type Declared = Partial<Place> & {
  readonly attributes?: readonly Attribute[];
  readonly replaces?: Claim;
};

export type WorldOptions = {
  readonly kernel?: Partial<KernelConfigInput>;
  readonly limits?: Partial<ReconcilerLimits>;
  /** True to begin as after a boot of the machine. */
  readonly bootIsNew?: boolean;
  /** What an earlier world left on its disk, kernel and registry: this one is the agent started after it. */
  readonly after?: World;
};

export class World {
  readonly clock: ManualClock;
  readonly kernel: SimulatedKernel;
  readonly registry: MemoryRegistry;
  readonly disk: MemoryDisk;
  readonly journal: MemoryJournal;
  readonly limits: ReconcilerLimits;
  readonly acting: Acting;
  readonly before = new Map<Call, () => unknown>();
  readonly answers = new Map<Call, () => unknown>();
  /** Calls of the host and the registry, in order, but looks. */
  readonly writes: string[] = [];
  incarnation: number | null = INCARNATION;
  hasReached = true;
  isMadeAgain = false;
  /** Answers to the next questions whether a UUID may be taken; when there are none it may. */
  readonly admissions: Admission[] = [];
  dispute: string | null = null;
  /** What stands declared of any UUID on any other host. */
  declaredElsewhere: DeclaredOn = 'standing';
  #sequence = 0;

  constructor({ kernel = {}, limits = {}, bootIsNew = false, after }: WorldOptions = {}) {
    this.clock = after?.clock ?? new ManualClock();
    const config = kernelConfig.parse({ ...CONFIG, ...kernel });
    this.kernel = after?.kernel ?? new SimulatedKernel({ config, clock: this.clock, random: () => 0.5 });
    this.registry = after?.registry ?? new MemoryRegistry(() => this.clock.wall());
    this.disk = after?.journal.crash() ?? new MemoryDisk();
    this.#sequence = after === undefined ? 0 : after.#sequence;
    this.journal = this.#openJournal();
    this.limits = { ...RECONCILER_LIMITS, ...limits };
    const host = this.#stepIn(createSimulatedHost({ kernel: this.kernel, clock: this.clock }), HOST_CALLS);
    const registry = this.#stepIn<Registry>(this.registry, REGISTRY_CALLS);
    const gate = new Gate(this.limits.writesPerParentMax);
    this.acting = {
      ...{ journal: this.journal, registry, host, gate, memory: new Memory(bootIsNew) },
      incarnation: () => this.incarnation,
      hasReached: () => this.hasReached,
      isMadeAgain: () => this.isMadeAgain,
      admission: async () => this.#admit(),
      declaredOn: async () => this.declaredElsewhere,
      dispute: () => this.dispute,
    };
  }

  #admit(): Admission {
    const { incarnation } = this;
    if (this.admissions.length > 0) return this.admissions.shift() as Admission;
    return incarnation === null ? AWAY : { kind: 'admitted', incarnation };
  }

  #openJournal(): MemoryJournal {
    return openMemoryJournal({
      disk: this.disk,
      journal: 'journal-1',
      host: HOST,
      machine: { machineId: 'machine-1', product: null },
      software: 'test',
      stamp: () => ({ time: this.clock.wall(), boot: this.kernel.bootId }),
      schedule: (commit) => void this.clock.after(0, commit),
    });
  }

  /** The same object, whose calls first run what the test put into `before`, or answer what it put into `answers`. */
  #stepIn<T extends object>(port: T, calls: readonly Call[]): T {
    return new Proxy(port, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== 'function') return member;
        const call = calls.find((one) => one === name);
        return call === undefined ? member.bind(target) : this.#call.bind(this, call, member.bind(target));
      },
    });
  }

  async #call(name: Call, call: (...args: unknown[]) => unknown, ...args: unknown[]): Promise<unknown> {
    await this.#take(this.before, name);
    if (!LOOKS.has(name)) this.writes.push(name);
    return this.answers.has(name) ? this.#take(this.answers, name) : call(...args);
  }

  /** What is put there is used once. */
  async #take(from: Map<Call, () => unknown>, name: Call): Promise<unknown> {
    const found = from.get(name);
    from.delete(name);
    return found?.();
  }

  // What operators do.

  async declare(uuid: Uuid = UUID, declared: Declared = {}): Promise<FactOf<'declared'>['outcome']> {
    const { attributes = [], ...wanted } = declared;
    const data = { ...PLACE, uuid, host: HOST, attributes: [...attributes], ...wanted };
    return this.#decide(uuid, { desired: 'present', event: this.#event(), data });
  }

  async withdraw(uuid: Uuid = UUID): Promise<void> {
    await this.#decide(uuid, { desired: 'absent', event: this.#event(), data: { uuid, host: HOST } });
  }

  async retry(uuid: Uuid = UUID): Promise<void> {
    const event = this.#event();
    await this.record({ kind: 'commanded', v: 1, uuid, sequence: this.#sequence, event, command: 'retry' });
  }

  async steer(command: 'pause' | 'resume'): Promise<void> {
    const event = this.#event();
    await this.record({ kind: 'steered', v: 1, sequence: this.#sequence, event, command });
  }

  /** Without a parent, the whole host. */
  async cordon(command: 'cordon' | 'uncordon', parent: string | null = null): Promise<void> {
    const event = this.#event();
    await this.record({ kind: 'cordoned', v: 1, sequence: this.#sequence, event, command, parent });
  }

  async #decide(
    uuid: Uuid,
    declaration: Parameters<typeof decide>[1],
  ): Promise<FactOf<'declared'>['outcome']> {
    const generation = { epoch: 1, sequence: this.#sequence };
    const fact = decide(this.journal.latest(uuid), declaration, generation);
    await this.record(fact);
    return fact.outcome;
  }

  async record(...facts: readonly Fact[]): Promise<void> {
    const result = await this.clock.until(this.journal.append({ facts }));
    if (result.kind !== 'durable') throw new Error(`not recorded: ${result.kind}`);
  }

  #event() {
    this.#sequence += 1;
    return { id: `event-${this.#sequence}`, source: 'test', time: this.clock.wall() };
  }

  // What others do.

  /** Another host takes the UUID, or writes what the hold says. */
  async holdElsewhere(uuid: Uuid = UUID, hold: Partial<Hold> = {}): Promise<void> {
    const claim = { host: 'host-2', ...PLACE };
    const whole: Hold = {
      v: 1,
      claim,
      phase: 'held',
      generation: { epoch: 1, sequence: 1 },
      incarnation: 1,
      ...hold,
    };
    const last = (await this.registry.read(uuid))?.revision ?? 0;
    await this.registry.write(uuid, encodeValue(whole), last);
  }

  async freeElsewhere(uuid: Uuid = UUID): Promise<void> {
    await this.registry.erase(uuid, (await this.registry.read(uuid))?.revision ?? 0);
  }

  // What happens, and what came of it.

  /** One pass for the UUID, to its end. */
  pass(uuid: Uuid = UUID, count = 0): Promise<PassEnd & { readonly steps: number }> {
    return this.clock.until(runPass(this.acting, this.limits, uuid, { count, mayRecordWaiting: true }));
  }

  facts(uuid: Uuid = UUID): readonly Fact[] {
    const all = this.journal.read(0, Number.MAX_SAFE_INTEGER).map(({ bytes }) => decodeRecord(bytes).fact);
    return all.filter((one) => one !== null && 'uuid' in one && one.uuid === uuid) as Fact[];
  }

  kinds(uuid: Uuid = UUID): readonly string[] {
    return this.facts(uuid).map(({ kind }) => kind);
  }

  last<K extends Fact['kind']>(kind: K, uuid: Uuid = UUID): FactOf<K> | undefined {
    return this.facts(uuid).findLast((one): one is FactOf<K> => one.kind === kind);
  }

  rows(uuid: Uuid = UUID): readonly Row[] {
    return rowsOf(this.journal.device(uuid));
  }

  state(uuid: Uuid = UUID): string {
    return this.rows(uuid)
      .map(({ state, reason }) => (reason === null ? state : `${state} ${reason}`))
      .join(' + ');
  }

  /** Who holds the UUID in the registry, and in which phase. */
  async hold(uuid: Uuid = UUID): Promise<string | undefined> {
    const value = (await this.registry.read(uuid))?.value ?? null;
    if (value === null) return undefined;
    const { claim, phase } = decodeHold(value);
    return `${claim.host} ${claim.parent} ${phase}`;
  }
}

const HOST_CALLS: readonly Call[] = ['observe', 'survey', 'stock', 'create', 'remove', 'setAttribute'];
const REGISTRY_CALLS: readonly Call[] = ['read', 'write', 'erase'];
const LOOKS: ReadonlySet<Call> = new Set(['observe', 'survey', 'stock', 'read']);

/** Answers of the ports, for `answers`. */
export function errnoAnswer(errno: number): WriteResult {
  return { kind: 'errno', errno, call: 'write', file: '/sys/some/file' };
}

export function unreadable(): Observed & Survey {
  return { kind: 'unreadable', errno: 5, message: 'reading answered EIO' };
}
