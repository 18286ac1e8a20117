/**
 * docs/peers.md promises commands: each of them is run here, on a fleet with the devices of the example.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { runInProcess } from '../src/cli/in-process.ts';
import { RunningAgent } from './running-agent.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const EXAMPLE = join(ROOT, 'examples', 'fleet.yaml');
/** These run until they are stopped; the fleet below is looked after by an agent, and others are watched elsewhere. */
const AGENT = 'mdevfleet agent --simulate';
const ENDLESS = [AGENT, 'mdevfleet watch', 'mdevfleet watch -o json'];
/** Statuses that tell something, beside 0. */
const TELLING: Readonly<Record<string, readonly number[]>> = { plan: [2], status: [14, 15] };

/** Every command of ours that the document shows, once. */
const document = await readFile(join(ROOT, 'docs', 'peers.md'), 'utf8');
const shown = [...document.matchAll(/`(mdevfleet [^`]+)`/g)].map(([, command = '']) =>
  command.replaceAll(/\s+/g, ' '),
);
const commands = [...new Set(shown)].filter((one) => !ENDLESS.includes(one));

let folder: string;
let config: string;
let agent: RunningAgent;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mdevfleet-peers-'));
  config = join(folder, 'config.json');
  await writeFile(config, JSON.stringify({ data: folder, host: 'host-a', logLevel: 'info' }));
  expect(await runInProcess(['apply', '--config', config, '-f', EXAMPLE])).toMatchObject({ status: 0 });
  agent = await RunningAgent.start(['--config', config, '--simulate']);
  const host = ['get', 'devices', '--config', config, '--host', 'host-a', '--json'];
  await vi.waitFor(async () => expect(states((await runInProcess(host)).stdout)).toEqual(['ready']), {
    timeout: 60_000,
  });
  await agent.stop();
});

afterAll(async () => {
  await agent?.kill();
  await rm(folder, { recursive: true });
});

function states(json: string): readonly string[] {
  return [...new Set((JSON.parse(json) as { readonly state: string }[]).map(({ state }) => state))];
}

test('it shows the commands of this program', () => {
  expect(shown).toContain(AGENT);
  expect(commands.length).toBeGreaterThan(25);
});

test.each(commands)('%s', async (command) => {
  const [, ...given] = command
    .replace('examples/fleet.yaml', EXAMPLE)
    .replace('/etc/mdevctl.d', join(folder, 'mdevctl.d'))
    .split(' ');
  const { status, stdout, stderr } = await runInProcess([...given, '--config', config]);
  expect([0, ...(TELLING[given[0] ?? ''] ?? [])], stderr).toContain(status);
  expect(stdout).not.toBe('');
});
