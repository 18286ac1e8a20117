import { DirectMsgHeaders, jetstreamManager } from '@nats-io/jetstream';
import { headers, type NatsConnection } from 'nats';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { initFleet } from '../../events/init.ts';
import { streamNameOf } from '../../events/settings.ts';
import {
  type Ring,
  StreamForbidden,
  StreamMissing,
  type Streams,
  StreamUnavailable,
} from '../../events/stream.ts';
import { openJetStreams } from '../../events/stream-jetstream.ts';
import { openUplink, type Uplink } from '../../events/uplink.ts';
import { systemClock, systemRandom } from '../../reconciler/clock-system.ts';
import { type RunningNats, startNats } from '../nats.ts';
import { streamContract } from './stream.contract.ts';
import { all, plain, type StreamsUnderTest, until } from './streams-under-test.ts';

const TIMEOUT_MS = 5_000;
/** For servers that are meant not to answer. */
const SHORT_TIMEOUT_MS = 300;
const NO_SECRETS = { creds: null, nkey: null, tlsCa: null, tlsCert: null, tlsKey: null };

/** What a test opened, closed after it, last first. */
const opened: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

function uplinkTo(url: string, timeoutMs = TIMEOUT_MS): Uplink {
  const { after } = systemClock;
  const uplink = openUplink({ ...NO_SECRETS, servers: [url], timeoutMs, after, random: systemRandom });
  opened.push(() => uplink.close());
  return uplink;
}

type Fleet = { readonly streams: Streams; readonly connection: NatsConnection; readonly prefix: string };

const prefixes = { given: 0 };

/** A new fleet on the server; `client` is one more way into it. */
async function openFleet(
  url: string,
  timeoutMs = TIMEOUT_MS,
): Promise<Fleet & { client(): Promise<Streams> }> {
  prefixes.given += 1;
  const prefix = `fleet-${prefixes.given}`;
  const uplink = uplinkTo(url, timeoutMs);
  const { connection } = await uplink.first;
  await initFleet(connection, { prefix, timeoutMs });
  const client = async () => {
    const another = uplinkTo(url, timeoutMs);
    await another.first;
    return openJetStreams(another, prefix);
  };
  return { streams: openJetStreams(uplink, prefix), connection, prefix, client };
}

const bytes = (text: string) => new TextEncoder().encode(text);

