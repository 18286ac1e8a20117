import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nkeys } from 'nats';
import { afterEach, describe, expect, test } from 'vitest';
import {
  ConnectFailed,
  connectNats,
  type NatsOptions,
  serversShown,
} from '../../../events/jetstream/connection.ts';
import { atLeast } from '../../../events/jetstream/server-version.ts';
import { selfSigned } from '../../certificate.ts';
import { startNats } from '../../nats.ts';

const OPTIONS: Omit<NatsOptions, 'servers'> = {
  timeoutMs: 5_000,
  creds: null,
  nkey: null,
  tlsCa: null,
  tlsCert: null,
  tlsKey: null,
};

/** What a test opened, closed after it, last first. */
const opened: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

async function server(options: Parameters<typeof startNats>[0] = {}) {
  const running = await startNats(options);
  opened.push(() => running.stop());
  return running;
}

async function connect(url: string, options: Partial<NatsOptions> = {}) {
  const connection = await connectNats({ ...OPTIONS, servers: [url], ...options });
  opened.push(() => connection.close());
  return connection;
}

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'mdevfleet-connection-'));
  opened.push(() => rm(path, { recursive: true }));
  return path;
}

/** A server that wants a certificate of its clients, and the files for one that it takes. */
async function serverWithTls() {
  const path = await folder();
  const { certificate, key } = selfSigned();
  const files = { certificate: join(path, 'certificate.pem'), key: join(path, 'key.pem') };
  await writeFile(files.certificate, certificate);
  await writeFile(files.key, key);
  const { url } = await server({
    config: `tls { cert_file: "${files.certificate}", key_file: "${files.key}", ca_file: "${files.certificate}", verify: true }`,
  });
  return { url, files };
}

async function failure(attempt: Promise<unknown>): Promise<ConnectFailed> {
  const error = await attempt.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof ConnectFailed) return error;
  throw new Error('the attempt did not fail as it should', { cause: error });
}

describe('a server that lets us in', () => {
  test('is connected to', async () => {
    const { url, version } = await server();
    expect((await connect(url)).info?.version).toBe(version);
  });

  test('takes a user and password, or a token, from the address', async () => {
    const named = await server({ config: 'authorization { user: "a b", password: "p@ss" }' });
    const token = await server({ config: 'authorization { token: "t/oken" }' });
    expect((await connect(named.url.replace('//', '//a%20b:p%40ss@'))).isClosed()).toBe(false);
    expect((await connect(token.url.replace('//', '//t%2Foken@'))).isClosed()).toBe(false);
  });

  test('takes the key in a file, also with a line’s end after it', async () => {
    const key = nkeys.createUser();
    const { url } = await server({ config: `authorization { users: [ { nkey: ${key.getPublicKey()} } ] }` });
    const nkey = join(await folder(), 'user.nk');
    await writeFile(nkey, `${new TextDecoder().decode(key.getSeed())}\n`);
    expect((await connect(url, { nkey })).isClosed()).toBe(false);
  });

  test('is checked against the certificates given, and shown ours', async () => {
    const { url, files } = await serverWithTls();
    const own = { tlsCa: files.certificate, tlsCert: files.certificate, tlsKey: files.key };
    expect((await connect(url, own)).isClosed()).toBe(false);
    expect((await failure(connect(url))).reason).toBe('tls');
    const unshown = await failure(connect(url, { tlsCa: files.certificate, timeoutMs: 500 }));
    expect(unshown.message).toContain('wants a certificate');
    expect((await failure(connect(url, { ...own, tlsKey: `${files.key}.missing` }))).reason).toBe('tls');
  });

  test('is found among others that do not answer', async () => {
    const gone = await server();
    await gone.stop();
    const { url } = await server();
    expect((await connect(gone.url, { servers: [gone.url, url] })).isClosed()).toBe(false);
  });
});

