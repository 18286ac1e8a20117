import { DirectMsgHeaders, jetstreamManager } from '@nats-io/jetstream';
import { headers } from 'nats';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { initFleet } from '../../../events/jetstream/init.ts';
import { streamNameOf } from '../../../events/jetstream/settings.ts';
import { type Ring, StreamMissing } from '../../../events/stream.ts';
import { type RunningNats, startNats } from '../../nats.ts';
import { streamContract } from '../stream.contract.ts';
import { all, idsOf, plain, type StreamsUnderTest, until } from '../streams-under-test.ts';
import { type Fleet, fleetsForTests, reads, TIMEOUT_MS } from './jetstream-fleet.ts';

const fleets = fleetsForTests();
const bytes = (text: string) => new TextEncoder().encode(text);

describe.each(['newest', 'least'] as const)('the %s server', (version) => {
  let server: RunningNats;

  beforeAll(async () => {
    server = await startNats({ version });
  });

  afterAll(() => server.stop());

  async function open(): Promise<StreamsUnderTest> {
    const { prefix, client } = await fleets.open(server.url);
    return { prefix, client, close: async () => {} };
  }

  streamContract('on JetStream', open, 10);

  describe('one server that others publish to', () => {
    let fleet: Fleet;

    beforeEach(async () => {
      fleet = await fleets.open(server.url);
    });

    test('a message is what its publisher sent, whatever headers they gave it', async () => {
      const { connection, streams, prefix } = fleet;
      const subject = `${prefix}.desired.a.x`;
      const liar = headers();
      for (const name of Object.values(DirectMsgHeaders)) liar.set(name, '77');
      const sent = [
        undefined,
        headers(404, 'No Results'),
        headers(503, 'No Responders'),
        headers(204, 'EOB'),
        liar,
      ];
      for (const given of sent) {
        connection.publish(subject, '', given === undefined ? {} : { headers: given });
      }
      await connection.flush();
      await until(async () => (await streams.desired.info()).lastSequence === sent.length);
      const expected = sent.map((_, at) => ({ sequence: at + 1, subject, id: null, data: new Uint8Array() }));
      const read = await streams.desired.next(`${prefix}.desired.a.*`, 0, 100);
      expect(read.map(plain)).toEqual(expected);
      for (const { sequence, storedAt } of read) {
        const leader = await streams.desired.at(sequence);
        expect(plain(leader)).toEqual(expected[sequence - 1]);
        expect(storedAt).toMatch(/^\d{4}-/);
        expect(leader?.storedAt).toBe(storedAt);
      }
      expect((await streams.desired.last(subject))?.storedAt).toBe(read.at(-1)?.storedAt);
      const last = await all(streams.desired.lastPerSubject(subject));
      expect(last.map(plain)).toEqual(expected.slice(-1));
    });

    test('anybody may ring, and a ring that says nothing sensible says to look everywhere', async () => {
      const { connection, streams, prefix } = fleet;
      const rung: Ring[] = [];
      streams.doorbell('a', (ring) => rung.push(ring));
      await streams.desired.info();
      const nonsense = headers();
      nonsense.set('Nats-Stream', streamNameOf(prefix, 'desired'));
      nonsense.set('Nats-Sequence', '-1');
      connection.publish(`${prefix}.doorbell.a.x`, 'text');
      connection.publish(`${prefix}.doorbell.a.x`, '', { headers: nonsense });
      await until(() => rung.length === 2);
      expect(rung).toEqual([undefined, undefined]);
    });

    test('more than the server lets lie for a client is read in parts', async () => {
      const { streams, prefix } = fleet;
      const data = new Uint8Array(1000 * 1024);
      const batch = Array.from({ length: 70 }, (_, at) => ({
        subject: `${prefix}.desired.a.${at}`,
        id: String(at),
        data,
      }));
      await streams.desired.appendAll(batch);
      const ids = batch.map(({ id }) => id);
      expect(await idsOf(streams.desired, `${prefix}.desired.a.*`)).toEqual(ids);
      const last = await all(streams.desired.lastPerSubject(`${prefix}.desired.a.*`));
      expect(last.map(({ id }) => id)).toEqual(ids);
    });

    test('no consumer is left behind, also when the reading was broken off', async () => {
      const { connection, streams, prefix } = fleet;
      for (const uuid of ['x', 'y']) {
        await streams.desired.append({ subject: `${prefix}.desired.a.${uuid}`, id: uuid, data: bytes(uuid) });
      }
      await all(streams.desired.lastPerSubject(`${prefix}.desired.*.*`));
      for await (const _ of streams.desired.lastPerSubject(`${prefix}.desired.*.*`)) break;
      const manager = await jetstreamManager(connection);
      const { state } = await manager.streams.info(streamNameOf(prefix, 'desired'));
      expect(state.consumer_count).toBe(0);
    });

    test('a stream that is not there is missing, with the way out, in every operation', async () => {
      const { connection, streams, prefix } = fleet;
      const manager = await jetstreamManager(connection);
      await manager.streams.delete(streamNameOf(prefix, 'desired'));
      for (const read of reads(streams, prefix)) await expect(read()).rejects.toThrow(StreamMissing);
      await expect(streams.desired.info()).rejects.toThrow(/run mdevfleet init/);
      const answer = await streams.desired.append({
        subject: `${prefix}.desired.a.x`,
        id: '1',
        data: bytes(''),
      });
      expect(answer).toMatchObject({ kind: 'unknown', cause: expect.any(StreamMissing) });
    });

    test('a stream that was made anew tells another time of creation', async () => {
      const { connection, streams, prefix } = fleet;
      const before = await streams.desired.info();
      const manager = await jetstreamManager(connection);
      await manager.streams.delete(streamNameOf(prefix, 'desired'));
      await initFleet(connection, { prefix, timeoutMs: TIMEOUT_MS });
      expect((await streams.desired.info()).created).not.toBe(before.created);
    });
  });
});
