/**
 * Incarnation: which agent speaks for a host, agreed on in the registry.
 *
 * An agent raises its host's number by compare-and-set when it starts; one that finds a
 * higher number later was overtaken and stops writing, anywhere. So a journal or a machine that
 * was cloned is noticed, and a host id that is given twice is refused with both identities named.
 */
import type { Machine } from '../../events/fact.ts';
import type { HostId } from '../../events/names.ts';
import { decodeIncarnation, encodeValue, type Incarnation, type Vacant } from './hold.ts';
import { type Registry, type RegistryKey, RegistryUnavailable } from './registry.ts';
import { reading, type Unknown, unknown } from './standing.ts';

/** An operator's act on who speaks for a host: `done` also when it was done before; `never`: nobody ever spoke for it. */
export type Vacated = { readonly kind: 'done' } | { readonly kind: 'never' } | Unknown;

/**
 * Takes the word from whoever speaks for the host: nobody may speak for it any more, or whoever comes next may.
 * An agent that runs is overtaken.
 */
export async function vacate(registry: Registry, host: HostId, vacant: Vacant): Promise<Vacated> {
  const standing = await identityOf(registry, host);
  if (standing.kind === 'unknown') return standing;
  const { identity, revision } = standing;
  if (identity === null) return { kind: 'never' };
  if (identity.vacant?.as === vacant.as) return { kind: 'done' };
  const { v, journal, machine, incarnation } = identity;
  const value = encodeValue({ v, journal, machine, incarnation: incarnation + 1, vacant });
  const written = await registry.write(keyOf(host), value, revision);
  if (written.kind === 'written') return { kind: 'done' };
  return written.kind === 'unknown' ? written : unknown(`an agent of host ${host} has just started`);
}

/** Who wants to speak for the host. */
export type Speaker = { readonly host: HostId; readonly journal: string; readonly machine: Machine };

/** Another journal or machine speaks for the host; `message` names both and the way out. */
type Other = { readonly kind: 'other'; readonly identity: Incarnation; readonly message: string };

export type Raised = { readonly kind: 'raised'; readonly incarnation: number } | Other | Unknown;

/**
 * `ours`: this agent still speaks for its host. `overtaken`: a later start of it does.
 * `lost`: the registry has forgotten a write that it had acknowledged.
 */
export type Speaking =
  | { readonly kind: 'ours' }
  | { readonly kind: 'overtaken'; readonly incarnation: number }
  | { readonly kind: 'lost' }
  | Other
  | Unknown;

/**
 * Makes this agent the one that speaks for its host. `last` is the incarnation that its journal
 * knows, 0 for none; the new one is higher than that and than what the registry had.
 */
export async function raiseIncarnation(registry: Registry, speaker: Speaker, last: number): Promise<Raised> {
  const standing = await identityOf(registry, speaker.host);
  if (standing.kind === 'unknown') return standing;
  const { identity, revision } = standing;
  if (identity !== null && !mayFollow(identity, speaker)) return other(identity, speaker);
  const incarnation = Math.max(last, identity?.incarnation ?? 0) + 1;
  const { journal, machine } = speaker;
  const value = encodeValue({ v: 1, journal, machine, incarnation });
  const written = await registry.write(keyOf(speaker.host), value, revision);
  if (written.kind === 'written') return { kind: 'raised', incarnation };
  if (written.kind === 'unknown') return written;
  return unknown(`another agent of host ${speaker.host} was faster`);
}

/** Whether the agent that raised to `incarnation` still speaks for its host. */
export async function stillOurs(
  registry: Registry,
  speaker: Speaker,
  incarnation: number,
): Promise<Speaking> {
  const standing = await identityOf(registry, speaker.host);
  if (standing.kind === 'unknown') return standing;
  const { identity } = standing;
  if (identity === null) return { kind: 'lost' };
  if (!mayFollow(identity, speaker)) return other(identity, speaker);
  if (identity.incarnation > incarnation) {
    return { kind: 'overtaken', incarnation: identity.incarnation };
  }
  return { kind: identity.incarnation === incarnation ? 'ours' : 'lost' };
}

/** `agreed`: what is read from now on is what a majority of the servers had when they were asked, or newer. */
export type Agreed = { readonly kind: 'agreed' } | Unknown;

/**
 * Has the registry agree that what it shows is not of yesterday: what stands under the host's key is written once
 * more, which takes a majority, and is then read until it is the new write. The value stays, so a loss is not hidden.
 */
export async function agree(registry: Registry, host: HostId): Promise<Agreed> {
  const key = keyOf(host);
  const before = await reading(async () => ({ kind: 'read', entry: await registry.read(key) }) as const);
  if (before.kind === 'unknown') return before;
  const { revision = 0, value = null } = before.entry ?? {};
  const written = await (value === null
    ? registry.erase(key, revision)
    : registry.write(key, value, revision));
  if (written.kind === 'unknown') return written;
  const since = await reading(async () => ({ kind: 'read', entry: await registry.read(key) }) as const);
  if (since.kind === 'unknown') return since;
  const isNewer = written.kind === 'written' && (since.entry?.revision ?? 0) >= written.revision;
  return isNewer ? { kind: 'agreed' } : outdated(key);
}

