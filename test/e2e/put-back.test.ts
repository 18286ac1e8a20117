/**
 * A journal that was put back from an older copy: the fleet knows better, and the agent does not go on from it.
 */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openFleetPorts } from '../../src/agent/fleet-ports.ts';
import { journalFolder } from '../../src/config.ts';
import { EXIT } from '../../src/exit.ts';
import { mdevfleet } from '../src/cli/run.ts';
import { RunningAgent } from './running-agent.ts';

const HOST = 'host-a';
const WAIT_MS_MAX = 30_000;
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mdevfleet-put-back-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** How many facts the fleet of this machine has been told. */
async function factsSeen(data: string): Promise<number> {
  const fleet = await openFleetPorts({ kind: 'embedded', data, prefix: 'mdev', pollMs: 1000 }, 'test');
  try {
    return (await fleet.streams.observed.info()).lastSequence;
  } finally {
    await fleet.close();
  }
}

test('an agent on an older copy of its journal ends, and says what the fleet has of it', async () => {
  const data = join(folder, 'data');
  const dir = journalFolder(data, HOST);
  const copy = join(folder, 'copy');
  const flags = ['--host', HOST, '--data', data, '--simulate'];
  const runOnce = async (): Promise<number | null> => {
    const before = await factsSeen(data);
    const agent = await RunningAgent.start(flags);
    await expect.poll(() => factsSeen(data), { timeout: WAIT_MS_MAX }).toBeGreaterThan(before);
    return agent.stop();
  };
  expect(await runOnce()).toBe(EXIT.ok);
  cpSync(dir, copy, { recursive: true });
  expect(await runOnce()).toBe(EXIT.ok);
  rmSync(dir, { recursive: true });
  cpSync(copy, dir, { recursive: true });
  const { status, stderr } = await mdevfleet(['agent', ...flags]);
  expect(status).toBe(EXIT.damaged);
  expect(stderr).toMatch(/the fleet has record \d+ of journal .* an older copy that was put back/);
  expect(stderr).toContain('put the newest copy of the journal back');
});
