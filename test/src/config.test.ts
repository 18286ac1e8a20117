import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { LINK_LIMITS } from '../../src/agent/link.ts';
import { agentConfig, type Env, type Flags, fleetAddress, readSettings } from '../../src/config.ts';
import { Failure } from '../../src/exit.ts';
import { agentLimits, limitSchemas } from '../../src/limits.ts';

const folder = mkdtempSync(join(tmpdir(), 'mdevfleet-config-'));

let files = 0;

function file(text: string): string {
  files += 1;
  const path = join(folder, `${files}.yaml`);
  writeFileSync(path, text);
  return path;
}

function failure(flags: Flags, env: Env = {}): Failure {
  try {
    agentConfig(readSettings(flags, env));
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error('nothing was wrong');
}

describe('which source wins', () => {
  const config = file('host: from-file\ndata: dir\nlimits: {resyncMs: 1000, passesMax: 2}\n');

  test('a flag before a variable before the file before the default', () => {
    const env = { MDEVFLEET_HOST: 'from-env', MDEVFLEET_LIMITS_RESYNC_MS: '2000' };
    expect(readSettings({ config, host: 'from-flag' }, env).host).toBe('from-flag');
    expect(readSettings({ config }, env).host).toBe('from-env');
    expect(readSettings({ config }, {}).host).toBe('from-file');
    expect(readSettings({}, {}).host).toBeUndefined();
    expect(readSettings({ config }, env).limits).toMatchObject({ resyncMs: 2000, passesMax: 2 });
  });

  test('the file may be named by a variable', () => {
    expect(readSettings({}, { MDEVFLEET_CONFIG: config }).host).toBe('from-file');
  });

  test('a variable that is empty is not set', () => {
    expect(readSettings({ config }, { MDEVFLEET_HOST: '' }).host).toBe('from-file');
  });

  test("a relative path in the file begins at the file's folder", () => {
    expect(readSettings({ config }, {}).data).toBe(join(folder, 'dir'));
    expect(readSettings({ config, data: 'dir' }, {}).data).toBe('dir');
  });

  test('no callout scripts are run unless their folder is given', () => {
    const settings = (flags: Flags) => agentConfig(readSettings({ config, ...flags }, {}));
    expect(settings({}).hooks).toBeNull();
    expect(settings({ hooks: '/etc/mdevctl.d/scripts.d/callouts' }).hooks).toMatch(/callouts$/);
  });

  test('nothing is served unless it is said where, and then to this machine unless an address is given', () => {
    const settings = (env: Record<string, string>) => agentConfig(readSettings({ config }, env));
    expect(settings({}).listen).toBeNull();
    expect(settings({ MDEVFLEET_LISTEN: '9774' }).listen).toEqual({ host: '127.0.0.1', port: 9774 });
  });

  test('every limit has a default, which may depend on the fleet', () => {
    const { registryGraceMs, ...others } = readSettings({}, {}).limits;
    expect(Object.keys({ registryGraceMs, ...others }).sort()).toEqual(Object.keys(limitSchemas).sort());
    for (const value of Object.values(others)) expect(value).toBeGreaterThan(0);
    expect(registryGraceMs).toBeNull();
  });

  test('nobody waits for others where one machine is the fleet, unless told to', () => {
    const graceMs = (fleet: 'nats' | 'embedded', env: Env = {}) =>
      agentLimits(readSettings({}, env).limits, fleet).takeGraceMs;
    expect(graceMs('embedded')).toBe(0);
    expect(graceMs('nats')).toBe(LINK_LIMITS.takeGraceMs);
    const env = { MDEVFLEET_LIMITS_REGISTRY_GRACE_MS: '7' };
    for (const fleet of ['nats', 'embedded'] as const) expect(graceMs(fleet, env)).toBe(7);
  });
});

describe('what is wrong is told with its source', () => {
  test('all at once', () => {
    const config = file('hots: a\ntlsCa: ""\nlimits: {passesMax: x, fast: 1}\n');
    const env = { MDEVFLEET_NATS: 'http://a', MDEVFLEET_LIMITS_RESYNC_MS: '-1' };
    const { message, outcome } = failure({ config, host: 'A' }, env);
    expect(outcome).toBe('usage');
    for (const source of [
      '--host: ',
      'MDEVFLEET_NATS: ',
      'MDEVFLEET_LIMITS_RESYNC_MS: expected a whole number',
      `${config}: there is no setting hots`,
      `${config}: there is no limit fast`,
      `${config}: tlsCa: `,
      `${config}: limits.passesMax: expected a whole number`,
    ]) {
      expect(message).toContain(source);
    }
  });

  test.each([
    ['a file that is not there', { config: join(folder, 'none.yaml') }],
    ['a folder', { config: folder }],
    ['a file that is not YAML', { config: file('a: [') }],
  ])('%s', (_, flags) => {
    expect(failure(flags)).toMatchObject({
      outcome: 'usage',
      message: expect.stringContaining(flags.config),
    });
  });

  test('a file that holds a list', () => {
    expect(failure({ config: file('- a\n') }).message).toContain('expected keys and values');
  });

  test.each([
    [{ data: 'd', simulate: true }, '--host is missing'],
    [{ host: 'a', nats: 'nats://a' }, '--data is missing'],
    [{ host: 'a', data: 'd', simulate: true, sysfs: '/s' }, '--sysfs and --simulate'],
    [{ host: 'a', data: 'd', nats: 'a:4222', creds: 'x', nkey: 'y' }, '--creds and --nkey'],
    [{ host: 'a', data: 'd', nats: 'a:4222', tlsCert: 'x' }, '--tls-cert and --tls-key'],
    [{ host: 'a', data: 'd', nats: 'a:4222,' }, '--nats'],
  ])('%j', (flags, text) => {
    expect(failure(flags)).toMatchObject({ outcome: 'usage', message: expect.stringContaining(text) });
  });
});

describe('what the settings mean', () => {
  test('no server: the embedded stream in --data', () => {
    expect(fleetAddress(readSettings({ data: 'd' }, {}))).toMatchObject({
      kind: 'embedded',
      data: 'd',
      prefix: 'mdev',
    });
  });

  test('a server and a folder: the server, and the folder for journals', () => {
    const settings = readSettings({ data: 'd', host: 'a', nats: 'a:4222, tls://b:1' }, {});
    const config = agentConfig(settings);
    expect(config.data).toBe('d');
    expect(config.fleet).toMatchObject({ kind: 'nats', servers: ['a:4222', 'tls://b:1'] });
    expect(config.kernel).toEqual({ kind: 'sysfs', root: '/sys' });
  });

  test.each([
    [true, { kind: 'simulated', socket: null }],
    ['/run/kernel.sock', { kind: 'simulated', socket: '/run/kernel.sock' }],
    ['false', { kind: 'sysfs', root: '/sys' }],
  ])('--simulate %s', (simulate, kernel) => {
    expect(agentConfig(readSettings({ data: 'd', host: 'a', simulate }, {})).kernel).toEqual(kernel);
  });

  test('labels are told in one line, or as keys and values in a file', () => {
    const labelsOf = (labels: unknown) =>
      agentConfig(readSettings({ data: 'd', host: 'a', labels }, {})).labels;
    expect(labelsOf('gpu=true, note=a=b')).toEqual({ gpu: 'true', note: 'a=b' });
    expect(labelsOf({ gpu: 'true' })).toEqual({ gpu: 'true' });
    expect(labelsOf(undefined)).toEqual({});
    for (const wrong of ['gpu', '=x', { gpu: true }, ['gpu=true']]) {
      expect(() => labelsOf(wrong), JSON.stringify(wrong)).toThrow('--labels: ');
    }
  });

  test('the variable of --simulate takes what the flag takes', () => {
    const flags = { data: 'd', host: 'a' };
    const kernelOf = (value: string) =>
      agentConfig(readSettings(flags, { MDEVFLEET_SIMULATE: value })).kernel;
    expect(kernelOf('1')).toEqual({ kind: 'simulated', socket: null });
    expect(kernelOf('/s')).toEqual({ kind: 'simulated', socket: '/s' });
    expect(kernelOf('0')).toEqual({ kind: 'sysfs', root: '/sys' });
  });
});
