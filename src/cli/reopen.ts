/**
 * `reopen`: ends the rebuilding of the registry, so that UUIDs may be taken again.
 *
 * A host that has not confirmed its holds may have some that the registry has lost: once it is open again,
 * another host may take them. So the hosts of which that is known are named, and the act says which they were.
 */

import type { HostId } from '../../events/names.ts';
import { inLanes } from '../../store/lanes.ts';
import { type Fleet as FleetState, readFleet, reopen as reopenFleet } from '../../store/registry/fleet.ts';
import { confirmedBy } from '../../store/registry/incarnation.ts';
import type { Unknown } from '../../store/registry/standing.ts';
import { Failure, type Outcome } from '../exit.ts';
import { knownHosts } from '../fleet.ts';
import { forgottenHosts } from '../look/forgotten.ts';
import { createAuthor } from './author.ts';
import { type Fleet, withFleet } from './open.ts';
import { publishCommands } from './order.ts';
import type { Output } from './output.ts';
import type { Invocation } from './verb.ts';

/** Hosts that are asked for at a time. */
const IN_FLIGHT_MAX = 64;

/** What was done, or that nothing was to be done. */
type Done = { readonly before: FleetState; readonly unconfirmed: readonly HostId[]; readonly hosts: number };

export async function reopen({ settings, flags, out }: Invocation): Promise<Outcome> {
  const done = await withFleet(settings, async (fleet): Promise<Done> => {
    const before = known(await readFleet(fleet.registry));
    if (before.state === 'open') return { before, unconfirmed: [], hosts: 0 };
    const forgotten = await forgottenHosts(fleet.streams.command, fleet.prefix);
    const hosts = [...(await knownHosts(fleet.streams, fleet.prefix)).difference(forgotten)].sort();
    const unconfirmed = await unconfirmedOf(fleet, hosts, before.revision);
    if (unconfirmed.length > 0 && flags['yes'] !== true) throw notYet(before, unconfirmed, hosts.length);
    const event = createAuthor(fleet.clock, flags['source'])();
    await publishCommands(fleet, [{ command: 'reopen', event, data: { unconfirmed: [...unconfirmed] } }]);
    const what = `${hosts.length - unconfirmed.length} of ${hosts.length} known hosts have confirmed their holds`;
    const statement = { by: event.source, what, at: event.time };
    const after = known(await reopenFleet(fleet.registry, statement, before.revision));
    if (after.state !== 'open') throw changed(after);
    return { before, unconfirmed, hosts: hosts.length };
  });
  show(done, flags['json'] === true, out);
  return 'ok';
}

function known(fleet: FleetState | Unknown): FleetState {
  if (fleet.kind === 'unknown') throw fleet.cause;
  return fleet;
}

async function unconfirmedOf(
  { registry }: Fleet,
  hosts: readonly HostId[],
  revision: number,
): Promise<readonly HostId[]> {
  const missing: HostId[] = [];
  await inLanes(hosts, IN_FLIGHT_MAX, async (host) => {
    if ((await confirmedBy(registry, host)) !== revision) missing.push(host);
  });
  return missing.sort();
}

function noticeOf({ value }: FleetState): string {
  return value === null ? 'nobody knows why' : `${value.what}; ${value.by} noticed at ${value.at}`;
}

function notYet(before: FleetState, unconfirmed: readonly HostId[], hosts: number): Failure {
  const lines = unconfirmed.map((host) => `\n  ${host}`);
  return new Failure(
    `opening the registry (${noticeOf(before)}): ${unconfirmed.length} of ${hosts} known hosts have not confirmed ` +
      `that the registry has what they hold, so their UUIDs may be given away:${lines.join('')}`,
    {
      outcome: 'refused',
      wayOut: 'start their agents and wait for them, or add --yes if these hosts hold nothing or are gone',
    },
  );
}

function changed(after: FleetState): Failure {
  return new Failure(`opening the registry: it has begun to rebuild once more: ${noticeOf(after)}`, {
    outcome: 'incomplete',
    wayOut: 'run the same command again',
  });
}

function show({ before, unconfirmed, hosts }: Done, asJson: boolean, out: Output): void {
  const wasRebuilding = before.state === 'rebuilding';
  if (asJson) out.json({ reopened: wasRebuilding, notice: before.value, hosts, unconfirmed });
  else if (wasRebuilding) out.line(`the registry is open again; it was rebuilding: ${noticeOf(before)}`);
  else out.line('the registry is open; there is nothing to do');
}
