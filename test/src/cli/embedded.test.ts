/**
 * The verbs on the embedded stream of one machine.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbedded } from '../../../events/embedded/embedded.ts';
import { openEmbeddedStreams } from '../../../events/embedded/streams-embedded.ts';
import { systemClock } from '../../../reconciler/clock-system.ts';
import { openLmdbRegistry } from '../../../store/registry/registry-lmdb.ts';
import { type TestFleet, testFleetVerbs } from './fleet.contract.ts';
import { testHostVerbs } from './hosts.contract.ts';
import { testPlanVerbs } from './plan.contract.ts';
import { testRegistryVerbs } from './registry.contract.ts';

testFleetVerbs('embedded', openFleet);
testRegistryVerbs('embedded', openFleet);
testPlanVerbs('embedded', openFleet);
testHostVerbs('embedded', openFleet);

async function openFleet(): Promise<TestFleet> {
  const data = await mkdtemp(join(tmpdir(), 'mdevfleet-cli-data-'));
  const embedded = await openEmbedded(data, { after: systemClock.after, now: systemClock.wall });
  return {
    flags: ['--data', data],
    streams: await openEmbeddedStreams(embedded, 'mdev'),
    registry: openLmdbRegistry(embedded),
    async close() {
      await embedded.close();
      await rm(data, { recursive: true });
    },
  };
}
