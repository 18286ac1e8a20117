/**
 * The reconciler's loop inside a guest, on the true sysfs and the true udevadm, with journal and registry in memory.
 * Without a server, a disk and the modules of an agent it is up in no time, and it tells who had a pass.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DeviceFact, FactOf } from '../../events/fact.ts';
import type { Attribute, Uuid } from '../../events/names.ts';
import { decodeRecord } from '../../events/record.ts';
import { sleep } from '../../reconciler/clock.ts';
import { systemClock, systemRandom } from '../../reconciler/clock-system.ts';
import type { Change, Host, Place } from '../../reconciler/host.ts';
import { RECONCILER_LIMITS, type ReconcilerLimits } from '../../reconciler/limits.ts';
import { Memory } from '../../reconciler/memory.ts';
import { Reconciler, type Trigger } from '../../reconciler/reconciler.ts';
import { createSysfsHost, type SysfsHostOptions } from '../../reconciler/sysfs/host-sysfs.ts';
import { decide } from '../../store/decide.ts';
import { MemoryDisk, type MemoryJournal, openMemoryJournal } from '../../store/journal/journal-memory.ts';
import { MemoryRegistry } from '../../store/registry/registry-memory.ts';
import { rowsOf } from '../../store/rows.ts';
import { overriding } from '../sim/overriding.ts';
import { until } from './mdev.ts';

const HOST = 'kernel';
/** Longer than any of these tests. */
const NEVER_MS = 3_600_000;
/** In so long a time without anything to do, everything that was under way has come to its end. */
const QUIET_MS = 1_500;

/** A sysfs host that has no other way to notice a change than what the test gives it. */
export function openHost(options: Partial<SysfsHostOptions> = {}): Host {
  return createSysfsHost({
    clock: systemClock,
    marksDir: mkdtempSync(join(tmpdir(), 'writers-')),
    ...options,
    limits: { pollMs: NEVER_MS, pollBesideUeventsMs: NEVER_MS, readDeadlineMs: 60_000, ...options.limits },
  });
}

/** Pids of the udevadm that this process has started. */
export function udevadms(): readonly number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter(isUdevadm);
}

function isUdevadm(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes('monitor');
  } catch {
    return false;
  }
}

export class GuestLoop {
  readonly changes: Change[] = [];
  /** Each pass that ended, by its UUID. */
  readonly passes: Uuid[] = [];
  readonly foundByResync: Uuid[] = [];
  readonly #journal: MemoryJournal;
  readonly #reconciler: Reconciler;
  readonly #faults: unknown[] = [];
  #declared = 0;

