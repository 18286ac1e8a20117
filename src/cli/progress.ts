/**
 * How far a wait has come, in one line: a bar, how many are settled, the time that is left, and what is waited for.
 */
import type { Verdict } from '../declare/settle.ts';

const BAR_CHARS = 24;
/** Most reasons that are named. */
const REASONS_MAX = 3;

/** The most important comes first, since a narrow terminal shows no more. */
export function progressText(found: readonly Verdict[], leftMs: number): string {
  const byState = Map.groupBy(found, ({ state }) => state);
  const { settled = [], terminal = [], waiting = [] } = Object.fromEntries(byState);
  return [
    `${bar(found.length - waiting.length, found.length)} ${settled.length} of ${found.length} settled`,
    ...(terminal.length === 0 ? [] : [`${terminal.length} cannot be`]),
    `${timeText(leftMs)} left`,
    ...reasonsOf(waiting),
  ].join(', ');
}

function bar(done: number, of: number): string {
  const full = of === 0 ? BAR_CHARS : Math.floor((BAR_CHARS * done) / of);
  return `[${'#'.repeat(full).padEnd(BAR_CHARS, '.')}]`;
}

function timeText(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1_000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** Those of most devices first. */
function reasonsOf(waiting: readonly Verdict[]): readonly string[] {
  const byReason = [...Map.groupBy(waiting, ({ reason }) => reason ?? 'under way')];
  byReason.sort(([, a], [, b]) => b.length - a.length);
  return byReason.slice(0, REASONS_MAX).map(([reason, all]) => `${all.length} ${reason}`);
}
