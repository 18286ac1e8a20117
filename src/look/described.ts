/**
 * Everything about one device, fleet-wide: what stands declared, what hosts say of it, who holds it, the parents that
 * it is or should be on, and what happened to it last.
 */
import { messageOf } from '../../events/message-of.ts';
import type { HostId, Uuid } from '../../events/names.ts';
import type { Streams } from '../../events/stream.ts';
import { subjectFilter } from '../../events/subject.ts';
import type { Registry } from '../../store/registry/registry.ts';
import { type Held, readHold, reading } from '../../store/registry/standing.ts';
import type { Standing } from '../declare/diff.ts';
import { type ParentRow, parentRows, standingIn } from '../declare/offers.ts';
import { parentKey } from '../declare/pool.ts';
import { readOffers, readRows, readStandings } from '../fleet.ts';
import { type Entry, historyOf } from '../past/history.ts';
import { whoText } from '../past/line.ts';
import { streamSource } from '../past/source.ts';
import { type ShownRow, shownRows } from './devices.ts';
import { guidanceOf } from './explained.ts';
import { notForgotten } from './forgotten.ts';
import { readReports } from './reports.ts';

/** Last entries of the history that are shown. */
const ENTRIES_MAX = 10;

type Where = { readonly streams: Streams; readonly registry: Registry; readonly prefix: string };

/** A declaration that stands on a host. `desired` is null for one that this program cannot read. */
export type DeclaredOn = {
  readonly host: HostId;
  readonly sequence: number;
  readonly desired: 'present' | 'absent' | null;
  readonly who: string | null;
  readonly time: string | null;
  readonly parent: string | null;
  readonly type: string | null;
  readonly set: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly attributes: ShownRow['attributes'];
  readonly replaces: { readonly host: HostId; readonly parent: string; readonly type: string } | null;
};

/** A host's row, and what its reason means; `forgotten`: an operator has stated that the host will not come back. */
export type DescribedRow = ShownRow & {
  readonly forgotten: boolean;
  readonly guidance: ReturnType<typeof guidanceOf>;
};

/** What the registry says; `unknown`: it could not be asked. */
export type DescribedHold =
  | { readonly state: 'free' }
  | ({ readonly state: Held['hold']['phase']; readonly since: string } & Held['hold']['claim'] &
      Pick<Held['hold'], 'generation' | 'incarnation'>)
  | { readonly state: 'unknown'; readonly why: string };

export type Described = {
  readonly uuid: Uuid;
  readonly declarations: readonly DeclaredOn[];
  readonly rows: readonly DescribedRow[];
  readonly registry: DescribedHold;
  /** Only those of which their host has told. */
  readonly parents: readonly ParentRow[];
  readonly history: readonly Pick<Entry, 'line' | 'askedBy'>[];
  /** Entries of the history that are older than these. */
  readonly earlier: number;
};

/** Null for a UUID of which nobody knows. Throws StreamUnavailable. */
export async function describeDevice(where: Where, uuid: Uuid): Promise<Described | null> {
  const { streams, registry, prefix } = where;
  // What is declared is read first: a report that comes in between may only make a row newer.
  const standings = await readStandings(streams.desired, prefix, { uuids: new Set([uuid]) });
  const reports = await readReports(streams.observed, prefix, subjectFilter(prefix, 'observed', { uuid }));
  const hold = await reading(async () => ({ kind: 'read', held: await readHold(registry, uuid) }) as const);
  const isHeld = hold.kind === 'read' && hold.held !== undefined;
  if (standings.size === 0 && reports.length === 0 && !isHeld) return null;
  const declarations = [...standings].map(([key, one]) => declaredOn(key, one));
  const rows = shownRows(
    reports.flatMap((one) => one.rows),
    standings,
  );
  const held = holdOf(hold);
  const places = [...declarations, ...rows, held].flatMap(placeOf);
  const isThere = await notForgotten(streams.command, prefix);
  const source = streamSource({ stream: streams.observed, prefix });
  const entries = await historyOf(source, uuid, { turnedAway: false });
  return {
    uuid,
    declarations: declarations.sort((a, b) => (a.host < b.host ? -1 : 1)),
    rows: rows.map((row) => ({ ...row, forgotten: !isThere(row), guidance: guidanceOf(row) })),
    registry: held,
    parents: await parentsAt(where, places),
    history: entries.slice(-ENTRIES_MAX),
    earlier: Math.max(0, entries.length - ENTRIES_MAX),
  };
}

function declaredOn(key: string, { sequence, declaration }: Standing): DeclaredOn {
  const nothing = { parent: null, type: null, set: null, labels: {}, attributes: [], replaces: null };
  if (declaration === null) {
    const host = key.slice(0, key.indexOf('/'));
    return { host, sequence, desired: null, who: null, time: null, ...nothing };
  }
  const { desired, event, data } = declaration;
  const about = { host: data.host, sequence, desired, who: whoText(event), time: event.time };
  if (desired === 'absent') return { ...about, ...nothing };
  const { parent, type, set = null, labels = {}, attributes = [], replaces = null } = data;
  return { ...about, parent, type, set, labels, attributes, replaces };
}

function holdOf(
  read:
    | { readonly kind: 'read'; readonly held: Held | undefined }
    | { readonly kind: 'unknown'; readonly cause: unknown },
): DescribedHold {
  if (read.kind === 'unknown') {
    const { cause } = read;
    return { state: 'unknown', why: messageOf(cause) };
  }
  if (read.held === undefined) return { state: 'free' };
  const { hold, since } = read.held;
  const { phase, claim, generation, incarnation } = hold;
  return { state: phase, since, ...claim, generation, incarnation };
}

type Place = { readonly host: HostId; readonly parent: string };

function placeOf(one: DeclaredOn | ShownRow | DescribedHold): readonly Place[] {
  if (!('host' in one) || one.parent === null) return [];
  return [{ host: one.host, parent: one.parent }];
}

async function parentsAt(
  { streams, prefix }: Where,
  places: readonly Place[],
): Promise<readonly ParentRow[]> {
  const keys = new Set(places.map(parentKey));
  const found: ParentRow[] = [];
  for (const host of new Set(places.map((one) => one.host))) {
    const offers = await readOffers(streams.observed, prefix, host);
    const rows = offers.length === 0 ? [] : await readRows(streams.observed, prefix, host);
    found.push(...parentRows(offers, standingIn(rows)).filter((one) => keys.has(parentKey(one))));
  }
  return found;
}
