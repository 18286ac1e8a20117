/**
 * What is handed out for running mdevfleet: the compose file is accepted by docker-compose, and the server's
 * configuration by every server we support. Images cannot be pulled everywhere, so none is.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { natsServer } from '../tools/nats-server.ts';

const ROOT = dirname(import.meta.dirname);

const compose = z.object({
  services: z.record(
    z.string(),
    z.looseObject({
      image: z.string(),
      healthcheck: z.object({ test: z.array(z.string()) }).optional(),
      command: z.array(z.string()).default([]),
      volumes: z.array(z.string()).default([]),
    }),
  ),
});

describe('docker-compose.yml', () => {
  const { services } = compose.parse(
    parse(readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8'), { merge: true }),
  );

  test.each([
    ['one server', []],
    ['three servers', ['--profile', 'cluster']],
  ])('is accepted by docker-compose: %s', (_what, profile) => {
    const command = [...profile, 'config', '--quiet'];
    const result = spawnSync('docker-compose', command, { cwd: ROOT, encoding: 'utf8' });
    expect(result.error, 'docker-compose is missing: run tools/debian.sh as root').toBeUndefined();
    expect(result.stderr).toBe('');
    expect(result.status).toBe(0);
  });

  test('gives the server and the agent a health check', () => {
    expect(services['nats']?.healthcheck).toBeDefined();
    expect(services['agent']?.healthcheck).toBeDefined();
  });

  test('pins the server, and mounts sysfs so that it can be written', () => {
    expect(services['nats']?.image).toMatch(/^nats:\d+\.\d+\.\d+-/);
    expect(services['agent']?.volumes).toContain('/sys:/sys:rw');
  });
});

describe('the cluster profile', () => {
  const { services } = compose.parse(
    parse(readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8'), { merge: true }),
  );
  const members = ['nats-1', 'nats-2', 'nats-3'] as const;

  test('has three servers that know one another, each with a folder of its own', () => {
    for (const name of members) {
      const { command, volumes } = services[name] ?? {};
      expect(command).toContain(`--server_name=${name}`);
      expect(command).toContain(`--routes=${members.map((one) => `nats://${one}:6222`).join(',')}`);
      expect(volumes).toContain(`${name}:/data`);
    }
    expect(services['init-cluster']?.command).toEqual(['init', '--replicas', '3']);
  });

  test.each(['newest', 'least'] as const)(
    'starts the %s server with flags that it knows',
    async (version) => {
      const { path } = await natsServer(version);
      const flags = (services['nats-1']?.command ?? []).filter((flag) => !flag.startsWith('--config'));
      const result = spawnSync(path, ['-t', '-c', 'deploy/nats.conf', ...flags], {
        cwd: ROOT,
        encoding: 'utf8',
      });
      expect(result.stderr).toContain('is valid');
      expect(result.status).toBe(0);
    },
  );
});

describe('deploy/nats.conf', () => {
  test.each(['newest', 'least'] as const)('is accepted by the %s server', async (version) => {
    const { path } = await natsServer(version);
    const result = spawnSync(path, ['-t', '-c', 'deploy/nats.conf'], { cwd: ROOT, encoding: 'utf8' });
    expect(result.stderr).toContain('is valid');
    expect(result.status).toBe(0);
  });

  test('syncs every write', () => {
    expect(readFileSync(join(ROOT, 'deploy/nats.conf'), 'utf8')).toMatch(/^ *sync_interval: always$/m);
  });
});
