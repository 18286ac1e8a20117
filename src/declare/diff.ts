/**
 * The difference between what is to be declared and what was declared last: what to publish.
 *
 * Pure. Every publication is conditional on the sequence that the difference was made for, so
 * a race shows as a refusal and never overwrites. What would remove a device (another place
 * for a UUID that the same set declared before), or take one from another set, is marked, and is
 * the caller's to allow.
 *
 * A move between hosts is published as the new claim with `replaces` first, and then the
 * withdrawal: whatever comes in between, nothing is withdrawn without its successor, and the same
 * difference taken again finds what is left to do.
 */
import type { AbsentData, Declaration, PresentData } from '../../events/declaration.ts';
import { type Claim, type HostId, sameAttributes, sameClaim, type Uuid } from '../../events/names.ts';

/** The last message of a subject. `declaration` is null when this program cannot read it. */
export type Standing = { readonly sequence: number; readonly declaration: Declaration | null };

/** What stands on each subject, by `keyOf`. */
export type Standings = ReadonlyMap<string, Standing>;

/** What should be declared: a present one that belongs to a set. */
export type Wish = PresentData & { readonly set: string };

/** A declaration to publish if the last message on its subject still has the sequence `expected`; 0 for none. */
export type Publication =
  | { readonly desired: 'present'; readonly data: PresentData; readonly expected: number }
  | { readonly desired: 'absent'; readonly data: AbsentData; readonly expected: number };

export type Action = 'declare' | 'update' | 'replace' | 'move' | 'withdraw' | 'unchanged';

/** What happens to one host and UUID. */
export type Change = {
  readonly action: Action;
  readonly host: HostId;
  readonly uuid: Uuid;
  readonly claim: Claim | null;
  readonly set: string | null;
  /** The claims that end by this: what needs leave. */
  readonly ends: readonly Claim[];
  /** The other set whose device this takes, or would take; null when there is none. */
  readonly takes: string | null;
  /** To be published in this order; the later only if the earlier were. */
  readonly publications: readonly Publication[];
  readonly warnings: readonly string[];
};

type Present = Extract<Declaration, { desired: 'present' }>['data'];
/** A claim that stands, and the sequence of its declaration. */
type Stand = { readonly sequence: number; readonly data: Present };

/** The key of a subject in Standings. */
export function keyOf(one: { readonly host: HostId; readonly uuid: Uuid }): string {
  return `${one.host}/${one.uuid}`;
}

/** The claim in a declaration. */
export function claimOf({ host, parent, type }: Claim): Claim {
  return { host, parent, type };
}

/**
 * What to publish so that every wish is declared. Hosts and UUIDs of the wishes are distinct. With `takeOver` the
 * claims of other sets end for it like those of its own.
 */
export function diffPresent(
  wishes: readonly Wish[],
  standings: Standings,
  { takeOver = false }: { readonly takeOver?: boolean } = {},
): readonly Change[] {
  const wished = new Set(wishes.map(keyOf));
  const standing = presentByUuid(standings);
  const withdrawn = new Set<string>();
  return wishes.map((wish) => {
    const stands = standing.get(wish.uuid) ?? [];
    const isOurs = (data: Present) => takeOver || data.set === wish.set;
    const left = stands.filter(({ data }) => isOurs(data) && !wished.has(keyOf(data)));
    const change = changeFor(wish, standings.get(keyOf(wish)), left, isOurs);
    const publications = change.publications.filter(
      ({ desired, data }) => desired === 'present' || !withdrawn.has(keyOf(data)),
    );
    for (const { data } of left) withdrawn.add(keyOf(data));
    return { ...change, publications, warnings: warningsFor(wish, stands, left) };
  });
}

/** What to publish so that none of these is declared on its host any more. */
export function diffAbsent(
  targets: readonly { readonly host: HostId; readonly uuid: Uuid }[],
  standings: Standings,
): readonly Change[] {
  return targets.map(({ host, uuid }) => {
    const here = standings.get(keyOf({ host, uuid }));
    const present = presentOf(here);
    const done = here?.declaration?.desired === 'absent';
    return {
      action: done ? 'unchanged' : 'withdraw',
      host,
      uuid,
      claim: present === null ? null : claimOf(present),
      set: present?.set ?? null,
      ends: [],
      takes: null,
      publications: done ? [] : [withdrawal({ host, uuid }, here?.sequence ?? 0)],
      warnings: [],
    };
  });
}