describe('a server that does not, is named with the reason:', () => {
  test('nobody answers', async () => {
    const gone = await server();
    await gone.stop();
    const error = await failure(connect(gone.url));
    expect(error).toMatchObject({ reason: 'unreachable', cause: expect.any(Error) });
    expect(error.message).toContain(`127.0.0.1:${gone.port}`);
  });

  test.each([
    ['no credentials', '//'],
    ['a wrong password', '//a:wrong@'],
    ['a wrong user', '//b:secret@'],
  ])('%s', async (_, given) => {
    const { url, port } = await server({ config: 'authorization { user: a, password: secret }' });
    const error = await failure(connect(url.replace('//', given)));
    expect(error.reason).toBe('credentials');
    expect(error.message).toContain(`127.0.0.1:${port}`);
    expect(error.message).not.toContain('wrong');
  });

  test.each(['creds', 'nkey'] as const)('a file for --%s that is not there', async (option) => {
    const missing = join(await folder(), 'missing');
    const error = await failure(connect('nats://127.0.0.1:4222', { [option]: missing }));
    expect(error.reason).toBe('credentials');
    expect(error.message).toContain(missing);
  });

  test.each(['creds', 'nkey'] as const)('a file for --%s that is something else', async (option) => {
    const { url } = await server();
    const file = join(await folder(), 'file');
    await writeFile(file, 'something else');
    const error = await failure(connect(url, { [option]: file }));
    expect(error.reason).toBe('credentials');
    expect(error.message).toContain(file);
  });

  test('no JetStream', async () => {
    const { url } = await server({ jetstream: false });
    expect((await failure(connect(url))).reason).toBe('no-jetstream');
  });

  test('no JetStream for this account', async () => {
    const { url } = await server({
      config: 'accounts { WITH { jetstream: enabled }, WITHOUT { users: [ { user: a, password: b } ] } }',
    });
    expect((await failure(connect(url.replace('//', '//a:b@')))).reason).toBe('no-jetstream');
  });

  test('no TLS', async () => {
    const { url } = await server();
    expect((await failure(connect(url.replace('nats:', 'tls:')))).reason).toBe('tls');
  });

  test('a version that ignores our settings', async () => {
    const error = await failure(connect(await serverOfVersion('2.10.26')));
    expect(error.reason).toBe('too-old');
    expect(error.message).toMatch(/is 2\.10\.26: upgrade it to 2\.10\.27 or later/);
  });
});

test('a server that says nothing is given up, and no socket is left to it', async () => {
  const gone: Promise<unknown>[] = [];
  const listener = createServer((socket) => gone.push(once(socket.resume(), 'close')));
  const error = await failure(connect(await listening(listener), { timeoutMs: 100 }));
  expect(error.reason).toBe('unreachable');
  expect(gone).toHaveLength(1);
  await Promise.all(gone);
});

/** Something that says it is a server of that version, and no more. */
async function serverOfVersion(version: string): Promise<string> {
  const info = { server_id: 'test', version, proto: 1, max_payload: 1024, headers: true };
  const listener = createServer((socket) => {
    socket.write(`INFO ${JSON.stringify(info)}\r\n`);
    socket.on('data', (data) => {
      if (data.includes('PING')) socket.write('PONG\r\n');
    });
    socket.on('error', () => socket.destroy());
  });
  return listening(listener);
}

async function listening(listener: Server): Promise<string> {
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  opened.push(async () => {
    listener.close();
  });
  return `nats://127.0.0.1:${(listener.address() as AddressInfo).port}`;
}

test('servers are shown without what lets one in', () => {
  expect(serversShown(['nats://user:secret@a:4222', 'tls://token@b', 'c:4333'])).toBe('a:4222, b, c:4333');
});

test.each([
  ['2.10.27', true],
  ['2.10.28', true],
  ['2.11.0-RC.1', true],
  ['2.15.1', true],
  ['3.0.0', true],
  ['2.10.26', false],
  ['2.9.99', false],
  ['1.99.99', false],
  ['2.10', false],
  ['unknown', false],
])('%s is recent enough: %s', (version, enough) => {
  expect(atLeast(version, '2.10.27')).toBe(enough);
});