describe.each(['newest', 'least'] as const)('the %s server', (version) => {
  let server: RunningNats;

  beforeAll(async () => {
    server = await startNats({ version });
  });

  afterAll(() => server.stop());

  async function open(): Promise<StreamsUnderTest> {
    const { prefix, client } = await openFleet(server.url);
    return { prefix, client, close: async () => {} };
  }

  streamContract('on JetStream', open, 10);

  describe('one server that others publish to', () => {
    let fleet: Fleet;

    beforeEach(async () => {
      fleet = await openFleet(server.url);
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
      for (const message of expected) {
        expect(plain(await streams.desired.at(message.sequence))).toEqual(message);
      }
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

describe('a server that goes', () => {
  let server: RunningNats;

  beforeEach(async () => {
    server = await startNats();
    opened.push(() => server.stop());
  });

  test('while it is down nothing is known; after that, all that was stored is there', async () => {
    const { streams, prefix } = await openFleet(server.url);
    const states: string[] = [];
    const rung: Ring[] = [];
    streams.onConnection((state) => states.push(state));
    streams.doorbell('a', (ring) => rung.push(ring));
    const append = (id: string) =>
      streams.desired.append({ subject: `${prefix}.desired.a.x`, id, data: bytes(id) });
    await append('one');
    const { created } = await streams.desired.info();
    await server.kill();
    await until(() => states.at(-1) === 'down');
    for (const read of reads(streams, prefix)) await expect(read()).rejects.toThrow(StreamUnavailable);
    expect(await append('two')).toMatchObject({ kind: 'unknown', cause: expect.any(StreamUnavailable) });
    await server.restart();
    await until(() => states.at(-1) === 'up');
    expect(states).toEqual(['up', 'down', 'up']);
    expect(await streams.desired.info()).toEqual({ created, firstSequence: 1, lastSequence: 1 });
    rung.length = 0;
    expect(await append('two')).toMatchObject({ kind: 'stored', sequence: 2 });
    await until(() => rung.length > 0);
    expect(rung).toEqual([{ stream: 'desired', sequence: 2 }]);
    expect((await streams.desired.next(`${prefix}.desired.a.*`, 0, 10)).map(({ id }) => id)).toEqual([
      'one',
      'two',
    ]);
  });

  test('what is asked of a server that stands still ends in time', async () => {
    const { streams, prefix } = await openFleet(server.url, SHORT_TIMEOUT_MS);
    server.pause();
    for (const read of reads(streams, prefix)) await expect(read()).rejects.toThrow(StreamUnavailable);
    const messages = ['1', '2'].map((id) => ({ subject: `${prefix}.desired.a.x`, id, data: bytes(id) }));
    const answers = await streams.desired.appendAll(messages);
    expect(answers.map(({ kind }) => kind)).toEqual(['unknown', 'unknown']);
    server.resume();
  });

  test('reading the last of each subject breaks off with an error, not early', async () => {
    const { streams, prefix } = await openFleet(server.url);
    const batch = Array.from({ length: 600 }, (_, at) => ({
      subject: `${prefix}.desired.a.${at}`,
      id: String(at),
      data: bytes('x'),
    }));
    const stored = await streams.desired.appendAll(batch);
    expect(stored.filter(({ kind }) => kind === 'stored')).toHaveLength(batch.length);
    const read = async () => {
      for await (const { id } of streams.desired.lastPerSubject(`${prefix}.desired.*.*`)) {
        if (id === '0') await server.kill();
      }
    };
    await expect(read()).rejects.toThrow(StreamUnavailable);
  });

  test('an uplink that is opened without a server says why, and is up once there is one', async () => {
    const { prefix } = await openFleet(server.url);
    await server.kill();
    const faults: Error[] = [];
    const quick = (delayMs: number, callback: () => void) => systemClock.after(delayMs / 100, callback);
    const options = { ...NO_SECRETS, servers: [server.url], timeoutMs: TIMEOUT_MS, random: systemRandom };
    const uplink = openUplink({ ...options, after: quick });
    opened.push(() => uplink.close());
    uplink.onFault((fault) => faults.push(fault));
    const streams = openJetStreams(uplink, prefix);
    const states: string[] = [];
    streams.onConnection((state) => states.push(state));
    await expect(uplink.first).rejects.toMatchObject({ name: 'ConnectFailed', reason: 'unreachable' });
    await expect(streams.desired.info()).rejects.toThrow(`no connection to the NATS server at 127.0.0.1`);
    await until(() => faults.length > 1);
    await server.restart();
    await until(() => states.includes('up'));
    expect(await streams.desired.info()).toMatchObject({ lastSequence: 0 });
  });
});

test('what a user may not do is said with the subject that it needs', async () => {
  const server = await startNats({
    config: `authorization { users: [
      { user: admin, password: secret },
      { user: guest, password: secret, permissions: {
        publish: { deny: ["fleet.>", "$JS.API.>"] }, subscribe: { deny: "fleet.>" } } }
    ] }`,
  });
  opened.push(() => server.stop());
  const prefix = 'fleet';
  const admin = await uplinkTo(server.url.replace('//', '//admin:secret@')).first;
  await initFleet(admin.connection, { prefix, timeoutMs: TIMEOUT_MS });
  const uplink = uplinkTo(server.url.replace('//', '//guest:secret@'));
  const faults: Error[] = [];
  uplink.onFault((fault) => faults.push(fault));
  await uplink.first;
  const streams = openJetStreams(uplink, prefix);
  for (const read of reads(streams, prefix)) await expect(read()).rejects.toThrow(StreamForbidden);
  await expect(streams.desired.info()).rejects.toThrow(
    /may not publish to \$JS\.API\.STREAM\.INFO\.FLEET_DESIRED/,
  );
  const answer = await streams.desired.append({ subject: 'fleet.desired.a.x', id: '1', data: bytes('') });
  expect(answer).toMatchObject({ kind: 'unknown', cause: expect.any(StreamForbidden) });
  faults.length = 0;
  streams.doorbell('a', () => {});
  await until(() => faults.length > 0);
  expect(String(faults[0])).toContain('fleet.doorbell.a.*');
});

/** Every way to read. */
function reads(streams: Streams, prefix: string): readonly (() => Promise<unknown>)[] {
  const filter = `${prefix}.desired.a.*`;
  const { desired } = streams;
  return [
    () => desired.info(),
    () => desired.at(1),
    () => desired.last(`${prefix}.desired.a.x`),
    () => desired.next(filter, 0, 10),
    () => all(desired.lastPerSubject(filter)),
  ];
}
