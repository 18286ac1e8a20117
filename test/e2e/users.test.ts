/**
 * deploy/nats-users.conf on a real server: with its permissions an agent and an operator can do all that they do, a viewer can
 * only look, and a host can speak for itself only.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nkeys } from 'nats';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EXIT } from '../../src/exit.ts';
import { type RunningNats, startNats } from '../nats.ts';
import { runInProcess } from '../src/cli/in-process.ts';
import type { Ran } from '../src/cli/run.ts';
import { RunningAgent } from './running-agent.ts';

const CONFIG = readFileSync(join(import.meta.dirname, '..', '..', 'deploy', 'nats-users.conf'), 'utf8');
const UUID = '7b000000-0000-4000-8000-000000000001';
const DEVICE = { uuid: UUID, host: 'host-a', parent: 'mtty', type: 'mtty-1' };
const ENV = { MDEVFLEET_LIMITS_NATS_TIMEOUT_MS: '2000' };

let folder: string;
let server: RunningNats;
let agent: RunningAgent;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mdevfleet-users-'));
  const config = CONFIG.replaceAll(/\$(\w+)_NKEY/g, (_, user: string) => userOf(user));
  server = await startNats({ config });
  const manifest = {
    apiVersion: 'mdevfleet.io/v1',
    kind: 'DeviceSet',
    metadata: { name: 's' },
    devices: [DEVICE],
  };
  writeFileSync(join(folder, 'fleet.yaml'), JSON.stringify(manifest));
  expect(await as('ADMIN', ['init'])).toMatchObject({ status: EXIT.ok });
  const place = ['--host', 'host-a', '--data', join(folder, 'data'), '--simulate'];
  agent = await RunningAgent.start([...place, ...login('HOST_A')]);
});
afterAll(async () => {
  await agent.kill();
  await server.stop();
  rmSync(folder, { recursive: true });
});

/** Makes a key, and answers with its public part. */
function userOf(user: string): string {
  const key = nkeys.createUser();
  writeFileSync(join(folder, user), key.getSeed(), { mode: 0o600 });
  return key.getPublicKey();
}

function login(user: string): readonly string[] {
  return ['--nats', server.url, '--nkey', join(folder, user)];
}

function as(user: string, verb: readonly string[]): Promise<Ran> {
  return runInProcess([...verb, ...login(user)], { env: ENV });
}

const APPLY = ['apply', '-f', 'fleet.yaml', '--wait', '--timeout', '60s'];
const inFolder = (words: readonly string[]) =>
  words.map((word) => (word === 'fleet.yaml' ? join(folder, word) : word));

test('an operator declares, the agent makes the device, and both are told so', async () => {
  expect(await as('OPERATOR', inFolder(APPLY))).toMatchObject({ status: EXIT.ok });
  for (const verb of [['pause'], ['resume'], ['cordon'], ['uncordon']])
    expect(await as('OPERATOR', [...verb, 'host-a'])).toMatchObject({ status: EXIT.ok });
  expect(await as('OPERATOR', ['retry', UUID])).toMatchObject({ status: EXIT.ok });
  expect(await as('OPERATOR', ['reopen'])).toMatchObject({ status: EXIT.ok });
});

test.each([
  ['status'],
  ['get', 'devices'],
  ['get', 'hosts'],
  ['describe', UUID],
  ['history', UUID],
  ['log'],
  ['replay'],
  ['plan', '-f', 'fleet.yaml'],
  ['doctor', 'fleet'],
])('a viewer may look: %s', async (...verb) => {
  expect(await as('VIEWER', inFolder(verb))).toMatchObject({ status: EXIT.ok, stderr: '' });
});

test('a viewer sees whether the agent is there', async () => {
  const status = await as('VIEWER', ['status']);
  expect(status.stdout).toMatch(/^FLEET +settled\n(.*\n)*hosts +1\n agents +1$/m);
  expect((await as('VIEWER', ['get', 'hosts'])).stdout).toMatch(/^host-a +there +/m);
  agent.pause();
  const paused = await as('VIEWER', ['status']);
  expect(paused.status).toBe(EXIT.timeout);
  expect(paused.stdout).toMatch(/^FLEET +waiting\n(.*\n)*host-a +mute +its agent is connected/m);
  agent.resume();
  expect((await as('OPERATOR', ['get', 'hosts'])).stdout).toMatch(/^host-a +there +/m);
});

test.each([
  ['VIEWER', ['delete', UUID]],
  ['VIEWER', ['pause', 'host-a']],
  ['VIEWER', ['release', '--force', '--reason', 'r', UUID]],
  ['HOST_A', ['delete', UUID]],
  ['HOST_A', ['pause', 'host-b']],
])('%s may not %j', async (user, verb) => {
  expect((await as(user, verb)).status).not.toBe(EXIT.ok);
  expect((await as('VIEWER', ['status'])).status).toBe(EXIT.ok);
});

test('an operator withdraws the device, and forgets the host when its agent has stopped', async () => {
  expect(await as('OPERATOR', ['delete', UUID])).toMatchObject({ status: EXIT.ok });
  expect(await agent.stop()).toBe(EXIT.ok);
  expect((await as('VIEWER', ['get', 'hosts'])).stdout).toMatch(/^host-a +absent +/m);
  const forget = ['forget-host', '--force', '--reason', 'r', '--wait', '500', 'host-a'];
  expect(await as('OPERATOR', forget)).toMatchObject({ status: EXIT.ok });
});
