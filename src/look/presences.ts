/**
 * Whether the agents of many hosts are there.
 */
import type { HostId } from '../../events/names.ts';
import type { AskPresence, Presence } from '../../events/presence.ts';
import { inLanes } from '../../store/lanes.ts';

/** Hosts that are asked at a time: the answer to each has a time limit, which runs while others are asked. */
const IN_FLIGHT_MAX = 512;

/** Asks for all of them. */
export async function presences(
  ask: AskPresence,
  hosts: Iterable<HostId>,
): Promise<ReadonlyMap<HostId, Presence>> {
  const found = new Map<HostId, Presence>();
  await inLanes(hosts, IN_FLIGHT_MAX, async (host) => {
    found.set(host, await ask(host));
  });
  return found;
}
