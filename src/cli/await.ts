/**
 * Waits until what was declared has become of it what will, or the time is over.
 */
import { sleep } from '../../reconciler/clock.ts';
import { keyOf } from '../declare/diff.ts';
import type { Reported } from '../declare/publish.ts';
import { type Awaited, type Verdict, verdicts } from '../declare/settle.ts';
import { Failure, type Outcome } from '../exit.ts';
import { readOf, readRows, readStandings } from '../fleet.ts';
import type { Fleet } from './open.ts';
import type { Output } from './output.ts';
import { progressText } from './progress.ts';
import type { Cell } from './terminal.ts';

/** Least time between two looks; of a large fleet, that to look is longer, and the pause is so many times that. */
const LOOK_MS = 500;
const PAUSE_PER_LOOK = 4;

const TIMEOUT = '5m';
const UNITS_MS = { s: 1_000, m: 60_000, h: 3_600_000 } as const;

/** `90`, `90s`, `5m`, `1h`: how long to wait. Throws a Failure for anything else. */
export function timeoutMsOf(given: unknown): number {
  const text = typeof given === 'string' ? given : TIMEOUT;
  const [, number, unit = 's'] = /^([0-9]{1,6})([smh])?$/.exec(text) ?? [];
  if (number !== undefined) return Number(number) * UNITS_MS[unit as keyof typeof UNITS_MS];
  throw new Failure(`reading the settings: --timeout: not a time: ${text}`, {
    outcome: 'usage',
    wayOut: 'give seconds, as 90, or a number and s, m or h, as 5m',
  });
}

/** What has become of each device, in the end or when the time was over. Throws StreamUnavailable. */
export async function awaitSettled(
  fleet: Fleet,
  changes: readonly Reported[],
  timeoutMs: number,
  out: Output,
): Promise<readonly Verdict[]> {
  const { clock, streams, prefix } = fleet;
  const awaited = await awaitedBy(fleet, changes);
  const hosts = new Set(awaited.map(({ host }) => host));
  const endMs = clock.monotonicMs() + timeoutMs;
  for (;;) {
    const beganMs = clock.monotonicMs();
    const rows = await readOf(hosts, (host) => readRows(streams.observed, prefix, host));
    const found = verdicts(awaited, rows);
    const nowMs = clock.monotonicMs();
    const leftMs = endMs - nowMs;
    out.progress(progressText(found, leftMs));
    if (leftMs <= 0 || found.every(({ state }) => state !== 'waiting')) {
      out.progress(null);
      return found;
    }
    await sleep(clock, Math.min(Math.max(LOOK_MS, PAUSE_PER_LOOK * (nowMs - beganMs)), leftMs));
  }
}

/** What stands declared now on the subjects of the changes. */
async function awaitedBy(
  { streams, prefix }: Fleet,
  changes: readonly Reported[],
): Promise<readonly Awaited[]> {
  const uuids = new Set(changes.map(({ uuid }) => uuid));
  if (uuids.size === 0) return [];
  const keys = new Set(
    changes.flatMap((one) => [keyOf(one), ...one.publications.map(({ data }) => keyOf(data))]),
  );
  const standings = await readStandings(streams.desired, prefix, { uuids });
  return [...standings].flatMap(([key, { sequence, declaration }]) => {
    if (declaration === null || !keys.has(key)) return [];
    const { host, uuid } = declaration.data;
    return [{ host, uuid, desired: declaration.desired, sequence }];
  });
}

/** How a run ends that waited for these. */
export function outcomeOf(found: readonly Verdict[]): Outcome {
  if (found.some(({ state }) => state === 'waiting')) return 'timeout';
  return found.some(({ state }) => state === 'terminal') ? 'terminal' : 'ok';
}

/** Says why devices are not as declared. */
export function showVerdicts(found: readonly Verdict[], out: Output): void {
  const open = found.filter(({ state }) => state !== 'settled');
  const rows = open.map(({ host, uuid, state, reason, message }): Cell[] => [
    { text: host },
    { text: uuid },
    { text: state, colour: state === 'terminal' ? 'red' : 'yellow' },
    { text: reason ?? '-' },
    { text: message ?? '-' },
  ]);
  if (rows.length > 0) out.table(['HOST', 'UUID', 'STATE', 'REASON', 'MESSAGE'], rows);
  out.line(`${found.length - open.length} of ${found.length} devices settled`);
}
