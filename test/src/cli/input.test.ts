/**
 * What people get wrong before any fleet is reached: each gets one message, a way out and its status.
 */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { EXIT, EXIT_MEANINGS } from '../../../src/exit.ts';
import { mdevfleet, type RunOptions } from './run.ts';

const folder = mkdtempSync(join(tmpdir(), 'mdevfleet-input-'));
const UUID = '5d3c7e0a-2f51-4b1e-9a44-0c8a6f1e2b01';

function manifest(name: string, device: object): string {
  const whole = { uuid: UUID, host: 'host-a', parent: 'mtty', type: 'mtty-2', ...device };
  const document = { apiVersion: 'mdevfleet.io/v1', kind: 'DeviceSet', metadata: { name }, devices: [whole] };
  return file(`${name}.yaml`, JSON.stringify(document));
}

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const apply = (path: string) => ['apply', '--data', join(folder, 'data'), '-f', path];

describe('what is wrong with the input', () => {
  test.each<[string, readonly string[], number, readonly string[], RunOptions?]>([
    ['no verb', [], EXIT.usage, ['Usage: mdevfleet']],
    ['an unknown verb', ['aply'], EXIT.usage, ['aply', 'Did you mean apply?']],
    [
      'an unknown flag',
      ['apply', '-f', 'x', '--replac'],
      EXIT.usage,
      ['Did you mean --replace?', 'apply --help'],
    ],
    ['an unknown thing', ['get', 'host'], EXIT.usage, ['Allowed choices are devices, conflicts, hosts']],
    [
      'two forms',
      ['get', 'devices', '--data', folder, '--json', '-o', 'wide'],
      EXIT.usage,
      ['--json and --output wide'],
    ],
    ['no fleet', ['get', 'devices'], EXIT.usage, ['--nats URL', '--data DIR']],
    ['a wrong flag', ['get', 'devices', '--nats', 'http://a'], EXIT.usage, ['--nats: ', 'nats://host:port']],
    [
      'a wrong variable',
      ['get', 'devices', '--data', folder],
      EXIT.usage,
      ['MDEVFLEET_PREFIX: '],
      { env: { MDEVFLEET_PREFIX: 'a b' } },
    ],
    [
      'a wrong key in a file',
      ['get', 'devices', '--config', file('config.yaml', 'host: A B\n')],
      EXIT.usage,
      ['config.yaml: host: '],
    ],
    ['a folder without a fleet', ['get', 'devices', '--data', folder], EXIT.uninitialised, [folder, 'init']],
    ['a wrong UUID', ['delete', '--data', folder, 'abc'], EXIT.usage, ['abc', '8-4-4-4-12']],
    ['nothing to delete', ['delete', '--data', folder], EXIT.usage, ['delete --help']],
    ['a wrong source', [...apply(manifest('source', {})), '--source', 'a b'], EXIT.usage, ['--source']],
    ['no manifest', apply(join(folder, 'none.yaml')), EXIT.input, ['none.yaml', 'ENOENT']],
    ['a folder without manifests', apply(mkdtempSync(join(folder, 'none-'))), EXIT.input, ['there are none']],
    ['a time that is none', [...apply(manifest('time', {})), '--timeout', 'soon'], EXIT.usage, ['--timeout']],
    ['bytes that are not text', apply(file('bytes', Uint8Array.of(0xff, 0xfe, 0))), EXIT.input, ['UTF-8']],
    [
      'text that is not YAML',
      apply(file('text.yaml', 'a: [')),
      EXIT.input,
      ['text.yaml, document 1, line 1'],
    ],
    ['a wrong UUID in a manifest', apply(manifest('uuid', { uuid: 'abc' })), EXIT.input, ['8-4-4-4-12']],
    ['an unknown field', apply(manifest('field', { color: 'red' })), EXIT.input, ['"color"']],
    ['a parent that leaves its folder', apply(manifest('parent', { parent: '..' })), EXIT.input, ['parent']],
    ['a type that leaves its folder', apply(manifest('type', { type: 'a/../b' })), EXIT.input, ['type']],
    ['no journal', ['verify', '--data', folder, '--host', 'host-a'], EXIT.usage, ['--host and --data']],
    [
      'a socket that cannot be made',
      ['kernel', '--socket', join(folder, 'none', 'socket')],
      EXIT.usage,
      ['--socket'],
    ],
    [
      'a kernel of unknown parts',
      ['kernel', '--socket', join(folder, 'socket'), '-f', file('kernel.yaml', 'parts: []')],
      EXIT.input,
      ['parents'],
    ],
  ])('%s', async (_, args, status, texts, options) => {
    const ran = await mdevfleet(args, options);
    expect(ran).toMatchObject({ status, stdout: '' });
    for (const text of texts) expect(ran.stderr).toContain(text);
    expect(ran.stderr).not.toMatch(/\n {4}at |\.ts\b|a fault of mdevfleet: /);
  });
});

describe('help', () => {
  test('says what each exit status means', async () => {
    const { status, stdout } = await mdevfleet(['--help']);
    expect(status).toBe(EXIT.ok);
    for (const meaning of Object.values(EXIT_MEANINGS)) expect(stdout).toContain(meaning);
  });

  test.each(['init', 'apply', 'delete', 'retry', 'get', 'verify', 'kernel'])(
    '%s has an example',
    async (verb) => {
      const { status, stdout } = await mdevfleet([verb, '--help']);
      expect(status).toBe(EXIT.ok);
      expect(stdout).toContain(`Example:\n  mdevfleet ${verb} `);
    },
  );
});
