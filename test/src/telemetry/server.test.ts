/**
 * The pages over HTTP, and what becomes of them when somebody asks wrongly or the address is taken.
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type Page, PageServer, text } from '../../../src/telemetry/server.ts';
import { ManualClock } from '../../manual-clock.ts';

const HALF_A_MINUTE_MS = 30_000;
const clock = new ManualClock();
const said: string[] = [];
const say = (_fields: object, message: string): void => void said.push(message);
const log = { debug: say, info: say, warn: say, error: say };
const open: PageServer[] = [];

const pages = {
  '/healthz': () => text(200, 'healthy'),
  '/readyz': async () => text(503, 'not yet'),
  '/broken': (): Page => {
    throw new Error('broken');
  },
};

function serverOn(port: number): PageServer {
  const server = new PageServer({ listen: { host: '127.0.0.1', port }, pages, clock, log });
  open.push(server);
  return server;
}

afterEach(async () => {
  for (const server of open.splice(0)) await server.stop();
  said.length = 0;
});

describe('pages', () => {
  test.each([
    ['GET', '/healthz', 200, 'healthy\n'],
    ['GET', '/healthz?verbose', 200, 'healthy\n'],
    ['GET', '/readyz', 503, 'not yet\n'],
    ['HEAD', '/readyz', 503, ''],
    ['POST', '/healthz', 405, expect.stringContaining('GET')],
    ['GET', '/', 404, expect.stringContaining('/healthz')],
    ['GET', '/toString', 404, expect.stringContaining('/healthz')],
    ['GET', '/broken', 500, expect.not.stringContaining('broken')],
  ])('%s %s is answered with %i', async (method, path, status, body) => {
    const address = await serverOn(0).start();
    const response = await fetch(`http://127.0.0.1:${address?.port}${path}`, { method });
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(await response.text()).toEqual(body);
  });

  test('whoever holds a connection open keeps nobody from stopping', async () => {
    const server = serverOn(0);
    const address = await server.start();
    const idle = connect(address?.port ?? 0, '127.0.0.1');
    idle.on('error', () => undefined);
    await once(idle, 'connect');
    const closed = once(idle, 'close');
    await server.stop();
    await closed;
    expect(idle.destroyed).toBe(true);
  });
});

describe('an address that is taken', () => {
  test('is told once, and served as soon as it is free', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    expect(await serverOn(port).start()).toBeNull();
    await clock.advance(HALF_A_MINUTE_MS);
    await vi.waitFor(() => expect(clock.pendingMs).toHaveLength(1));
    expect(said).toEqual(['metrics and health are not served']);
    await ended(other);
    await clock.advance(HALF_A_MINUTE_MS);
    await vi.waitFor(() => expect(said).toHaveLength(2));
    expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
  });

  test('is not tried any more once the agent has stopped', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const server = serverOn((other.address() as AddressInfo).port);
    await server.start();
    await server.stop();
    expect(clock.pendingMs).toEqual([]);
    await ended(other);
  });
});

async function ended(server: Server): Promise<void> {
  server.close();
  await once(server, 'close');
}
