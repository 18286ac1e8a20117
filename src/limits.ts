/**
 * Every limit that an operator can set, with its unit last in its name and its default.
 *
 * In a configuration file they stand under `limits`; as a variable, `retryDelayMsMax` is
 * MDEVFLEET_LIMITS_RETRY_DELAY_MS_MAX. What no operator needs to set is a constant where it is used.
 */
import { z } from 'zod';
import { EMBEDDED_POLL_MS } from '../events/embedded/embedded.ts';
import { RECONCILER_LIMITS, type ReconcilerLimits } from '../reconciler/limits.ts';
import { LINK_LIMITS, type LinkLimits } from './agent/link.ts';
import { NOTARY_LIMITS, type NotaryLimits } from './agent/notary.ts';

/** The longest delay that a timer takes. */
const DELAY_MS_MAX = 2 ** 31 - 1;

const EXPECTED = `expected a whole number from 1 to ${DELAY_MS_MAX}`;

/** A variable's value is text. */
const whole = z
  .union(
    [
      z.number(),
      z
        .string()
        .regex(/^[0-9]+$/)
        .transform(Number),
    ],
    'expected a whole number',
  )
  .pipe(z.int(EXPECTED).min(1).max(DELAY_MS_MAX));

const count = (preset: number) => whole.default(preset);
const delayMs = count;

const { waitDelayMsMax: wait, ...reconciler } = RECONCILER_LIMITS;

export const limitSchemas = {
  passesMax: count(reconciler.passesMax).describe('Devices worked on at a time'),
  passesPerParentMax: count(reconciler.passesPerParentMax).describe('Of these, on one parent'),
  writesPerParentMax: count(reconciler.writesPerParentMax).describe(
    'Writes to sysfs at a time on one parent',
  ),
  stepsPerPassMax: count(reconciler.stepsPerPassMax).describe(
    'Steps for one device before the next has its turn',
  ),
  retryDelayMsMin: delayMs(reconciler.retryDelayMsMin).describe('First delay before trying again'),
  retryDelayMsMax: delayMs(reconciler.retryDelayMsMax).describe('Longest delay before trying again'),
  waitTimerMsMax: delayMs(wait.timer).describe('Longest wait for what only time can tell'),
  waitDeviceMsMax: delayMs(wait.device).describe('Longest wait for a uevent of the device'),
  waitRegistryMsMax: delayMs(wait.registry).describe('Longest wait for a change in the registry'),
  waitParentMsMax: delayMs(wait.parent).describe('Longest wait for a uevent of the parent'),
  waitHookMsMax: delayMs(wait.hook).describe(
    'Longest wait before a callout script that refused is asked again',
  ),
  waitCommandMsMax: delayMs(wait.command).describe('Longest wait for an operator before looking again'),
  transientAttemptsMin: count(reconciler.transientAttemptsMin).describe(
    'Attempts before a reason that usually passes is recorded',
  ),
  waitingRecordMsMin: delayMs(reconciler.waitingRecordMsMin).describe(
    'Least time between two records of why one device waits',
  ),
  unmanagedRecordMsMin: delayMs(reconciler.unmanagedRecordMsMin).describe(
    'Least time between two records of one device that nobody declared',
  ),
  lookRestMs: delayMs(reconciler.lookRestMs).describe('Time between two looks at everything on the host'),
  resyncMs: delayMs(reconciler.resyncMs).describe('Time between two passes over all devices'),
  hookDeadlineMs: delayMs(10_000).describe('A callout script that takes longer is killed, and has refused'),
  writeDeadlineMs: delayMs(10_000).describe('A write to sysfs that takes longer is stuck'),
  stopDeadlineMs: delayMs(10_000).describe('Time that an agent has to finish when it is stopped'),
  readyMsMax: delayMs(60_000).describe(
    'Most time after its start until an agent tells the service manager that it is ready',
  ),
  natsTimeoutMs: delayMs(5_000).describe('Longest wait for an answer of a NATS server'),
  forwardPauseMs: delayMs(LINK_LIMITS.forwardPauseMs).describe(
    'Pause after forwarding, in which further facts gather',
  ),
  streamPollMs: delayMs(LINK_LIMITS.pollMs).describe('Time between two looks at the streams without a ring'),
  streamDoubtMs: delayMs(LINK_LIMITS.doubtMs).describe(
    'Time between two looks at whether the streams still are what they were',
  ),
  registryProveMs: delayMs(LINK_LIMITS.proveMs).describe(
    'Time between two looks at who speaks for the host in the registry, and at its state',
  ),
  registryHoldsMs: delayMs(LINK_LIMITS.holdsMs).describe('Time between two readings of all that is held'),
  registryGraceMs: whole
    .nullable()
    .default(null)
    .describe(
      'Time after a connection in which others may notice a loss, before a new UUID is taken; ' +
        `by default ${LINK_LIMITS.takeGraceMs} with a server, and 0 with the embedded fleet`,
    ),
  registryJoinMsMax: delayMs(LINK_LIMITS.joinMsMax).describe(
    'A registry not reached for so long is said to be unreachable',
  ),
  registryDisputeMs: delayMs(LINK_LIMITS.disputeMs).describe(
    'Time between two looks at a hold of which it is not known who has it',
  ),
  checkpointMs: delayMs(NOTARY_LIMITS.checkpointMs).describe(
    'Time between two checkpoints of the journal, if anything was recorded',
  ),
  checkpointRecordsMax: count(NOTARY_LIMITS.checkpointRecordsMax).describe(
    'Records after which a checkpoint is made before that',
  ),
  embeddedPollMs: delayMs(EMBEDDED_POLL_MS).describe('Time between two looks at the embedded stream'),
};

export type LimitName = keyof typeof limitSchemas;
/** A limit is null where its default depends on other settings. */
export type Limits = { readonly [K in LimitName]: z.output<(typeof limitSchemas)[K]> };

/** What the agent and its parts are told; names that they share mean the same. */
export type AgentLimits = ReconcilerLimits &
  LinkLimits &
  Partial<NotaryLimits> & { readonly stopDeadlineMs: number };

/** The agent's part of the limits, in a fleet of that kind. */
export function agentLimits(limits: Limits, fleet: 'nats' | 'embedded'): AgentLimits {
  const { waitTimerMsMax, waitDeviceMsMax, waitRegistryMsMax, waitParentMsMax, ...others } = limits;
  const { waitHookMsMax, waitCommandMsMax, ...rest } = others;
  return {
    ...rest,
    pollMs: limits.streamPollMs,
    doubtMs: limits.streamDoubtMs,
    proveMs: limits.registryProveMs,
    holdsMs: limits.registryHoldsMs,
    takeGraceMs: limits.registryGraceMs ?? (fleet === 'embedded' ? 0 : LINK_LIMITS.takeGraceMs),
    joinMsMax: limits.registryJoinMsMax,
    disputeMs: limits.registryDisputeMs,
    forwardPauseMs: limits.forwardPauseMs,
    waitDelayMsMax: {
      timer: waitTimerMsMax,
      device: waitDeviceMsMax,
      registry: waitRegistryMsMax,
      parent: waitParentMsMax,
      hook: waitHookMsMax,
      command: waitCommandMsMax,
    },
  };
}
