/**
 * What `get devices` shows: what hosts reported, and what they have not reported on yet.
 *
 * Pure. A declaration that its host has not taken in is a row of its own beside the host's last
 * word, so that nobody mistakes an old `ready` for an answer to a new declaration.
 */

import type { PresentData } from '../../events/declaration.ts';
import { type Guidance, withHint } from '../../events/guidance.ts';
import type { HostId } from '../../events/names.ts';
import type { DeviceState, Row } from '../../events/row.ts';
import { compare } from '../compare.ts';
import { claimOf, keyOf, type Standings } from '../declare/diff.ts';

/** The host has not reported on the declaration; no host can say that of itself. */
export const NOT_REPORTED = 'NotReported';

/** What that means. */
export const UNREPORTED: Guidance = {
  meaning: 'the host has not reported on this declaration yet',
  ends: 'the agent of the host reads the declaration, and reports',
  hint: 'see that the agent runs on the host, and reaches the server',
};

export const UNREPORTED_MESSAGE = withHint(UNREPORTED.meaning, UNREPORTED);

/** A row as reported, or that of a declaration which was not reported on. */
export type ShownRow = Omit<Row, 'reason'> & { readonly reason: Row['reason'] | typeof NOT_REPORTED };

/** Which rows to show; all unless given. */
export type Only = {
  readonly host?: HostId | undefined;
  readonly state?: DeviceState | undefined;
  readonly type?: string | undefined;
  readonly set?: string | undefined;
  readonly reason?: string | undefined;
};

/** Reported rows and unreported declarations, sorted by host and UUID. */
export function shownRows(
  reported: readonly Row[],
  standings: Standings,
  only: Only = {},
): readonly ShownRow[] {
  const known = new Set(reported.map((row) => `${keyOf(row)} ${row.generation?.sequence}`));
  const rows = [...reported, ...unreported(standings, known)];
  return rows
    .filter((row) => isAskedFor(row, only))
    .sort((a, b) => compare(a.host, b.host) || compare(a.uuid, b.uuid));
}

export function isAskedFor(row: ShownRow, only: Only): boolean {
  const asked = Object.entries(only).filter(([, value]) => value !== undefined);
  return asked.every(([name, value]) => row[name as keyof Only] === value);
}

function unreported(standings: Standings, known: ReadonlySet<string>): ShownRow[] {
  return [...standings.values()].flatMap(({ sequence, declaration }) => {
    if (declaration?.desired !== 'present') return [];
    const { data } = declaration;
    return known.has(`${keyOf(data)} ${sequence}`) ? [] : [unreportedRow(data)];
  });
}

/** The row of a declaration that was not reported on. */
export function unreportedRow(data: PresentData): ShownRow {
  return {
    uuid: data.uuid,
    ...claimOf(data),
    state: 'waiting',
    reason: NOT_REPORTED,
    message: UNREPORTED_MESSAGE,
    generation: null,
    attributes: data.attributes ?? [],
    set: data.set ?? null,
  };
}
