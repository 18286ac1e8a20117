/**
 * After a reboot, with the same journal and nobody at the server's address: what was held comes back.
 */
import assert from 'node:assert/strict';
import { GuestAgent, runVerb } from './agents.ts';
import { onBus, parents, typeOf, until, uuid } from './mdev.ts';
import type { Scenario } from './scenario.ts';

const DATA = '/guest/disk/data';
const HOST = 'kernel-a';
const KEPT = [uuid(11), uuid(12), uuid(16)];
/** A port at which nobody listens in a fresh guest. */
const NOBODY = 'nats://127.0.0.1:4222';

export const scenario: Scenario = {
  module: import.meta.url,
  cases: {
    'a fresh boot brings the devices back without a server, and no others': async () => {
      for (const one of KEPT) assert.ok(!onBus(one));
      const agent = new GuestAgent(HOST, DATA, NOBODY);
      await until('all devices', () => KEPT.every((one) => typeOf('mdevfleet-0', one) === 'mdevfleet-a'));
      const others = [uuid(13), uuid(14), uuid(15)].filter(onBus);
      assert.deepEqual(others, []);
      assert.ok(parents().length > 1);
      assert.equal(await agent.stop(), 0);
    },
    'the journal verifies after it': async () => {
      assert.equal(await runVerb('verify', '--host', HOST, '--data', DATA), 0);
    },
  },
};
