/**
 * Every fact that becomes durable, against what is known to be true: what operators said, what the registry and
 * the streams really were.
 */
import { decodeEvent, eventKey } from '../../events/codec.ts';
import type { Fact, FactOf } from '../../events/fact.ts';
import { type Claim, type Generation, sameClaim, sameGeneration, type Uuid } from '../../events/names.ts';
import { NO_UUID, parseSubject } from '../../events/subject.ts';
import type { Device } from '../../store/device.ts';
import type { MemoryDisk } from '../../store/journal/journal-memory.ts';
import { decodeIncarnation } from '../../store/registry/hold.ts';
import { PREFIX } from './inventory.ts';
import { type Published, type Said, sameSaid } from './published.ts';
import { recordOf } from './records.ts';
import type { Server } from './server.ts';
import type { Standing } from './server-registry.ts';
import type { World } from './world.ts';

/** For so long after its claim was refused a host may say who held the UUID. */
const REFUSAL_MS_MAX = 10_000;
/** For so long after a pause that is due which was decided upon before. */
export const PAUSE_MS_MAX = 15_000;
/** For so long after a device stood in its way a host may say so. */
const SIGHTING_MS_MAX = 10_000;

export type FactWatchParts = {
  readonly world: World;
  readonly name: string;
  readonly server: Server;
  readonly published: Published;
  /** True if a device of that UUID was seen off that place within the last so many milliseconds. */
  readonly wasElsewhere: (uuid: Uuid, claim: Claim, withinMs: number) => boolean;
  readonly wasMadeHere: (uuid: Uuid) => boolean;
  /** True while the device's create has not returned. */
  readonly isIncomplete: (uuid: Uuid) => boolean;
  /** True while a journal that was made again may lack the last of the UUID. */
  readonly mayLack: (uuid: Uuid) => boolean;
};

/** `withdrawal`: the sequence of the last word about the holder, if that was that it shall not have the UUID. */
type Refusal = {
  readonly atMs: number;
  readonly standing: Standing;
  readonly withdrawal: number | undefined;
};

export class FactWatch {
  readonly #parts: FactWatchParts;
  readonly #recorded = new Set<string>();
  readonly #claims = new Map<Uuid, { claim: Claim; existed: boolean } | null>();
  readonly #saidAt = new Map<string, Said>();
  readonly #ended = new Map<Uuid, Generation>();
  readonly #refusals = new Map<Uuid, Refusal[]>();
  readonly #epochsMs = { desired: 0, command: 0 };
  readonly #met = new Set<string>();
  #pausedSinceMs: number | null = null;
  /** Since when; null stands for all parents. */
  readonly #cordonedSinceMs = new Map<string | null, number>();

  constructor(parts: FactWatchParts) {
    this.#parts = parts;
  }

  /** Since when the host has known that it is paused; null while it is not. */
  get pausedSinceMs(): number | null {
    return this.#pausedSinceMs;
  }

