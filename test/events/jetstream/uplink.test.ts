import { beforeEach, describe, expect, test } from 'vitest';
import { initFleet } from '../../../events/jetstream/init.ts';
import { openJetStreams } from '../../../events/jetstream/stream-jetstream.ts';
import { type Ring, StreamForbidden, StreamUnavailable } from '../../../events/stream.ts';
import { systemClock } from '../../../reconciler/clock-system.ts';
import { type RunningNats, startNats } from '../../nats.ts';
import { until } from '../streams-under-test.ts';
import { fleetsForTests, reads, TIMEOUT_MS } from './jetstream-fleet.ts';

/** For servers that are meant not to answer. */
const SHORT_TIMEOUT_MS = 1_500;

const fleets = fleetsForTests();
const bytes = (text: string) => new TextEncoder().encode(text);

describe('a server that goes', () => {
  let server: RunningNats;

  beforeEach(async () => {
    server = await startNats();
    fleets.after(() => server.stop());
  });

  test('while it is down nothing is known; after that, all that was stored is there', async () => {
    const { streams, prefix } = await fleets.open(server.url);
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
    const { streams, prefix } = await fleets.open(server.url, SHORT_TIMEOUT_MS);
    await server.pause();
    const asked = reads(streams, prefix).map((read) => expect(read()).rejects.toThrow(StreamUnavailable));
    await Promise.all(asked);
    const messages = ['1', '2'].map((id) => ({ subject: `${prefix}.desired.a.x`, id, data: bytes(id) }));
    const answers = await streams.desired.appendAll(messages);
    expect(answers.map(({ kind }) => kind)).toEqual(['unknown', 'unknown']);
    server.resume();
  });

  test('reading the last of each subject breaks off with an error, not early', async () => {
    const { streams, prefix } = await fleets.open(server.url);
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
    const { prefix } = await fleets.open(server.url);
    await server.kill();
    const faults: Error[] = [];
    const quick = (delayMs: number, callback: () => void) => systemClock.after(delayMs / 100, callback);
    const uplink = fleets.uplink(server.url, { after: quick });
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
  fleets.after(() => server.stop());
  const prefix = 'fleet';
  const admin = await fleets.uplink(server.url.replace('//', '//admin:secret@')).first;
  await initFleet(admin.connection, { prefix, timeoutMs: TIMEOUT_MS });
  const uplink = fleets.uplink(server.url.replace('//', '//guest:secret@'));
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