  private constructor(host: Host, limits: Partial<ReconcilerLimits>) {
    const clock = systemClock;
    this.#journal = openMemoryJournal({
      disk: new MemoryDisk(),
      journal: 'guest-loop',
      host: HOST,
      machine: { machineId: 'guest', product: null },
      software: 'test',
      stamp: () => ({ time: clock.wall(), boot: 'guest' }),
      schedule: (commit) => void setImmediate(commit),
    });
    const onChange: Host['onChange'] = (listener) =>
      host.onChange((change) => {
        this.changes.push(change);
        listener(change);
      });
    this.#reconciler = new Reconciler({
      journal: this.#journal,
      registry: new MemoryRegistry(() => clock.wall()),
      host: overriding(host, { onChange }),
      memory: new Memory(false),
      self: { kernel: 'guest', labels: {} },
      incarnation: () => 1,
      hasReached: () => true,
      isMadeAgain: () => false,
      admission: async () => ({ kind: 'admitted', incarnation: 1 }),
      declaredOn: async () => 'standing',
      dispute: () => null,
      clock,
      random: systemRandom,
      limits: { ...RECONCILER_LIMITS, resyncMs: NEVER_MS, ...limits },
      events: {
        passEnded: (uuid) => this.passes.push(uuid),
        passFailed: (_uuid, error) => this.#faults.push(error),
        foundByResync: (uuid) => this.foundByResync.push(uuid),
        surveyed: () => undefined,
        surveyFailed: (error) => this.#faults.push(error),
      },
    });
    this.#reconciler.start();
  }

  static start(host: Host, limits: Partial<ReconcilerLimits> = {}): GuestLoop {
    return new GuestLoop(host, limits);
  }

  /** Resolves when it has been told so often that anything may have changed: each time uevents begin to be heard. */
  heard(times: number): Promise<void> {
    const unknown = (): number => this.changes.filter(({ kind }) => kind === 'unknown').length;
    return this.#wait(`uevents to be heard ${times} times`, () => unknown() >= times);
  }

  /** Declares devices at a place, and waits until they are ready. */
  async ready(place: Place, ...uuids: readonly Uuid[]): Promise<void> {
    for (const uuid of uuids) await this.declare(place, uuid);
    for (const uuid of uuids) await this.until('ready', uuid);
  }

  async declare(place: Place, uuid: Uuid, attributes: readonly Attribute[] = []): Promise<void> {
    const event = this.#event();
    const data = { uuid, host: HOST, ...place, attributes: [...attributes] };
    const generation = { epoch: 1, sequence: this.#declared };
    const fact = decide(this.#journal.latest(uuid), { desired: 'present', event, data }, generation);
    await this.#record(fact, 'declaration');
  }

  /** As an operator's `retry`. */
  async retry(uuid: Uuid): Promise<void> {
    const event = this.#event();
    const sequence = this.#declared;
    await this.#record({ kind: 'commanded', v: 1, uuid, sequence, event, command: 'retry' }, 'command');
  }

  /** As the periodic pass. */
  look(uuid: Uuid): void {
    this.#reconciler.trigger(uuid, 'resync');
  }

  #event() {
    this.#declared += 1;
    return { id: `event-${this.#declared}`, source: 'test', time: systemClock.wall() };
  }

  async #record(fact: DeviceFact, why: Trigger): Promise<void> {
    const { kind } = await this.#journal.append({ facts: [fact] });
    assert.equal(kind, 'durable');
    this.#reconciler.trigger(fact.uuid, why);
  }

  async until(state: string, uuid: Uuid): Promise<void> {
    await this.#wait(`${uuid} to be ${state}`, () => this.state(uuid) === state);
  }

  /** Resolves when the device was gone, for that cause and once, and is ready again. */
  async returned(uuid: Uuid, cause: FactOf<'drift'>['cause']): Promise<void> {
    const isBack = (): boolean => this.drifts(uuid).length > 0 && this.state(uuid) === 'ready';
    await this.#wait(`${uuid} to be gone and back`, isBack);
    assert.deepEqual(this.drifts(uuid), [cause]);
  }

  #wait(what: string, happened: () => boolean): Promise<void> {
    return until(what, () => {
      for (const fault of this.#faults) throw fault;
      return happened();
    });
  }

  state(uuid: Uuid): string {
    const rows = rowsOf(this.#journal.device(uuid));
    return rows.map(({ state, reason }) => (reason === null ? state : `${state} ${reason}`)).join();
  }

  message(uuid: Uuid): string {
    return rowsOf(this.#journal.device(uuid))[0]?.message ?? '';
  }

  /** The kinds of all that was recorded of the device. */
  kinds(uuid: Uuid): readonly string[] {
    const facts = this.#journal.read(0, Number.MAX_SAFE_INTEGER).map(({ bytes }) => decodeRecord(bytes).fact);
    return facts.flatMap((fact) =>
      fact !== null && 'uuid' in fact && fact.uuid === uuid ? [fact.kind] : [],
    );
  }

  /** The causes of all drift that was recorded for the device. */
  drifts(uuid: Uuid): readonly string[] {
    const facts = this.#journal.read(0, Number.MAX_SAFE_INTEGER).map(({ bytes }) => decodeRecord(bytes).fact);
    const drifts = facts.filter((fact): fact is FactOf<'drift'> => fact?.kind === 'drift');
    return drifts.filter((fact) => fact.uuid === uuid).map(({ cause }) => cause);
  }

  /** Resolves when no pass has been due, under way or at its end for a while. */
  async quiet(): Promise<void> {
    for (let before = -1; before !== this.passes.length || this.#isBusy(); ) {
      before = this.passes.length;
      await sleep(systemClock, QUIET_MS);
    }
  }

  #isBusy(): boolean {
    const { ready, running } = this.#reconciler.depth;
    return ready + running > 0;
  }

  stop(): Promise<void> {
    return this.#reconciler.stop();
  }
}
