/**
 * From manifests to the changes that would publish them, by what the fleet is known to have now.
 */
import type { HostId } from '../../events/names.ts';
import { type Change, diffPresent, diffPruned } from '../declare/diff.ts';
import { expand, uuidsOfPool } from '../declare/expand.ts';
import { type Declared, placeText } from '../declare/manifest.ts';
import type { Seen } from '../declare/plan.ts';
import { readOf, readOffers, readRows, readStandings } from '../fleet.ts';
import { notForgotten } from '../look/forgotten.ts';
import { wrongManifests } from './input.ts';
import type { Fleet } from './open.ts';

export type Asked = {
  /** Also withdraw what the sets declared and do not name any more. */
  readonly prune: boolean;
  /** Also end what other sets declared under the same UUIDs. */
  readonly takeOver: boolean;
};

export type Proposal = {
  readonly changes: readonly Change[];
  readonly seen: Seen;
  /** Devices that stand declared by the sets of the manifests, as far as that was asked for. */
  readonly declared: number;
};

/** What to publish so that the manifests are declared. Throws a Failure for what cannot be placed, or StreamUnavailable. */
export async function propose(fleet: Fleet, declared: Declared, asked: Asked): Promise<Proposal> {
  const seen = await look(fleet, declared, asked);
  const unmanaged = seen.rows.filter(({ state }) => state === 'unmanaged');
  const expanded = expand(declared, { ...seen, unmanaged });
  if (expanded.kind === 'unexpanded') {
    throw wrongManifests(expanded.reasons.map(({ place, reason }) => `${placeText(place)}: ${reason}`));
  }
  const { wishes } = expanded;
  const present = diffPresent(wishes, seen.standings, asked);
  const pruned = asked.prune ? diffPruned(declared.sets, present, seen.standings) : [];
  const ours = [...seen.standings.values()].filter(({ declaration }) => {
    return declaration?.desired === 'present' && declared.sets.has(declaration.data.set ?? '');
  });
  return { changes: [...present, ...pruned], seen, declared: ours.length };
}

/** As much of the fleet as the manifests are about; with pools, or to prune, all of it. A host that was forgotten offers nothing. */
async function look(fleet: Fleet, declared: Declared, asked: Asked): Promise<Seen> {
  const isThere = await notForgotten(fleet.streams.command, fleet.prefix);
  const { standings, offers, rows } = await lookAtAll(fleet, declared, asked);
  return { standings, offers: offers.filter(isThere), rows: rows.filter(isThere) };
}

async function lookAtAll({ streams, prefix }: Fleet, declared: Declared, { prune }: Asked): Promise<Seen> {
  const { devices, pools } = declared;
  const whole = prune || pools.length > 0;
  const uuids = new Set([
    ...devices.map(({ device }) => device.uuid),
    ...pools.flatMap((one) => uuidsOfPool(one)),
  ]);
  // What is declared is read first: a report that comes in between may only make a row newer.
  const standings = await readStandings(streams.desired, prefix, whole ? {} : { uuids });
  const hosts = new Set(devices.map(({ device }) => device.host));
  const offersOf = (host?: HostId) => readOffers(streams.observed, prefix, host);
  const rowsOf = (host?: HostId) => readRows(streams.observed, prefix, host);
  return whole
    ? { standings, offers: await offersOf(), rows: await rowsOf() }
    : { standings, offers: await readOf(hosts, offersOf), rows: await readOf(hosts, rowsOf) };
}
