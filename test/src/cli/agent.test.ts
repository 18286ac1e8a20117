/**
 * The agent as a process: what it does with a declaration, whom it does not start for, and how it ends.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXIT } from '../../../src/exit.ts';
import { mdevfleet, mdevfleetJson } from './run.ts';

const ROOT = dirname(dirname(dirname(import.meta.dirname)));
const UUID = '5d3c7e0a-2f51-4b1e-9a44-0000000000aa';
const FLEET = join(ROOT, 'examples', 'fleet.yaml');

type RunningAgent = { readonly pid: number; stop(): Promise<number | null> };

/** Starts an agent; resolves when it says that it has started. */
async function startAgent(args: readonly string[]): Promise<RunningAgent> {
  const main = join(ROOT, 'src', 'main.ts');
  const child = spawn(process.execPath, [main, 'agent', ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  const exited = once(child, 'exit');
  const said: string[] = [];
  await new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stderr }).on('line', (line) => {
      said.push(line);
      if (line.includes('agent started')) resolve();
    });
    child.once('exit', () => reject(new Error(`the agent did not start:\n${said.join('\n')}`)));
  });
  return {
    pid: child.pid ?? 0,
    async stop() {
      child.kill('SIGTERM');
      const [status] = await exited;
      return status;
    },
  };
}

describe('an agent on a simulated kernel', () => {
  let data: string;
  let agent: RunningAgent;
  const at = (host: string) => ['--host', host, '--data', data];

  beforeAll(async () => {
    data = mkdtempSync(join(tmpdir(), 'mdevfleet-agent-'));
    agent = await startAgent([...at('host-a'), '--simulate']);
  });
  afterAll(() => rmSync(data, { recursive: true }));

  test('what is declared becomes ready', async () => {
    await mdevfleetJson(['apply', '--data', data, '-f', FLEET]);
    const states = async () => {
      const rows = await mdevfleetJson(['get', 'devices', '--data', data, '--host', 'host-a']);
      return (rows as { state: string }[]).map((row) => row.state);
    };
    await expect.poll(states, { timeout: 30_000 }).toEqual(['ready', 'ready', 'ready']);
  });

  test('a second agent on the same journal is told who has it', async () => {
    const { status, stderr } = await mdevfleet(['agent', ...at('host-a'), '--simulate']);
    expect(status).toBe(EXIT.locked);
    expect(stderr).toContain(String(agent.pid));
  });

  test('it stops when it is told to, and leaves a journal that is whole', async () => {
    expect(await agent.stop()).toBe(EXIT.ok);
    const { status, stdout } = await mdevfleet(['verify', ...at('host-a')]);
    expect(status).toBe(EXIT.ok);
    expect(stdout).toContain('is whole');
    expect(await mdevfleetJson(['verify', ...at('host-a')])).toMatchObject({ kind: 'sound', devices: 3 });
  });

  test("another host's journal is refused", async () => {
    cpSync(join(data, 'hosts', 'host-a'), join(data, 'hosts', 'host-b'), { recursive: true });
    const { status, stderr } = await mdevfleet(['agent', ...at('host-b'), '--simulate']);
    expect(status).toBe(EXIT.foreign);
    expect(stderr).toContain('host-a');
  });

  test('a journal that was cut short is refused, and verify says what is wrong', async () => {
    truncateSync(join(data, 'hosts', 'host-b', 'data.mdb'), 20_000);
    const refused = await mdevfleet(['agent', ...at('host-b'), '--simulate']);
    expect(refused).toMatchObject({ status: EXIT.damaged, stderr: expect.stringMatching(/^error: /) });
    const verified = await mdevfleet(['verify', ...at('host-b')]);
    expect(verified).toMatchObject({ status: EXIT.damaged, stderr: expect.stringContaining('backup') });
  });

  test('a simulated kernel that is not there', async () => {
    const socket = join(data, 'none.sock');
    const { status, stderr } = await mdevfleet(['agent', ...at('host-c'), `--simulate=${socket}`]);
    expect(status).toBe(EXIT.host);
    expect(stderr).toContain(socket);
  });

  test('callout scripts are asked first; a folder that others may write to is refused', async () => {
    const hooks = join(data, 'callouts');
    mkdirSync(hooks);
    writeFileSync(join(hooks, 'never'), '#!/bin/sh\necho not today >&2\nexit 1\n', { mode: 0o755 });
    const told = [...at('host-h'), '--simulate', '--hooks', hooks];
    chmodSync(hooks, 0o777);
    const refused = await mdevfleet(['agent', ...told]);
    expect(refused).toMatchObject({
      status: EXIT.host,
      stderr: expect.stringContaining(`chmod go-w ${hooks}`),
    });
    chmodSync(hooks, 0o755);
    const device = { uuid: UUID, host: 'host-h', parent: 'mtty', type: 'mtty-2' };
    const set = { apiVersion: 'mdevfleet.io/v1', kind: 'DeviceSet', metadata: { name: 'hooked' } };
    const input = JSON.stringify({ ...set, devices: [device] });
    await mdevfleet(['apply', '--data', data, '-f', '-'], { input });
    const asking = await startAgent(told);
    const row = () => mdevfleetJson(['get', 'devices', '--data', data, '--host', 'host-h']);
    const timeout = 30_000;
    const kept = {
      reason: 'HookRefused',
      message: expect.stringContaining('never answered 1 to start: not today'),
    };
    await expect.poll(row, { timeout }).toMatchObject([kept]);
    rmSync(join(hooks, 'never'));
    await expect.poll(row, { timeout }).toMatchObject([{ state: 'ready' }]);
    expect(await asking.stop()).toBe(EXIT.ok);
  });

  test('a server that is away keeps no agent from starting, nor from ending', async () => {
    const away = await startAgent([...at('host-d'), '--simulate', '--nats', '127.0.0.1:1']);
    expect(await away.stop()).toBe(EXIT.ok);
  });
});
