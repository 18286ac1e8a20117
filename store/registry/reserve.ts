/**
 * The reservation protocol: how a claim takes its UUID in the fleet's registry, and gives it back.
 *
 * Every act is a compare-and-set; a refusal names the revision that stands instead, which is read and
 * cannot change. free → held is the only way in. An `unknown` outcome may still take effect at any
 * later time, and is closed by asking again with the same arguments: that moves the key past every
 * write still on its way, which a read could not. So whoever gave up a claim calls giveBack until it answers.
 */
import type { Holder } from '../../events/fact.ts';
import { type Claim, type Generation, sameClaim, sameGeneration, type Uuid } from '../../events/names.ts';
import { encodeValue, type Hold } from './hold.ts';
import type { Registry, Written } from './registry.ts';
import {
  type Held,
  holderOf,
  type Owner,
  overtaken,
  reading,
  relation,
  type Standing,
  standingAt,
  type Unknown,
  unknown,
} from './standing.ts';

/** Most writes in one call; after that others are too busy with the key, and the caller tries later. */
const WRITES_PER_CALL_MAX = 4;

/** What `take` is asked for. */
export type Wish = Owner & {
  readonly generation: Generation;
  /** The claim that this one is declared to take the place of: it is waited for, not conflicted with. */
  readonly replaces: Claim | null;
  /** The tombstone that this host has heard of, and cleaned up after: it keeps this host out no longer. */
  readonly fence?: number | null;
};

/**
 * `held`: the UUID is this claim's. `taken`: another claim holds it. `leaving`: another claim is
 * on its way out. `fenced`: it was taken from this host by force, by the tombstone at `revision`.
 */
export type Taken =
  | { readonly kind: 'held'; readonly revision: number }
  | { readonly kind: 'taken' | 'leaving'; readonly holder: Holder }
  | Fenced
  | Unknown;

export type Fenced = { readonly kind: 'fenced'; readonly revision: number; readonly holder: Holder };

/** `not-ours`: the key is free, another's, or fenced, and was left so. */
export type Marked =
  | { readonly kind: 'marked'; readonly revision: number }
  | { readonly kind: 'not-ours' }
  | Unknown;

/** `given`: the key is free. `not-ours` and `fenced`: it is another's, or taken by force, and was left so. */
export type GivenBack = { readonly kind: 'given' } | { readonly kind: 'not-ours' } | Fenced | Unknown;

/** `taken`: the UUID is another's meanwhile, or fenced, and was left so. */
export type Reasserted =
  | { readonly kind: 'held'; readonly revision: number }
  | { readonly kind: 'taken'; readonly revision: number; readonly holder: Holder }
  | Unknown;

type Answer = { readonly kind: string };
type HeldAt = { readonly kind: 'held'; readonly revision: number };

/** A write to try, and what it means when it succeeds. A null value erases. */
type Attempt<T> = {
  readonly kind: 'attempt';
  readonly value: Uint8Array | null;
  readonly expected: number;
  done(revision: number): T;
};

/** Takes the UUID for a claim, or says who has it. Repeated with the same wish, it finds its own earlier write. */
export function take(registry: Registry, uuid: Uuid, wish: Wish): Promise<Taken> {
  return putHold<Taken>(registry, uuid, wish, 'held', (standing, how) => {
    if (how === 'other') return rival(holderOf(standing), wish.replaces);
    return standing.revision === wish.fence ? 'over it' : fenced(standing);
  });
}

/** Tells the fleet that a hold is on its way out. `revision` is where the hold was last known to stand. */
export function markReleasing(
  registry: Registry,
  uuid: Uuid,
  hold: Owner & { readonly generation: Generation },
  revision: number,
): Promise<Marked> {
  const releasing = holdOf(hold, 'releasing');
  const at = writing<Marked>(releasing, (marked) => ({ kind: 'marked', revision: marked }));
  return pursue(registry, uuid, at(revision), (standing) => {
    if (standing.kind === 'free') return { kind: 'not-ours' };
    const how = relation(standing.hold, hold);
    switch (how) {
      case 'ours':
        if (sameHold(standing.hold, releasing)) return { kind: 'marked', revision: standing.revision };
        return at(standing.revision);
      case 'overtaken':
        return overtaken(hold);
      case 'vacated':
      case 'fenced':
      case 'other':
        return { kind: 'not-ours' };
      default:
        return how satisfies never;
    }
  });
}

/**
 * Gives the UUID back. `revision` is where the hold was last known to stand; null for a claim that was
 * given up before its outcome was known. A key that is free already is erased once more, and another
 * host's tombstone written once more: a write of this claim may still be on its way to that very revision.
 */
export function giveBack(
  registry: Registry,
  uuid: Uuid,
  owner: Owner,
  revision: number | null,
): Promise<GivenBack> {
  const erase = (expected: number): Attempt<GivenBack> => ({
    kind: 'attempt',
    value: null,
    expected,
    done: () => ({ kind: 'given' }),
  });
  return pursue(registry, uuid, erase(revision ?? 0), (standing) => {
    if (standing.kind === 'free') return erase(standing.revision);
    const how = relation(standing.hold, owner);
    switch (how) {
      case 'ours':
        return erase(standing.revision);
      case 'vacated':
        return restore(standing.hold, standing.revision);
      case 'overtaken':
        return overtaken(owner);
      case 'fenced':
        return fenced(standing);
      case 'other':
        return { kind: 'not-ours' };
      default:
        return how satisfies never;
    }
  });
}

