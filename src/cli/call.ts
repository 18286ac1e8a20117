/**
 * Whether a host is there, as far as can be told: it is asked, and whatever it reports then is an answer.
 */
import type { HostId } from '../../events/names.ts';
import { subjectFilter } from '../../events/subject.ts';
import { sleep } from '../../reconciler/clock.ts';
import type { Author } from '../declare/publish.ts';
import { Failure } from '../exit.ts';
import type { Fleet } from './open.ts';
import { publishCommands } from './order.ts';

/** Time that a host has to answer, unless --wait says otherwise. */
const WAIT_MS = 10_000;
const LOOK_EVERY_MS = 100;

/** True when the host has reported anything since it was asked. */
export async function isThere(fleet: Fleet, host: HostId, author: Author, wait: unknown): Promise<boolean> {
  const { streams, prefix, clock } = fleet;
  const waitMs = waitMsOf(wait);
  const filter = subjectFilter(prefix, 'observed', { host });
  const lastWord = async () => (await streams.observed.last(filter))?.sequence ?? 0;
  const before = await lastWord();
  await publishCommands(fleet, [{ command: 'call', event: author(), data: { host } }]);
  for (const endMs = clock.monotonicMs() + waitMs; ; await sleep(clock, LOOK_EVERY_MS)) {
    if ((await lastWord()) > before) return true;
    if (clock.monotonicMs() >= endMs) return false;
  }
}

/** The refusal of an act on a host that has answered. */
export function isAlive(doing: string, host: HostId, wayOut: string): Failure {
  return new Failure(`${doing}: host ${host} was asked whether it is there, and has answered`, {
    outcome: 'refused',
    wayOut,
  });
}

function waitMsOf(wait: unknown): number {
  if (wait === undefined) return WAIT_MS;
  if (typeof wait === 'string' && /^[0-9]{1,6}$/.test(wait)) return Number(wait);
  throw new Failure(`reading the settings: --wait: not a number of milliseconds: ${String(wait)}`, {
    outcome: 'usage',
    wayOut: 'give a whole number, at most 999999',
  });
}
