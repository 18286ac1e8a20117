/**
 * `delete`: declares that devices should not exist any more, by UUID or by manifest.
 *
 * By manifest only what the manifest's own set declared is withdrawn: an old file must not take
 * away what somebody else declares under the same UUID by now.
 */
import type { HostId, Uuid } from '../../events/names.ts';
import { diffAbsent, keyOf, presentByUuid, type Standings } from '../declare/diff.ts';
import { uuidsOfPool } from '../declare/expand.ts';
import type { Listed } from '../declare/manifest.ts';
import { publishChanges } from '../declare/publish.ts';
import { Failure, type Outcome } from '../exit.ts';
import { readStandings } from '../fleet.ts';
import { createAuthor } from './author.ts';
import { readManifests } from './input.ts';
import { withFleet } from './open.ts';
import type { Output } from './output.ts';
import { showReport } from './report.ts';
import { type Target, targetsOf, uuidsOf } from './targets.ts';
import type { Invocation } from './verb.ts';

export async function deleteDevices({ settings, args, flags, out }: Invocation): Promise<Outcome> {
  const choose = await chooser({ args, flags, out });
  const report = await withFleet(settings, ({ streams, prefix, clock }) => {
    const author = createAuthor(clock, flags['source']);
    return publishChanges({ stream: streams.desired, prefix, author }, async () => {
      const standings = await readStandings(streams.desired, prefix, { uuids: choose.uuids });
      return diffAbsent(choose.targets(standings), standings);
    });
  });
  showReport(report, flags['json'] === true, out);
  return 'ok';
}

type Chooser = {
  readonly uuids: ReadonlySet<string>;
  targets(standings: Standings): readonly Target[];
};

async function chooser(asked: Pick<Invocation, 'args' | 'flags' | 'out'>): Promise<Chooser> {
  const { args, flags, out } = asked;
  const file = flags['file'] as readonly string[] | undefined;
  if ((file === undefined) === (args.length === 0)) {
    throw new Failure('deleting: name devices either by UUID or with -f', {
      outcome: 'usage',
      wayOut: 'see `mdevfleet delete --help`',
    });
  }
  if (file === undefined) {
    const uuids = uuidsOf(args);
    const host = flags['host'] as HostId | undefined;
    return { uuids: new Set(uuids), targets: (standings) => targetsOf(uuids, standings, host) };
  }
  const { devices, pools } = await readManifests(file);
  const pooled = pools.flatMap((one) => uuidsOfPool(one).map((uuid) => ({ uuid, set: one.set })));
  const uuids = new Set([...devices.map(({ device }) => device.uuid), ...pooled.map(({ uuid }) => uuid)]);
  return {
    uuids,
    targets: (standings) => [...ownedBy(devices, standings, out), ...inPools(pooled, standings)],
  };
}

/** Devices of pools, wherever their sets have declared them. */
function inPools(
  pooled: readonly { readonly uuid: Uuid; readonly set: string }[],
  standings: Standings,
): readonly Target[] {
  const present = presentByUuid(standings);
  return pooled.flatMap(({ uuid, set }) => {
    const own = present.get(uuid)?.filter(({ data }) => data.set === set) ?? [];
    return own.map(({ data: { host } }) => ({ host, uuid }));
  });
}

/** Those of the manifest that its set declared; of the others a warning says why not. */
function ownedBy(listed: readonly Listed[], standings: Standings, out: Output): readonly Target[] {
  return listed.flatMap(({ device, set }) => {
    const { host, uuid } = device;
    const standing = standings.get(keyOf(device))?.declaration;
    if (standing?.desired === 'absent' || (standing?.desired === 'present' && standing.data.set === set)) {
      return [{ host, uuid }];
    }
    const owner =
      standing?.desired === 'present' ? `declared by ${ownerText(standing.data.set)}` : 'not declared';
    out.warn(`${host}/${uuid} is left alone: it is ${owner}`);
    return [];
  });
}

function ownerText(set: string | undefined): string {
  return set === undefined ? 'somebody without a set' : `set ${set}`;
}