  /** Since when the host has known that no new device is made on the parent; null while they may be. */
  cordonedSinceMs(parent: string): number | null {
    const since = [parent, null].flatMap((one) => this.#cordonedSinceMs.get(one) ?? []);
    return since.length === 0 ? null : Math.min(...since);
  }

  /** Takes what is on the disk as said before, whatever it says. */
  learn(disk: MemoryDisk): void {
    for (const record of disk.read(0, Number.MAX_SAFE_INTEGER)) {
      const { fact } = recordOf(record);
      if (fact === null) continue;
      this.#lie(fact);
      if (fact.kind === 'active') this.#existed(fact.uuid);
    }
    this.#epochsMs.desired = 0;
    this.#epochsMs.command = 0;
  }

  /** The registry refused a write of this host; `standing` is what it has. */
  refused(uuid: Uuid, standing: Standing): void {
    const atMs = this.#parts.world.monotonicMs();
    const recent = (this.#refusals.get(uuid) ?? []).filter((one) => one.atMs > atMs - REFUSAL_MS_MAX);
    const withdrawal = withdrawalOf(this.#parts.server, standing.hold.claim.host, uuid);
    this.#refusals.set(uuid, [...recent, { atMs, standing, withdrawal }]);
  }

  /** A fact is durable; `device` is what its UUID was folded to. */
  durable(fact: Fact, device: Device | undefined): void {
    const lie = this.#lie(fact);
    if (lie !== undefined) this.#parts.world.violation(`${this.#parts.name} records ${fact.kind}: ${lie}`);
    if (fact.kind === 'active' && device !== undefined) this.#existed(fact.uuid);
  }

  #lie(fact: Fact): string | undefined {
    switch (fact.kind) {
      case 'declared':
        return this.#declared(fact);
      case 'commanded':
        return this.#commanded(fact);
      case 'steered':
      case 'told':
        return this.#steered(fact);
      case 'cordoned':
        return this.#ordered(fact) ?? this.#cordoned(fact);
      case 'epoch':
        return this.#epoch(fact);
      case 'incarnated':
        return this.#incarnated(fact);
      case 'conflict':
        return this.#afterEnd(fact) ?? this.#conflict(fact);
      case 'failed':
        return this.#afterEnd(fact);
      case 'claiming':
        return this.#again(fact) ?? this.#underPause(fact);
      case 'releasing':
        return this.#underPause(fact);
      case 'reserved':
        return this.#again(fact);
      case 'active':
        return this.#again(fact) ?? this.#active(fact);
      default:
        return undefined;
    }
  }

  #declared(fact: FactOf<'declared'>): string | undefined {
    const { uuid, event, generation } = fact;
    const said = this.#parts.published.said(this.#parts.name, uuid, event);
    const key = `${uuid} ${eventKey(event)}`;
    if (said === undefined) return `nobody declared ${key}`;
    if (!sameSaid(said, fact)) return `${key} was declared otherwise`;
    if (this.#recorded.has(key)) return `${key} was recorded before`;
    this.#recorded.add(key);
    this.#ended.delete(uuid);
    this.#saidAt.set(`${uuid} ${generation.epoch} ${generation.sequence}`, said);
    return this.#outcome(fact, said);
  }

  /** The rules of folding, told once more. */
  #outcome({ uuid, outcome }: FactOf<'declared'>, said: Said): string | undefined {
    const before = this.#claims.get(uuid) ?? null;
    if (outcome === 'refused') return this.#refusal(uuid, before, said);
    if (said.claim === null) return void this.#claims.set(uuid, null);
    const same = before !== null && sameClaim(before.claim, said.claim);
    const named = before !== null && said.replaces !== null && sameClaim(before.claim, said.replaces);
    if (before?.existed && !same && !named) return `${uuid} takes the place of a claim that has a device`;
    this.#claims.set(uuid, same ? before : { claim: said.claim, existed: false });
    return undefined;
  }

  #refusal(uuid: Uuid, before: { claim: Claim } | null, said: Said): string | undefined {
    if (before === null || said.claim === null) return `${uuid} is refused, but nothing was declared before`;
    if (sameClaim(before.claim, said.claim)) return `${uuid} is refused, but it is the same claim`;
    const named = said.replaces !== null && sameClaim(before.claim, said.replaces);
    return named ? `${uuid} is refused, but names the claim that it replaces` : undefined;
  }

