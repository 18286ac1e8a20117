/**
 * When a reconciler has come to a standstill: one notion of it for health, metrics and the service manager.
 *
 * While devices wait for a pass, passes begin and end, and whatever one waits for has a deadline. That none begins or
 * ends for longer than a pass can take is a fault of the program, which a restart may cure; that the program does not
 * answer at all, whoever asks notices by himself.
 */

/** The deadlines of what a pass waits for. */
export type Deadlines = {
  readonly writeDeadlineMs: number;
  readonly hookDeadlineMs: number;
  readonly natsTimeoutMs: number;
};

/** So much is left for what has no deadline of its own. */
const ALLOWANCE_MS = 60_000;
/** Steps of a pass that may each take as long as they are allowed to. */
const SLOW_STEPS_MAX = 4;

/** How long no pass may begin or end, though devices wait for one (`AgentStatus.standstillMs`), in milliseconds. */
export function standstillMsMax({ writeDeadlineMs, hookDeadlineMs, natsTimeoutMs }: Deadlines): number {
  return ALLOWANCE_MS + SLOW_STEPS_MAX * (writeDeadlineMs + 2 * hookDeadlineMs + natsTimeoutMs);
}
