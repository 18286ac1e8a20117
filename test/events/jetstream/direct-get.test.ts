import { connect, headers, type Msg, type NatsConnection } from 'nats';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openJetStreams } from '../../../events/jetstream/stream-jetstream.ts';
import { openUplink, type Uplink } from '../../../events/jetstream/uplink.ts';
import { StreamUnavailable } from '../../../events/stream.ts';
import { systemClock, systemRandom } from '../../../reconciler/clock-system.ts';
import { type RunningNats, startNats } from '../../nats.ts';

/**
 * A real JetStream loses no message between server and client at a test's wish. So this one is a
 * client that answers in its place, on a server without JetStream.
 */
let server: RunningNats;
let answering: NatsConnection;
let uplink: Uplink;
let answer: (request: Msg) => void;

beforeAll(async () => {
  server = await startNats({ jetstream: false });
  answering = await connect({ servers: server.url });
  answering.subscribe('$JS.API.INFO', { callback: (_, request) => void request.respond('{}') });
  answering.subscribe('$JS.API.DIRECT.GET.MDEV_DESIRED', { callback: (_, request) => answer(request) });
  await answering.flush();
  const none = { creds: null, nkey: null, tlsCa: null, tlsCert: null, tlsKey: null };
  const { after } = systemClock;
  uplink = openUplink({ ...none, servers: [server.url], timeoutMs: 500, after, random: systemRandom });
  await uplink.first;
});

afterAll(async () => {
  await uplink.close();
  await answering.close();
  await server.stop();
});

const next = (limit: number) => openJetStreams(uplink, 'mdev').desired.next('mdev.desired.a.*', 0, limit);

function respond(request: Msg, values: Record<string, number>): void {
  const named = headers();
  named.set('Nats-Subject', 'mdev.desired.a.x');
  for (const [name, value] of Object.entries(values)) named.set(`Nats-${name}`, String(value));
  request.respond('data', { headers: named });
}

function end(request: Msg): void {
  request.respond('', { headers: headers(204, 'EOB') });
}

test('a batch is whole when each message follows the one before', async () => {
  answer = (request) => {
    respond(request, { Sequence: 2, 'Num-Pending': 1, 'Last-Sequence': 0 });
    respond(request, { Sequence: 7, 'Num-Pending': 0, 'Last-Sequence': 2 });
    end(request);
  };
  expect((await next(10)).map(({ sequence }) => sequence)).toEqual([2, 7]);
});

test('a message that was lost on its way is an error, and not passed over', async () => {
  answer = (request) => {
    respond(request, { Sequence: 2, 'Num-Pending': 2, 'Last-Sequence': 0 });
    respond(request, { Sequence: 9, 'Num-Pending': 0, 'Last-Sequence': 7 });
    end(request);
  };
  await expect(next(10)).rejects.toThrow(StreamUnavailable);
  await expect(next(10)).rejects.toThrow(/lost on its way/);
});

test('a batch that breaks off is an error', async () => {
  answer = (request) => respond(request, { Sequence: 2, 'Num-Pending': 1, 'Last-Sequence': 0 });
  await expect(next(10)).rejects.toThrow(/timeout/);
});

test('a replica too old for batches is taken at its one message', async () => {
  answer = (request) => respond(request, { Sequence: 2 });
  expect((await next(10)).map(({ sequence }) => sequence)).toEqual([2]);
});

test('an answer that cannot be understood is an error', async () => {
  answer = (request) => request.respond('', { headers: headers(500, 'Confused') });
  await expect(next(10)).rejects.toThrow(/500 Confused/);
});
