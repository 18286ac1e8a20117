/**
 * An agent that cannot make devices says so, and how to help it, before it does anything.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EXIT } from '../../../src/exit.ts';

const ROOT = dirname(dirname(dirname(import.meta.dirname)));
/** Makes the first argument a read-only mount that nobody else sees, and runs the rest. */
const ON_READ_ONLY = 'mount -t tmpfs -o ro none "$0" && exec "$@"';
/** The same, but for the folder of devices in it. */
const WITH_DEVICES = 'mount -t tmpfs none "$0" && mkdir "$0/devices" && mount -o remount,ro "$0"';
const WRITABLE_DEVICES = `${WITH_DEVICES} && mount -t tmpfs none "$0/devices" && exec "$@"`;

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mdevfleet-sysfs-'));
  mkdirSync(join(folder, 'sys'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function agentOn(sysfs: string): readonly [string, ...string[]] {
  const data = join(folder, 'data');
  return [
    process.execPath,
    join(ROOT, 'src', 'main.ts'),
    'agent',
    '--host',
    'host-a',
    '--data',
    data,
    '--sysfs',
    sysfs,
  ];
}

async function run([program, ...args]: readonly [string, ...string[]]) {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const said: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => said.push(text));
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, said: said.join('') };
}

test('on a read-only sysfs, as a container gets it', async () => {
  const sysfs = join(folder, 'sys');
  const own = ['unshare', '--map-root-user', '--mount', 'sh', '-c', ON_READ_ONLY, sysfs] as const;
  const { status, said } = await run([...own, ...agentOn(sysfs)]);
  expect(status, said).toBe(EXIT.host);
  expect(said).toContain(`looking at sysfs in ${sysfs}: EROFS`);
  expect(said).toContain('mount -o remount,rw');
});

test('on a sysfs of which only the devices can be written to, as the unit for systemd gives it', async () => {
  const own = ['unshare', '--map-root-user', '--mount', 'sh', '-c', WRITABLE_DEVICES] as const;
  const { said } = await run([
    ...own,
    join(folder, 'sys'),
    ...agentOn(join(folder, 'sys')),
    '--hooks',
    'none',
  ]);
  expect(said).not.toContain('EROFS');
  expect(said).toContain('callout scripts in none');
});

test('where there is no sysfs', async () => {
  const { status, said } = await run(agentOn(join(folder, 'nowhere')));
  expect(status, said).toBe(EXIT.host);
  expect(said).toContain('ENOENT');
  expect(said).toContain('--sysfs');
});