/**
 * Writes a hold again that the registry has lost. Another host that holds the UUID meanwhile keeps it, and a
 * tombstone for this host stands: the hold is not ours any more then. Of an older claim of this host, only the
 * giving back was lost, too.
 */
export function reassert(
  registry: Registry,
  uuid: Uuid,
  owner: Owner & { readonly generation: Generation },
  phase: 'held' | 'releasing',
): Promise<Reasserted> {
  return putHold<Reasserted>(registry, uuid, owner, phase, (standing, how) => {
    if (how === 'fenced' || standing.hold.claim.host !== owner.claim.host) return takenBy(standing);
    return standing.hold.incarnation > owner.incarnation ? overtaken(owner) : 'over it';
  });
}

/**
 * Writes a hold where nothing stands, or what its own claim has written, and answers where it stands. What else
 * stands there is for `blocked` to judge: the answer, or to write over it.
 */
function putHold<T extends Answer>(
  registry: Registry,
  uuid: Uuid,
  owner: Owner & { readonly generation: Generation },
  phase: 'held' | 'releasing',
  blocked: (standing: Held, how: 'fenced' | 'other') => T | 'over it',
): Promise<T | HeldAt | Unknown> {
  const hold = holdOf(owner, phase);
  const at = writing<T | HeldAt | Unknown>(hold, (revision) => ({ kind: 'held', revision }));
  return pursue<T | HeldAt | Unknown>(registry, uuid, at(0), (standing) => {
    const { revision } = standing;
    if (standing.kind === 'free') return at(revision);
    const how = relation(standing.hold, owner);
    switch (how) {
      case 'ours':
        return sameHold(standing.hold, hold) ? { kind: 'held', revision } : at(revision);
      case 'vacated':
        return at(revision);
      case 'overtaken':
        return overtaken(owner);
      case 'fenced':
      case 'other': {
        const answer = blocked(standing, how);
        return answer === 'over it' ? at(revision) : answer;
      }
      default:
        return how satisfies never;
    }
  });
}

/** Attempts to write the hold, at whatever revision. */
function writing<T>(hold: Hold, done: (revision: number) => T): (expected: number) => Attempt<T> {
  return (expected) => ({ kind: 'attempt', value: encodeValue(hold), expected, done });
}

function takenBy(standing: Held): Reasserted {
  return { kind: 'taken', revision: standing.revision, holder: holderOf(standing) };
}

function fenced(standing: Held): Fenced {
  return { kind: 'fenced', revision: standing.revision, holder: holderOf(standing) };
}

function restore(hold: Hold, expected: number): Attempt<GivenBack> {
  return writing<GivenBack>(hold, () => ({ kind: 'not-ours' }))(expected);
}

/** Writes, and while refused reads what stands instead and does as `react` says. */
async function pursue<T extends Answer>(
  registry: Registry,
  uuid: Uuid,
  first: Attempt<T>,
  react: (standing: Standing) => Attempt<T> | T,
): Promise<T | Unknown> {
  let attempt = first;
  for (let write = 0; write < WRITES_PER_CALL_MAX; write += 1) {
    const written = await put(registry, uuid, attempt);
    if (written.kind === 'written') return attempt.done(written.revision);
    if (written.kind === 'unknown') return written;
    const { revision } = written;
    if (revision === null) return unknown(`the registry refused ${uuid} without saying where it stands`);
    const standing = await reading(() => standingAt(registry, uuid, revision));
    if (standing.kind === 'unknown') return standing;
    const next = standing.kind === 'overwritten' ? { ...attempt, expected: revision } : react(standing);
    if (!isAttempt(next)) return next;
    attempt = next;
  }
  return unknown(`others kept writing ${uuid}`);
}

function isAttempt<T extends Answer>(next: Attempt<T> | T): next is Attempt<T> {
  return next.kind === 'attempt';
}

function put<T>(registry: Registry, uuid: Uuid, attempt: Attempt<T>): Promise<Written> {
  const { value, expected } = attempt;
  return value === null ? registry.erase(uuid, expected) : registry.write(uuid, value, expected);
}

function rival(holder: Holder, replaces: Claim | null): Taken {
  const named = replaces !== null && sameClaim(replaces, holder.claim);
  return { kind: named || holder.phase === 'releasing' ? 'leaving' : 'taken', holder };
}

/** Names every member: what a caller has beside them must not get into the registry. */
function holdOf(from: Owner & { readonly generation: Generation }, phase: Hold['phase']): Hold {
  const { host, parent, type } = from.claim;
  const { epoch, sequence } = from.generation;
  const { incarnation } = from;
  return { v: 1, claim: { host, parent, type }, phase, generation: { epoch, sequence }, incarnation };
}

function sameHold(a: Hold, b: Hold): boolean {
  return (
    sameClaim(a.claim, b.claim) &&
    a.phase === b.phase &&
    sameGeneration(a.generation, b.generation) &&
    a.incarnation === b.incarnation
  );
}
