/**
 * Many hosts declare the same UUIDs at once, on real servers: a smaller number than `npm run contest` has.
 */
import { expect, test } from 'vitest';
import { Contest } from './contest.ts';
import { type Replicas, startFleetServer } from './fleet-server.ts';

const HOSTS = 40;
const UUIDS = 100;
const SETTLE_MS_MAX = 40_000;

test.each<Replicas>([1, 3])(
  'one holder each, and a conflict that names it, on %i replica(s)',
  async (replicas) => {
    const server = await startFleetServer(replicas);
    try {
      const contest = await Contest.open(server.urls, HOSTS);
      const one = await contest.run({ uuids: 1, contenders: HOSTS, settleMsMax: SETTLE_MS_MAX });
      expect(one).toMatchObject({ declarations: HOSTS, conflicts: HOSTS - 1 });
      const many = await contest.run({ uuids: UUIDS, contenders: 3, settleMsMax: SETTLE_MS_MAX });
      expect(many).toMatchObject({ declarations: 3 * UUIDS, conflicts: 2 * UUIDS });
      await contest.close();
    } finally {
      await server.stop();
    }
  },
);
