/**
 * `forget-host`: a host that will not come back loses its word, its holds, and what is declared for it.
 *
 * It is asked first whether it is there. Then the act is published, the host's key in the registry is taken, so that
 * it can take nothing any more, and only then is each hold released. Done again, it does what is left.
 */

import type { HostId, Uuid } from '../../events/names.ts';
import { parseSubject, subjectFilter } from '../../events/subject.ts';
import { inLanes } from '../../store/lanes.ts';
import { vacate } from '../../store/registry/incarnation.ts';
import { type Held, readHold } from '../../store/registry/standing.ts';
import { diffAbsent } from '../declare/diff.ts';
import { type Author, publishChanges } from '../declare/publish.ts';
import { Failure, type Outcome } from '../exit.ts';
import { readStandings } from '../fleet.ts';
import { createAuthor } from './author.ts';
import { isAlive, isThere } from './call.ts';
import { hostsOf } from './hosts.ts';
import { type Fleet, withFleet } from './open.ts';
import { publishCommands } from './order.ts';
import { reasonOf } from './reason.ts';
import { force } from './release.ts';
import type { Invocation } from './verb.ts';

/** Holds that are asked for at a time. */
const IN_FLIGHT_MAX = 64;

type HeldUuid = { readonly uuid: Uuid; readonly held: Held };

export async function forgetHost({ settings, args, flags, out }: Invocation): Promise<Outcome> {
  const host = oneHost(args);
  const done = await withFleet(settings, async (fleet) => {
    const author = createAuthor(fleet.clock, flags['source']);
    const standing = await holdsOf(fleet, host);
    if (flags['force'] !== true) throw unforced(host, standing.length);
    const why = reasonOf(flags['reason'], `forgetting host ${host}`);
    if (await isThere(fleet, host, author, flags['wait'])) {
      throw isAlive('forgetting', host, 'stop its agent first, or release single UUIDs');
    }
    const event = author();
    await publishCommands(fleet, [{ command: 'forget', event, data: { host, why } }]);
    await takeTheWord(fleet, host, { as: 'forgotten', by: event.source, why, at: event.time });
    const all = await holdsOf(fleet, host);
    for (const { uuid, held } of all) await force(fleet, uuid, held);
    const withdrawn = flags['keep'] === true ? 0 : await withdrawAll(fleet, host, author);
    return { host, released: all.map(({ uuid }) => uuid), withdrawn };
  });
  const { released, withdrawn } = done;
  if (flags['json'] === true) out.json(done);
  else
    out.line(
      `host ${host} is forgotten: ${released.length} holds released, ${withdrawn} declarations withdrawn`,
    );
  return 'ok';
}

/** The one host that is named. Throws a Failure. */
export function oneHost(args: readonly string[]): HostId {
  const [host] = hostsOf(args);
  if (host === undefined) throw new Error('bug: the command line was parsed without a host');
  return host;
}

/** Takes the word from whoever speaks for the host. Throws a Failure when it is not known to be taken. */
export async function takeTheWord(
  { registry }: Fleet,
  host: HostId,
  vacant: Parameters<typeof vacate>[2],
): Promise<'done' | 'never'> {
  const vacated = await vacate(registry, host, vacant);
  if (vacated.kind !== 'unknown') return vacated.kind;
  throw new Failure(`taking the word from host ${host}: it is not known whether the registry took it`, {
    outcome: 'incomplete',
    wayOut: 'run the same command again',
    cause: vacated.cause,
  });
}

/** A host holds only what was declared for it at some time, or reported by it. */
async function holdsOf({ streams, prefix, registry }: Fleet, host: HostId): Promise<readonly HeldUuid[]> {
  const uuids = new Set<Uuid>();
  for (const name of ['desired', 'observed'] as const) {
    for await (const { subject } of streams[name].lastPerSubject(subjectFilter(prefix, name, { host }))) {
      const uuid = parseSubject(prefix, subject)?.uuid;
      if (uuid) uuids.add(uuid);
    }
  }
  const found: HeldUuid[] = [];
  await inLanes(uuids, IN_FLIGHT_MAX, async (uuid) => {
    const held = await readHold(registry, uuid);
    if (held?.hold.claim.host === host && held.hold.phase !== 'fenced') found.push({ uuid, held });
  });
  return found;
}

async function withdrawAll({ streams, prefix }: Fleet, host: HostId, author: Author): Promise<number> {
  const publisher = { stream: streams.desired, prefix, author };
  const { changes, stopped } = await publishChanges(publisher, async () => {
    const standings = await readStandings(streams.desired, prefix, { host });
    const present = [...standings.values()].flatMap(({ declaration }) =>
      declaration?.desired === 'present' ? [{ host, uuid: declaration.data.uuid }] : [],
    );
    return diffAbsent(present, standings);
  });
  if (stopped === null) return changes.length;
  throw new Failure(`withdrawing what is declared for host ${host}: not everything is done`, {
    outcome: 'incomplete',
    wayOut: 'run the same command again',
    cause: stopped.cause,
  });
}

function unforced(host: HostId, count: number): Failure {
  return new Failure(
    `forgetting host ${host}: with --force you state that it will not come back and uses no device any more. ` +
      `It holds ${count} UUIDs, which others may take then`,
    {
      outcome: 'refused',
      wayOut: 'delete its declarations if it is alive; else add --force and --reason TEXT',
    },
  );
}
