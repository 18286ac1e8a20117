/** Where the servers of the tests come from. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { natsServer } from '../../tools/nats-server.ts';

describe('natsServer', () => {
  afterEach(() => vi.unstubAllEnvs());

  test('finds the least supported server, and the newest', async () => {
    const [least, newest, again] = await Promise.all([
      natsServer('least'),
      natsServer('newest'),
      natsServer('least'),
    ]);
    expect(least.version).toMatch(/^2\.10\.(2[7-9]|[3-9]\d)$/);
    expect(newest.version.localeCompare(least.version, 'en', { numeric: true })).toBeGreaterThanOrEqual(0);
    expect(again).toEqual(least);
  });

  test('takes the server that the environment names', async () => {
    const { path } = await natsServer('least');
    vi.stubEnv('NATS_SERVER', path);
    expect(await natsServer('newest')).toEqual(await natsServer('least'));
  });

  test('refuses what is not a server', async () => {
    vi.stubEnv('NATS_SERVER', '/bin/true');
    await expect(natsServer('newest')).rejects.toThrow('/bin/true does not say its version');
  });
});