function outdated(key: RegistryKey): Unknown {
  const cause = new RegistryUnavailable(`what was read of ${key} is older than what the registry has`);
  return { kind: 'unknown', cause };
}

/** `confirmed`: the registry now says so. `lost`: it knows nothing of this agent's start. */
export type Confirmed = { readonly kind: 'confirmed' } | { readonly kind: 'lost' } | Unknown;

/**
 * Says in the registry that all that this agent's host holds was read back under the fleet state with
 * that revision. What was said already is not written again.
 */
export async function confirmHolds(
  registry: Registry,
  speaker: Speaker,
  incarnation: number,
  fleetRevision: number,
): Promise<Confirmed> {
  const standing = await identityOf(registry, speaker.host);
  if (standing.kind === 'unknown') return standing;
  const { identity, revision } = standing;
  if (identity === null || identity.incarnation < incarnation) return { kind: 'lost' };
  if (!mayFollow(identity, speaker) || identity.incarnation > incarnation) {
    return unknown(`another agent speaks for host ${speaker.host} now`);
  }
  if (identity.confirmed === fleetRevision) return { kind: 'confirmed' };
  const value = encodeValue({ ...identity, confirmed: fleetRevision });
  const written = await registry.write(keyOf(speaker.host), value, revision);
  if (written.kind === 'written') return { kind: 'confirmed' };
  if (written.kind === 'unknown') return written;
  return unknown(`another agent of host ${speaker.host} was faster`);
}

/** The fleet state under which the host last confirmed its holds; null when it has confirmed none. Throws RegistryUnavailable. */
export async function confirmedBy(registry: Registry, host: HostId): Promise<number | null> {
  const standing = await identityOf(registry, host);
  if (standing.kind === 'unknown') throw standing.cause;
  return standing.identity?.confirmed ?? null;
}

/** Who speaks for the host, or last did; null if nobody ever has. */
export async function speakerOf(
  registry: Registry,
  host: HostId,
): Promise<{ identity: Incarnation | null } | Unknown> {
  return identityOf(registry, host);
}

type Standing = {
  readonly kind: 'known';
  readonly revision: number;
  readonly identity: Incarnation | null;
};

function identityOf(registry: Registry, host: HostId): Promise<Standing | Unknown> {
  return reading(async () => {
    const entry = await registry.read(keyOf(host));
    const value = entry?.value ?? null;
    const identity = value === null ? null : decodeAt(host, value);
    return { kind: 'known', revision: entry?.revision ?? 0, identity } as const;
  });
}

function decodeAt(host: HostId, value: Uint8Array): Incarnation {
  try {
    return decodeIncarnation(value);
  } catch (cause) {
    const what = `the registry's value of ${keyOf(host)} is not an identity that this program reads`;
    throw new RegistryUnavailable(what, { cause });
  }
}

function keyOf(host: HostId): RegistryKey {
  return `host.${host}`;
}

/** An operator may have let anybody follow, or nobody. */
function mayFollow(identity: Incarnation, speaker: Speaker): boolean {
  return identity.vacant === undefined ? isSame(identity, speaker) : identity.vacant.as === 'open';
}

function isSame(identity: Incarnation, speaker: Speaker): boolean {
  return (
    identity.journal === speaker.journal &&
    identity.machine.machineId === speaker.machine.machineId &&
    identity.machine.product === speaker.machine.product
  );
}

function other(identity: Incarnation, speaker: Speaker): Other {
  if (identity.vacant !== undefined) return forgotten(identity, identity.vacant, speaker);
  const message = `host ${speaker.host} is spoken for by ${describe(identity)}; this agent has ${describe(speaker)}. `;
  return { kind: 'other', identity, message: message + wayOut(identity, speaker) };
}

function forgotten(identity: Incarnation, { by, at, why }: Vacant, { host }: Speaker): Other {
  const message =
    `host ${host} was forgotten by ${by} at ${at}: ${why}. What it held was released by force; ` +
    `\`mdevfleet rebind ${host}\` lets it speak again`;
  return { kind: 'other', identity, message };
}

/** On the same machine, a host's journal was lost; on another one, its id was given twice. */
function wayOut(identity: Incarnation, { host, machine }: Speaker): string {
  if (identity.machine.machineId === machine.machineId && identity.machine.product === machine.product)
    return (
      `Put the first journal back; if it is lost, \`mdevfleet rebuild --host ${host}\` makes it again, and ` +
      `\`mdevfleet rebind ${host}\` lets this one begin anew`
    );
  return (
    'Give this agent a host id of its own, or run it with the journal and on the machine of the first; ' +
    `if this machine takes the place of that one, \`mdevfleet rebind ${host}\` lets it`
  );
}

function describe(who: Pick<Speaker, 'journal' | 'machine'>): string {
  const { machineId, product } = who.machine;
  const which = product === null ? '' : ` (product ${product})`;
  return `journal ${who.journal} on machine ${machineId}${which}`;
}
