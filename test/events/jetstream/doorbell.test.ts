/** Whether somebody listens at a doorbell, asked on a real server. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { askAtDoorbell } from '../../../events/jetstream/doorbell.ts';
import { initFleet } from '../../../events/jetstream/init.ts';
import { openJetStreams } from '../../../events/jetstream/stream-jetstream.ts';
import { AnswerForbidden } from '../../../events/presence.ts';
import type { Ring } from '../../../events/stream.ts';
import { type RunningNats, startNats } from '../../nats.ts';
import { until } from '../streams-under-test.ts';
import { fleetsForTests, TIMEOUT_MS } from './jetstream-fleet.ts';

const PREFIX = 'fleet';
/** For those that never answer. */
const SHORT_TIMEOUT_MS = 500;
const USERS = `authorization { users: [
  { user: admin, password: secret }
  { user: guest, password: secret, permissions: { publish: { deny: "fleet.doorbell.>" } } }
  { user: speechless, password: secret, permissions: { publish: { deny: "_INBOX.>" } } }
] }`;

const fleets = fleetsForTests();
let server: RunningNats;
beforeAll(async () => {
  server = await startNats({ config: USERS });
});
afterAll(() => server.stop());

function clientOf(user: 'admin' | 'guest' | 'speechless') {
  return fleets.uplink(server.url.replace('//', `//${user}:secret@`), { timeoutMs: SHORT_TIMEOUT_MS });
}

test('an agent is there from when it listens until it leaves, and hears no ring in being asked', async () => {
  const [uplink, asking] = [clientOf('admin'), clientOf('admin')];
  const { connection } = await uplink.first;
  await asking.first;
  await initFleet(connection, { prefix: PREFIX, timeoutMs: TIMEOUT_MS });
  const ask = askAtDoorbell(asking, PREFIX);
  expect(await ask('a.b')).toBe('absent');
  const rung: Ring[] = [];
  const leave = openJetStreams(uplink, PREFIX).doorbell('a.b', (ring) => rung.push(ring));
  await connection.flush();
  expect(await Promise.all([ask('a.b'), ask('a'), ask('b')])).toEqual(['there', 'absent', 'absent']);
  connection.publish(`${PREFIX}.doorbell.a_b.x`);
  await until(() => rung.length > 0);
  expect(rung).toEqual([undefined]);
  leave();
  await connection.flush();
  expect(await ask('a.b')).toBe('absent');
});

test('who is connected and does not answer is mute', async () => {
  const uplink = clientOf('admin');
  const { connection } = await uplink.first;
  connection.subscribe(`${PREFIX}.doorbell.a.*`, { callback: () => undefined });
  await connection.flush();
  expect(await askAtDoorbell(uplink, PREFIX)('a')).toBe('mute');
});

test('an agent that may not answer looks mute, and is told why', async () => {
  const [uplink, asking] = [clientOf('speechless'), clientOf('admin')];
  const faults: Error[] = [];
  uplink.onFault((fault) => faults.push(fault));
  const { connection } = await uplink.first;
  await asking.first;
  openJetStreams(uplink, PREFIX).doorbell('a', () => undefined);
  await connection.flush();
  expect(await askAtDoorbell(asking, PREFIX)('a')).toBe('mute');
  await until(() => faults.length > 0);
  expect(faults).toEqual([expect.any(AnswerForbidden)]);
});

test('who may not ask, or has no connection, does not know', async () => {
  const guest = clientOf('guest');
  await guest.first;
  expect(await askAtDoorbell(guest, PREFIX)('a')).toBe('unknown');
  const gone = clientOf('admin');
  await gone.first;
  await gone.close();
  expect(await askAtDoorbell(gone, PREFIX)('a')).toBe('unknown');
});
