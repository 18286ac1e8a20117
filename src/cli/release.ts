/**
 * `release --force`: takes UUIDs from a host of which the operator states that it does not use them any more.
 *
 * The act is published before the registry is written, so that it can always be told who did it, and why.
 * A device that the old holder still has is not touched by this. The act is published to that host: it hears of it
 * within seconds, or when it is back.
 */
import type { HostId, Uuid } from '../../events/names.ts';
import { forceRelease } from '../../store/registry/force.ts';
import { type Held, holderOf, holds, readHold } from '../../store/registry/standing.ts';
import { Failure, type Outcome } from '../exit.ts';
import { createAuthor } from './author.ts';
import { type Fleet, withFleet } from './open.ts';
import { publishCommands } from './order.ts';
import { reasonOf } from './reason.ts';
import { uuidsOf } from './targets.ts';
import type { Invocation } from './verb.ts';

/** What became of a UUID. `released` before, by an earlier act, is `unchanged`; so is one that nobody holds. */
type Released = {
  readonly uuid: Uuid;
  readonly held: Held | null;
  readonly status: 'released' | 'already released' | 'not held';
};

export async function release({ settings, args, flags, out }: Invocation): Promise<Outcome> {
  const uuids = uuidsOf(args);
  const host = flags['host'] as HostId | undefined;
  if (flags['force'] !== true)
    throw unforced(await withFleet(settings, (fleet) => lookAt(fleet, uuids, host)));
  const why = reasonOf(flags['reason'], 'releasing by force');
  const all = await withFleet(settings, async (fleet) => {
    const found = await lookAt(fleet, uuids, host);
    const author = createAuthor(fleet.clock, flags['source']);
    const due = found.flatMap(({ uuid, held, status }) =>
      held && status === 'released' ? [{ uuid, held }] : [],
    );
    await publishCommands(
      fleet,
      due.map(({ uuid, held }) => {
        const data = { host: held.hold.claim.host, uuid, why };
        return { command: 'release', event: author(), data };
      }),
    );
    for (const { uuid, held } of due) await force(fleet, uuid, held);
    return found;
  });
  if (flags['json'] === true) out.json(all.map(jsonOf));
  else for (const one of all) out.line(textOf(one));
  return 'ok';
}

/** Who holds each of them. Throws a Failure when one is held by another host than the one that was named. */
function lookAt(
  { registry }: Fleet,
  uuids: readonly Uuid[],
  host: HostId | undefined,
): Promise<readonly Released[]> {
  return Promise.all(
    uuids.map(async (uuid) => {
      const held = (await readHold(registry, uuid)) ?? null;
      if (held === null) return { uuid, held, status: 'not held' as const };
      if (held.hold.phase === 'fenced') return { uuid, held, status: 'already released' as const };
      if (host !== undefined && held.hold.claim.host !== host) throw otherHost(uuid, held, host);
      return { uuid, held, status: 'released' as const };
    }),
  );
}

/** Writes the tombstone. Throws a Failure unless it is known to stand. */
export async function force({ registry }: Pick<Fleet, 'registry'>, uuid: Uuid, held: Held): Promise<void> {
  const forced = await forceRelease(registry, uuid, held);
  if (forced.kind === 'fenced') return;
  const what =
    forced.kind === 'changed'
      ? 'its hold changed in between'
      : 'it is not known whether the registry took it';
  throw new Failure(`releasing ${uuid} by force: ${what}`, {
    outcome: 'incomplete',
    wayOut: 'run the same command again; what was released already stays so',
    cause: forced.kind === 'unknown' ? forced.cause : undefined,
  });
}

function unforced(found: readonly Released[]): Failure {
  const lines = found.map(
    (one) => `\n  ${one.uuid} is ${one.held === null ? 'not held' : describe(one.held)}`,
  );
  return new Failure(
    'releasing: with --force you state that the host does not use these devices any more. If it does, two ' +
      `machines may work with one device:${lines.join('')}`,
    {
      outcome: 'refused',
      wayOut: 'delete the declarations if the host is alive; else add --force and --reason TEXT',
    },
  );
}

function otherHost(uuid: Uuid, held: Held, host: HostId): Failure {
  return new Failure(`releasing ${uuid} by force: it is not held by host ${host}, but ${describe(held)}`, {
    outcome: 'refused',
    wayOut: 'name the host that holds it, or leave --host out',
  });
}

function describe(held: Held): string {
  return holds(holderOf(held));
}

function textOf({ uuid, held, status }: Released): string {
  if (held === null) return `${uuid} is not held by any host; there is nothing to release`;
  if (status === 'already released') return `${uuid} was ${describe(held)}`;
  return `${uuid} is released by force; it was ${describe(held)}`;
}

function jsonOf({ uuid, held, status }: Released): object {
  const claim = held?.hold.claim ?? { host: null, parent: null, type: null };
  return { uuid, ...claim, since: held?.since ?? null, status };
}