/** What these sets declared and is wished no more is withdrawn, but for what the changes withdraw already. */
export function diffPruned(
  sets: ReadonlySet<string>,
  changes: readonly Change[],
  standings: Standings,
): readonly Change[] {
  const known = new Set(
    changes.flatMap((change) => [keyOf(change), ...change.publications.map(({ data }) => keyOf(data))]),
  );
  const left = [...standings.values()].flatMap((standing) => {
    const data = presentOf(standing);
    const isLeft = data?.set !== undefined && sets.has(data.set) && !known.has(keyOf(data));
    return isLeft ? [{ host: data.host, uuid: data.uuid }] : [];
  });
  return diffAbsent(left, standings);
}

/** Present declarations by UUID, in the order in which they were published. */
export function presentByUuid(standings: Standings): ReadonlyMap<Uuid, readonly Stand[]> {
  const found = new Map<Uuid, Stand[]>();
  for (const one of [...standings.values()].sort((a, b) => a.sequence - b.sequence)) {
    const data = presentOf(one);
    if (data === null) continue;
    const others = found.get(data.uuid);
    if (others === undefined) found.set(data.uuid, [{ sequence: one.sequence, data }]);
    else others.push({ sequence: one.sequence, data });
  }
  return found;
}

function presentOf(standing: Standing | undefined): Present | null {
  return standing?.declaration?.desired === 'present' ? standing.declaration.data : null;
}

type Bare = Omit<Change, 'warnings'>;

/** `left`: claims of the same set on other hosts that the input does not list any more. */
function changeFor(
  wish: Wish,
  here: Standing | undefined,
  left: readonly Stand[],
  isOurs: (data: Present) => boolean,
): Bare {
  const before = presentOf(here);
  const displaced = before !== null && isOurs(before) && !sameClaim(before, wish) ? before : null;
  const ends = endedBy(displaced, here, left);
  const [replaces] = ends;
  const takes = [before, ...left.map(({ data }) => data)].find(
    (one) => one?.set !== undefined && one.set !== wish.set,
  );
  const about = { host: wish.host, uuid: wish.uuid, claim: claimOf(wish), set: wish.set, ends };
  const data = replaces === undefined ? wish : { ...wish, replaces };
  const told = before !== null && sameWish(before, wish) && replacesAll(before, replaces);
  const present: Publication = { desired: 'present', data, expected: here?.sequence ?? 0 };
  const publications = [...(told ? [] : [present]), ...left.map((one) => withdrawal(one.data, one.sequence))];
  const action = publications.length === 0 ? 'unchanged' : actionFor(before, displaced, left);
  return { action, ...about, takes: takes?.set ?? null, publications };
}

/** The claims that end, the oldest first: the one most likely to hold the UUID. */
function endedBy(displaced: Present | null, here: Standing | undefined, left: readonly Stand[]): Claim[] {
  const own = displaced === null || here === undefined ? [] : [{ sequence: here.sequence, data: displaced }];
  const all = [...own, ...left].sort((a, b) => a.sequence - b.sequence);
  return all.map(({ data }) => claimOf(data));
}

function actionFor(before: Present | null, displaced: Present | null, left: readonly Stand[]): Action {
  if (left.length > 0) return 'move';
  if (displaced !== null) return 'replace';
  return before === null ? 'declare' : 'update';
}

function withdrawal({ host, uuid }: AbsentData, expected: number): Publication {
  return { desired: 'absent', data: { host, uuid }, expected };
}

function replacesAll(before: Present, replaces: Claim | undefined): boolean {
  return replaces === undefined || (before.replaces !== undefined && sameClaim(before.replaces, replaces));
}

/** True when both say the same of the device. What a declaration once replaced is not part of it. */
function sameWish(a: Present, b: Present): boolean {
  return (
    sameClaim(a, b) &&
    a.set === b.set &&
    sameAttributes(a.attributes ?? [], b.attributes ?? []) &&
    sameLabels(a.labels ?? {}, b.labels ?? {})
  );
}

function sameLabels(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && a[key] === b[key])
  );
}

function warningsFor(wish: Wish, stands: readonly Stand[], left: readonly Stand[]): string[] {
  return stands.filter((one) => !left.includes(one)).flatMap(({ data }) => warningFor(wish, data) ?? []);
}

function warningFor(wish: Wish, other: Present): string | null {
  const owner = other.set === undefined ? 'without a set' : `by set ${other.set}`;
  if (other.host !== wish.host) {
    return `${wish.uuid} is declared ${owner} on host ${other.host} too: one of the two will be in conflict`;
  }
  if (other.set === wish.set) return null;
  return sameClaim(other, wish)
    ? `${keyOf(wish)} was declared ${owner}; set ${wish.set} takes it over`
    : `${keyOf(wish)} was declared ${owner} in another place; it stays there until that is withdrawn`;
}
