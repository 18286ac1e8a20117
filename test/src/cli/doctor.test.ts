/**
 * The verb `doctor`: what it prints, how it ends, and that it ends although something that it looked at hangs.
 */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXIT } from '../../../src/exit.ts';
import { CREATE, LaidOut } from '../doctor/laid-out.ts';
import { runInProcess } from './in-process.ts';
import { mdevfleet } from './run.ts';

let on: LaidOut;
beforeAll(() => {
  on = new LaidOut();
});
afterAll(() => on.end());

const place = (): readonly string[] => ['--sysfs', on.at('/sys'), '--data', on.at('/var/lib/mdevfleet')];

describe('doctor', () => {
  test('as a table: what is wrong, and below it what it means and its cure', async () => {
    const { status, stdout } = await runInProcess(['doctor', '--sysfs', on.at('/none'), '--data', on.root]);
    expect(status).toBe(EXIT.faults);
    expect(stdout).toMatch(/^LEVEL +CHECK +FOUND\n/);
    expect(stdout).toMatch(/\nfault +sysfs .*is not a sysfs\n +means: .*\n +cure: `mount -t sysfs/);
    expect(stdout).toMatch(/\nnote +fleet .*embedded one.*\n/);
    expect(stdout).toMatch(/\nfaults: \d+, warnings: \d+, notes: \d+, ok: \d+\n$/);
  });

  test('as JSON, with the level that says how it ended', async () => {
    const { status, stdout } = await runInProcess([
      'doctor',
      'fleet',
      '--nats',
      'nats://127.0.0.1:1',
      '--json',
    ]);
    expect(status).toBe(EXIT.faults);
    expect(JSON.parse(stdout)).toMatchObject({
      level: 'fault',
      findings: [{ check: 'server', level: 'fault', cure: expect.any(String), means: expect.any(String) }],
    });
  });

  test('of the fleet only, and none is named', async () => {
    expect(await runInProcess(['doctor', 'fleet'])).toMatchObject({
      status: EXIT.usage,
      stderr: expect.stringContaining('neither a server nor a folder'),
    });
  });

  test('a file that hangs is named, and does not keep the program from ending', async () => {
    rmSync(on.at(CREATE));
    execFileSync('mkfifo', [on.at(CREATE)]);
    const env = { MDEVFLEET_LIMITS_NATS_TIMEOUT_MS: '400' };
    const { status, stdout } = await mdevfleet(['doctor', 'host', ...place()], { env });
    expect([EXIT.warnings, EXIT.faults]).toContain(status);
    expect(stdout).toMatch(/warning +create +this check did not end within 1600 ms/);
    expect(stdout).toMatch(/ok +parents +mtty: mtty-1\n/);
  });
});
