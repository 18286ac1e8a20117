import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbedded } from '../../../events/embedded/embedded.ts';
import { openEmbeddedStreams } from '../../../events/embedded/streams-embedded.ts';
import { systemClock } from '../../../reconciler/clock-system.ts';
import { streamContract } from '../stream.contract.ts';
import type { StreamsUnderTest } from '../streams-under-test.ts';

async function open(): Promise<StreamsUnderTest> {
  const dir = await mkdtemp(join(tmpdir(), 'mdevfleet-embedded-'));
  const clients: { close(): Promise<void> }[] = [];
  return {
    prefix: 'mdev',
    client: async () => {
      const embedded = await openEmbedded(dir, { after: systemClock.after, now: systemClock.wall });
      const streams = await openEmbeddedStreams(embedded, 'mdev');
      clients.push(streams, embedded);
      return streams;
    },
    close: async () => {
      for (const client of clients) await client.close();
      await rm(dir, { recursive: true });
    },
  };
}

streamContract('in LMDB', open, 25);