  #existed(uuid: Uuid): void {
    const claim = this.#claims.get(uuid);
    if (claim) claim.existed = true;
  }

  #commanded({ uuid, event }: FactOf<'commanded'>): string | undefined {
    const key = `${uuid} ${eventKey(event)}`;
    if (!this.#parts.published.hasCommand(this.#parts.name, uuid, event)) return `nobody commanded ${key}`;
    if (this.#recorded.has(key)) return `${key} was recorded before`;
    this.#recorded.add(key);
    this.#ended.delete(uuid);
    return undefined;
  }

  #steered(fact: FactOf<'steered'> | FactOf<'told'>): string | undefined {
    const { command } = fact;
    if (command === 'resume') this.#pausedSinceMs = null;
    if (command === 'pause') this.#pausedSinceMs ??= this.#parts.world.monotonicMs();
    return this.#ordered(fact);
  }

  #cordoned({ command, parent }: FactOf<'cordoned'>): undefined {
    const sinceMs = this.#cordonedSinceMs.get(parent) ?? this.#parts.world.monotonicMs();
    if (command === 'cordon') this.#cordonedSinceMs.set(parent, sinceMs);
    else if (parent === null) this.#cordonedSinceMs.clear();
    else this.#cordonedSinceMs.delete(parent);
  }

  #ordered({ event }: FactOf<'steered' | 'told' | 'cordoned'>): string | undefined {
    const key = eventKey(event);
    if (!this.#parts.published.hasCommand(this.#parts.name, NO_UUID, event)) return `nobody commanded ${key}`;
    if (this.#recorded.has(key)) return `${key} was recorded before`;
    this.#recorded.add(key);
    return undefined;
  }

  /** What a registry that went back holds in the host's name is only noted. */
  #underPause({ uuid }: { readonly uuid: Uuid }): string | undefined {
    if (this.#parts.server.registry.disputed.has(uuid)) return undefined;
    const sinceMs = this.#pausedSinceMs ?? Number.POSITIVE_INFINITY;
    return this.#parts.world.monotonicMs() - sinceMs > PAUSE_MS_MAX
      ? `${uuid}, but the host is paused`
      : undefined;
  }

  /** A stream is another one only if somebody made it so since it was last met. */
  #epoch({ stream, cause }: FactOf<'epoch'>): string | undefined {
    const sinceMs = this.#epochsMs[stream];
    this.#epochsMs[stream] = this.#parts.world.monotonicMs();
    if (cause === 'First')
      return this.#met.size < this.#met.add(stream).size ? undefined : `${stream} was met before`;
    const rewound = this.#parts.server[stream].rewinds.some(({ atMs }) => atMs >= sinceMs - REFUSAL_MS_MAX);
    return rewound ? undefined : `${stream} is the one that it was`;
  }

  #incarnated({ incarnation }: FactOf<'incarnated'>): string | undefined {
    const value = this.#parts.server.registry.identityOf(this.#parts.name);
    const there = value === undefined ? 0 : decodeIncarnation(value).incarnation;
    return there >= incarnation ? undefined : `the registry has incarnation ${there}, not ${incarnation}`;
  }

  #conflict(fact: FactOf<'conflict'>): string | undefined {
    const { uuid, claim, reason, holder, generation } = fact;
    if (reason === 'ForeignDevice') {
      return this.#parts.wasElsewhere(uuid, claim, SIGHTING_MS_MAX)
        ? undefined
        : `no device of ${uuid} is in its way`;
    }
    if (holder === null) return `${uuid} is held, but nobody is named`;
    const sinceMs = this.#parts.world.monotonicMs() - REFUSAL_MS_MAX;
    const refusals = (this.#refusals.get(uuid) ?? []).filter(
      ({ atMs, standing }) =>
        atMs >= sinceMs && standing.hold.phase === 'held' && sameClaim(standing.hold.claim, holder.claim),
    );
    if (refusals.length === 0) return `${JSON.stringify(holder.claim)} did not hold ${uuid}`;
    if (this.#hadToLeave(uuid, holder.claim, refusals))
      return `${JSON.stringify(holder.claim)} was withdrawn, and only had not given ${uuid} back`;
    if (sameClaim(holder.claim, claim)) return `${uuid} is its own`;
    const said = this.#saidAt.get(`${uuid} ${generation.epoch} ${generation.sequence}`);
    const named = said?.replaces && sameClaim(said.replaces, holder.claim);
    return named ? `${uuid} was declared to replace that very holder` : undefined;
  }

  /** Who is to give the UUID back is no reason to end, whether it has heard of that or not. */
  #hadToLeave(uuid: Uuid, { host }: Claim, refusals: readonly Refusal[]): boolean {
    const { server } = this.#parts;
    const sinceMs = Math.min(...refusals.map(({ atMs }) => atMs));
    const isRewound = server.desired.rewinds.some(({ atMs }) => atMs >= sinceMs);
    const last = withdrawalOf(server, host, uuid);
    if (last === undefined || isRewound) return false;
    return refusals.every(({ withdrawal }) => withdrawal === last);
  }

  #afterEnd({ uuid, generation }: FactOf<'conflict'> | FactOf<'failed'>): string | undefined {
    const lie = this.#again({ uuid, generation });
    this.#ended.set(uuid, generation);
    return lie;
  }

  /**
   * What ended stays so until there is a new declaration, or a retry; but a registry that went back may take a late
   * write for it after all, and a journal that was made again may not know the last.
   */
  #again({ uuid, generation }: { readonly uuid: Uuid; readonly generation: Generation }): string | undefined {
    const ended = this.#ended.get(uuid);
    if (ended === undefined || !sameGeneration(ended, generation)) return undefined;
    if (this.#parts.server.registry.disputed.has(uuid) || this.#parts.mayLack(uuid)) return undefined;
    return `${uuid} had ended, and nobody asked for more`;
  }

  #active({ uuid, how }: FactOf<'active'>): string | undefined {
    if (this.#parts.isIncomplete(uuid)) return `${uuid} is not whole`;
    if (how !== 'created' || this.#parts.wasMadeHere(uuid)) return undefined;
    return `${uuid} was not created by this agent`;
  }
}

/** The sequence of the last message about the UUID on that host, as the leader has it, if that withdraws it. */
export function withdrawalOf({ desired }: Server, host: string, uuid: Uuid): number | undefined {
  const last = desired.lastOn(`${PREFIX}.desired.${host}.${uuid}`);
  const decoded = last && decodeEvent(parseSubject(PREFIX, last.subject), last.data);
  const isAbsent = decoded?.kind === 'declaration' && decoded.declaration.desired === 'absent';
  return isAbsent ? last?.sequence : undefined;
}
