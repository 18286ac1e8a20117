/**
 * Every limit of the reconciler, each with its unit.
 */
import type { Wake } from '../events/guidance.ts';

export type ReconcilerLimits = {
  /** Passes under way on one host. */
  readonly passesMax: number;
  /** Passes under way for one parent, so that a slow parent leaves room for the others. */
  readonly passesPerParentMax: number;
  /** Writes to sysfs under way below one parent. */
  readonly writesPerParentMax: number;
  /** Steps in one pass before the UUID goes to the end of the queue. */
  readonly stepsPerPassMax: number;
  readonly retryDelayMsMin: number;
  readonly retryDelayMsMax: number;
  /** The longest wait before looking again, by what may end the wait sooner. */
  readonly waitDelayMsMax: Readonly<Record<Wake, number>>;
  /** A reason that usually passes at once is recorded from this attempt on. */
  readonly transientAttemptsMin: number;
  /** Least time between two records of why one UUID waits. */
  readonly waitingRecordMsMin: number;
  /** Least time between two records of one device that nobody declared. */
  readonly unmanagedRecordMsMin: number;
  /** Time between two looks at everything on the host, whatever is announced meanwhile. */
  readonly lookRestMs: number;
  /** Time between two passes over everything. */
  readonly resyncMs: number;
};

export const RECONCILER_LIMITS: ReconcilerLimits = {
  passesMax: 256,
  passesPerParentMax: 16,
  writesPerParentMax: 1,
  stepsPerPassMax: 16,
  retryDelayMsMin: 10,
  retryDelayMsMax: 300_000,
  waitDelayMsMax: {
    timer: 5_000,
    device: 10_000,
    registry: 10_000,
    parent: 30_000,
    hook: 60_000,
    command: 300_000,
  },
  transientAttemptsMin: 4,
  waitingRecordMsMin: 1_000,
  unmanagedRecordMsMin: 5_000,
  lookRestMs: 250,
  resyncMs: 300_000,
};
