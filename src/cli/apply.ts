/**
 * `apply`: publishes what manifests declare, as far as it differs from what stands declared.
 */

import { describe } from '../../store/evolve.ts';
import { type Change, diffPresent, type Wish } from '../diff.ts';
import { Failure, type Outcome } from '../exit.ts';
import { readStandings } from '../fleet.ts';
import type { Listed } from '../manifest.ts';
import { publishChanges } from '../publish.ts';
import { createAuthor } from './author.ts';
import { readManifests } from './input.ts';
import { type Fleet, withFleet } from './open.ts';
import { showReport } from './report.ts';
import type { Invocation } from './verb.ts';

export async function apply({ settings, flags, out }: Invocation): Promise<Outcome> {
  const wishes = (await readManifests(flags['file'] as readonly string[])).map(wishOf);
  const uuids = new Set(wishes.map((wish) => wish.uuid));
  const publish = ({ streams, prefix, clock }: Fleet) => {
    const author = createAuthor(clock, flags['source']);
    return publishChanges({ stream: streams.desired, prefix, author }, async () => {
      const changes = diffPresent(wishes, await readStandings(streams.desired, prefix, { uuids }));
      if (flags['replace'] !== true) refuseRemovals(changes);
      return changes;
    });
  };
  const report = await withFleet(settings, publish, { create: true });
  showReport(report, flags['json'] === true, out);
  return 'ok';
}

function wishOf({ device, set }: Listed): Wish {
  return { ...device, set };
}

function refuseRemovals(changes: readonly Change[]): void {
  const removals = changes.filter((change) => change.ends.length > 0 && change.publications.length > 0);
  if (removals.length === 0) return;
  const lines = removals.map(
    ({ uuid, claim, ends }) =>
      `\n  ${uuid}: ${ends.map(describe).join(' and ')} would go, for ${claim && describe(claim)}`,
  );
  throw new Failure(
    `applying: devices of the same set would be removed where they are now:${lines.join('')}`,
    {
      outcome: 'refused',
      wayOut: 'add --replace to allow it, or keep the old place in the manifest as well',
    },
  );
}
