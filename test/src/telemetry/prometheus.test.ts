/**
 * Every expression that is handed out, run by a real Prometheus on what a real agent says of itself.
 */
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { prometheusTools } from '../../../tools/prometheus.ts';
import { RunningAgent } from '../../e2e/running-agent.ts';
import { freePorts } from '../../free-ports.ts';
import { mdevfleetJson } from '../cli/run.ts';
import { alerts, choices, marks, panelExpressions, selectors } from './handed-out.ts';
import { Prometheus } from './prometheus.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const FLEET = join(ROOT, 'examples', 'fleet.yaml');
/** Devices of that fleet on this host. */
const HOST = 'host-a';

let folder: string;
let agent: RunningAgent;
let prometheus: Prometheus;
let devices: number;
let pages: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mdevfleet-prometheus-'));
  const data = join(folder, 'fleet');
  const [agentPort = 0, prometheusPort = 0] = await freePorts(2);
  pages = `http://127.0.0.1:${agentPort}`;
  const agentStarts = RunningAgent.start([
    ...['--host', HOST, '--data', data, '--simulate', '--listen', String(agentPort)],
  ]);
  prometheus = await Prometheus.start(folder, prometheusPort, `127.0.0.1:${agentPort}`);
  agent = await agentStarts;
  // Rates begin at the first scrape: what is counted before it is not seen to rise.
  await prometheus.until('up', 1);
  await mdevfleetJson(['apply', '--data', data, '-f', FLEET]);
  const rows = (await mdevfleetJson(['get', 'devices', '--data', data, '--host', HOST])) as unknown[];
  devices = rows.length;
  await prometheus.until('mdevfleet_devices{state="ready"}', devices);
});

afterAll(async () => {
  await agent?.kill();
  await prometheus?.stop();
  await rm(folder, { recursive: true });
});

describe('on what a real agent says of itself', () => {
  test('names, units and help are as Prometheus wants them', async () => {
    const { promtool } = await prometheusTools();
    const input = await (await fetch(`${pages}/metrics`)).text();
    const { status, stdout, stderr } = spawnSync(promtool, ['check', 'metrics'], { input, encoding: 'utf8' });
    expect({ status, said: stdout + stderr }).toEqual({ status: 0, said: '' });
  });

  test('the devices are counted, and how long each took is known', async () => {
    expect(devices).toBeGreaterThan(1);
    await prometheus.until('mdevfleet_declaration_ready_seconds_count', devices);
    const [longest = 0] = await prometheus.query('mdevfleet_declaration_ready_seconds_sum');
    expect(longest).toBeGreaterThan(0);
    expect(await prometheus.query('mdevfleet_ready')).toEqual([1]);
  });

  test.each(panelExpressions)('the dashboard has data: %s', async (_title, expr) => {
    expect((await prometheus.query(expr)).some((value) => !Number.isNaN(value))).toBe(true);
  });

  test('the dashboard offers jobs and agents, and marks starts', async () => {
    expect(choices).toHaveLength(2);
    for (const series of choices) expect(await prometheus.query(series)).toEqual([1]);
    for (const expr of marks) expect(await prometheus.query(expr)).toEqual([]);
  });

  test('every series that an alert looks at is there', async () => {
    for (const { alert, expr } of alerts) {
      expect(selectors(expr), alert).not.toEqual([]);
      for (const one of selectors(expr)) expect(await prometheus.query(one), one).not.toEqual([]);
    }
  });

  test('every alert is evaluated, and none is raised', async () => {
    const states = await prometheus.alerts();
    const quiet = alerts.map(({ alert }) => ({ name: alert, health: 'ok', state: 'inactive' }));
    expect(states.map(({ name, health, state }) => ({ name, health, state }))).toEqual(
      expect.arrayContaining(quiet.filter(({ name }) => name !== 'MdevfleetUnsigned')),
    );
    expect(states.every(({ health, state }) => health === 'ok' && state !== 'firing')).toBe(true);
  });
});
