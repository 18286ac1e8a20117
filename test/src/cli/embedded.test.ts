/**
 * The verbs on the embedded stream of one machine.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbedded } from '../../../events/embedded/embedded.ts';
import { openEmbeddedStreams } from '../../../events/embedded/streams-embedded.ts';
import { systemClock } from '../../../reconciler/clock-system.ts';
import { testFleetVerbs } from './fleet.contract.ts';

testFleetVerbs('embedded', async () => {
  const data = await mkdtemp(join(tmpdir(), 'mdevfleet-cli-data-'));
  const embedded = await openEmbedded(data, { after: systemClock.after, now: systemClock.wall });
  return {
    flags: ['--data', data],
    streams: await openEmbeddedStreams(embedded, 'mdev'),
    async close() {
      await embedded.close();
      await rm(data, { recursive: true });
    },
  };
});
