/**
 * What stands under a UUID in the fleet's registry, and what that is to a claim.
 *
 * A claim is held in the name of a host's agent, which is known by its incarnation: what a later
 * one wrote is never touched by an earlier one. Missing never means fenced: a UUID that is taken
 * away by force is left a tombstone.
 */
import type { Holder } from '../../events/fact.ts';
import { type Claim, sameClaim, type Uuid } from '../../events/names.ts';
import { decodeHold, type Hold } from './hold.ts';
import { type Entry, type Registry, RegistryUnavailable } from './registry.ts';

/** Nothing is known for certain: a time-out, an unreachable registry, another write in flight. Ask again later. */
export type Unknown = { readonly kind: 'unknown'; readonly cause: unknown };

/** In whose name the registry is written: a claim, and the incarnation of the agent that speaks for its host. */
export type Owner = { readonly claim: Claim; readonly incarnation: number };

/** A hold as it stands, and since when. */
export type Held = {
  readonly kind: 'taken';
  readonly revision: number;
  readonly hold: Hold;
  readonly since: string;
};

/** What stands under a UUID. Revision 0: it was never written. */
export type Standing = { readonly kind: 'free'; readonly revision: number } | Held;

/** A value under a UUID that this program cannot read: a newer program's, or garbage. */
export class HoldUnreadable extends RegistryUnavailable {
  override readonly name = 'HoldUnreadable';
}

/**
 * `ours`: it stands as it should. `fenced`: somebody wrote over it later, by force; whoever got it then may have given
 * it back since. `lost`: the registry has forgotten a write that it had acknowledged. `holder` is who stands there
 * now, and `revision` what was read.
 */
export type Checked =
  | { readonly kind: 'ours'; readonly revision: number }
  | { readonly kind: 'fenced'; readonly revision: number; readonly holder: Holder | null }
  | { readonly kind: 'lost'; readonly revision: number; readonly holder: Holder | null }
  | Unknown;

/** Reads a hold back that the journal says was written at `revision`. */
export async function checkHold(
  registry: Registry,
  uuid: Uuid,
  owner: Owner,
  revision: number,
): Promise<Checked> {
  const standing = await reading(async () => standingOf(uuid, await registry.read(uuid)));
  if (standing.kind === 'unknown') return standing;
  const { revision: stands } = standing;
  if (standing.kind === 'free') {
    return { kind: stands > revision ? 'fenced' : 'lost', revision: stands, holder: null };
  }
  const how = relation(standing.hold, owner);
  if (how === 'overtaken') return overtaken(owner);
  if (stands < revision) return { kind: 'lost', revision: stands, holder: holderOf(standing) };
  if (how === 'ours') return { kind: 'ours', revision: stands };
  return { kind: 'fenced', revision: stands, holder: holderOf(standing) };
}

/** The hold under a UUID as it stands, undefined when there is none. Throws RegistryUnavailable. */
export async function readHold(registry: Registry, uuid: Uuid): Promise<Held | undefined> {
  const standing = standingOf(uuid, await registry.read(uuid));
  return standing.kind === 'free' ? undefined : standing;
}

/** `overwritten`: a write at this revision will be refused again, and name a later one. */
export async function standingAt(
  registry: Registry,
  uuid: Uuid,
  revision: number,
): Promise<Standing | { readonly kind: 'overwritten' }> {
  if (revision === 0) return { kind: 'free', revision };
  const entry = await registry.at(uuid, revision);
  return entry === undefined ? { kind: 'overwritten' } : standingOf(uuid, entry);
}

function standingOf(uuid: Uuid, entry: Entry | undefined): Standing {
  if (entry === undefined) return { kind: 'free', revision: 0 };
  const { revision, value, time: since } = entry;
  if (value === null) return { kind: 'free', revision };
  return { kind: 'taken', revision, since, hold: decodeAt(uuid, revision, value) };
}

function decodeAt(uuid: Uuid, revision: number, value: Uint8Array): Hold {
  try {
    return decodeHold(value);
  } catch (cause) {
    const what = `the registry's value of ${uuid} at revision ${revision} is not a hold that this program reads`;
    throw new HoldUnreadable(what, { cause });
  }
}

/** The answer of a read, with an unreachable registry as a value. */
export async function reading<T>(read: () => Promise<T>): Promise<T | Unknown> {
  try {
    return await read();
  } catch (cause) {
    if (cause instanceof RegistryUnavailable) return { kind: 'unknown', cause };
    throw cause;
  }
}

/**
 * What a hold is to an owner. `overtaken`: it is the same claim's, by a later incarnation of the host's agent.
 * `fenced`: a tombstone for this host. `vacated`: a tombstone for another host, which keeps nobody else out.
 */
export function relation(hold: Hold, owner: Owner): 'ours' | 'overtaken' | 'fenced' | 'vacated' | 'other' {
  if (hold.phase === 'fenced') return hold.claim.host === owner.claim.host ? 'fenced' : 'vacated';
  if (!sameClaim(hold.claim, owner.claim)) return 'other';
  return hold.incarnation > owner.incarnation ? 'overtaken' : 'ours';
}

/** Who holds, as others are told. */
export function holderOf(standing: Held): Holder {
  return { claim: standing.hold.claim, phase: standing.hold.phase, since: standing.since };
}

/** Who holds a UUID, for people; a tombstone holds it for nobody. */
export function holds({ claim, phase, since }: Holder): string {
  const { host, parent, type } = claim;
  return phase === 'fenced'
    ? `released by force from host ${host} (${type} on ${parent}) at ${since}, and held by nobody since`
    : `held by host ${host} (${type} on ${parent}) since ${since}`;
}

/** What an old holder is told: who has the UUID now, and how that came to be, as far as the registry tells. */
export function fencedMessage(holder: Holder | null): string {
  const how =
    holder?.phase === 'fenced'
      ? 'taken from this host by force'
      : 'not held by this host any more, by force or by a loss';
  return `${how}: ${holder === null ? 'held by nobody now' : holds(holder)}`;
}

/** What an agent is told that finds a hold of its own claim written by a later one. */
export function overtaken({ claim, incarnation }: Owner): Unknown {
  return unknown(`an agent of host ${claim.host} later than incarnation ${incarnation} has written here`);
}

/** No answer that could be acted on, and why. */
export function unknown(message: string): Unknown {
  return { kind: 'unknown', cause: new Error(message) };
}
