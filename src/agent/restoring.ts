/**
 * Whether what a host held when its agent started stands again.
 *
 * After a boot, guests are started that need their devices, so somebody waits for this. A device counts as long as it
 * may come back by itself within moments: its driver is still to arrive, or the kernel is at it. One that waits
 * for an operator or the server, or that cannot be as declared, keeps nobody waiting; nor does one that was not there
 * before an agent was merely started again.
 */
import type { Uuid } from '../../events/names.ts';
import type { WaitingReason } from '../../events/reasons.ts';
import type { PassEnd } from '../../reconciler/pass.ts';
import type { Device } from '../../store/device.ts';

/** Soon after a boot, these pass by themselves. */
const SOON: ReadonlySet<WaitingReason> = new Set([
  'HostUnreadable',
  'Busy',
  'ParentAbsent',
  'TypeAbsent',
  'CreateInProgress',
  'RemovalInProgress',
  'KernelBusy',
  'KernelError',
  'WriteStuck',
]);

export class Restoring {
  /** Resolves once nothing is waited for any more; never rejects. */
  readonly done: Promise<void>;
  readonly #left: Set<Uuid>;
  readonly #bootIsNew: boolean;
  readonly #resolve: () => void;

  /**
   * @param devices what the journal knows at the start
   * @param bootIsNew true when the machine booted since the journal was last written
   */
  constructor(devices: Iterable<Device>, bootIsNew: boolean) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.done = promise;
    this.#resolve = resolve;
    this.#bootIsNew = bootIsNew;
    this.#left = new Set([...devices].filter(isHeld).map(({ uuid }) => uuid));
    this.#look();
  }

  /** How many devices are still waited for. */
  get left(): number {
    return this.#left.size;
  }

  /** A pass for the UUID has ended. */
  passEnded(uuid: Uuid, end: PassEnd): void {
    if (this.#isUnderWay(end) || !this.#left.delete(uuid)) return;
    this.#look();
  }

  #isUnderWay(end: PassEnd): boolean {
    if (end.kind === 'requeue') return true;
    return end.kind === 'waiting' && this.#bootIsNew && SOON.has(end.reason);
  }

  #look(): void {
    if (this.#left.size === 0) this.#resolve();
  }
}

/** Held for a device that is still declared; what is to go is no guest's. */
function isHeld({ desired, reservation }: Device): boolean {
  const phase = reservation?.phase;
  return desired?.kind === 'present' && (phase === 'reserved' || phase === 'active');
}
