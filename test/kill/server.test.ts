/**
 * The kill points that matter most, with the fleet on a real nats-server.
 */
import { afterAll, beforeAll, describe, test } from 'vitest';
import type { FleetAddress } from '../../src/config.ts';
import { type RunningNats, startNats } from '../nats.ts';
import { mdevfleet } from '../src/cli/run.ts';
import { type Point, SERVER_POINTS } from './points.ts';
import { expectSurvived } from './survived.ts';

describe.concurrent('killed while a server keeps stream and registry', () => {
  let server: RunningNats;
  beforeAll(async () => {
    server = await startNats();
  });
  afterAll(() => server.stop());

  /** Each run has a fleet of its own on the server. */
  async function newFleet({ effect, when }: Point): Promise<FleetAddress> {
    const prefix = `${when}-${effect.replaceAll(' ', '-')}`;
    const { status, stderr } = await mdevfleet(['init', '--nats', server.url, '--prefix', prefix]);
    if (status !== 0) throw new Error(`init of ${prefix} ended with ${status}: ${stderr}`);
    const files = { creds: null, nkey: null, tlsCa: null, tlsCert: null, tlsKey: null };
    return { kind: 'nats', servers: [server.url], prefix, timeoutMs: 5_000, ...files };
  }

  test.for(SERVER_POINTS)('$when $effect, time $nth', async (point, { expect }) => {
    const address = await newFleet(point);
    await expectSurvived(expect, point, () => address);
  });
});
