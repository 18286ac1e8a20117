/**
 * The alerts, tried by promtool: each fires when it must, not before, and says whom it is about and what to do.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { prometheusTools } from '../../../tools/prometheus.ts';
import { alerts, RULES_FILE } from './handed-out.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const TARGET = { job: 'mdevfleet', instance: 'host-a:9774' };

/** Series in promtool's words, one value a minute; when the alert does not fire yet, when it does, and its labels. */
type Case = {
  readonly alert: string;
  readonly series: Readonly<Record<string, string>>;
  readonly quietAt: string;
  readonly firesAt: string;
  readonly labels?: Readonly<Record<string, string>>;
};

const cases: readonly Case[] = [
  { alert: 'MdevfleetDown', series: { up: '0x20' }, quietAt: '4m', firesAt: '5m' },
  {
    alert: 'MdevfleetRestarting',
    series: { process_start_time_seconds: '1 1 2 3 4 5 5x20' },
    quietAt: '4m',
    firesAt: '5m',
  },
  { alert: 'MdevfleetStandstill', series: { mdevfleet_healthy: '1 0x9' }, quietAt: '1m', firesAt: '2m' },
  {
    alert: 'MdevfleetFault',
    series: { 'mdevfleet_passes_total{end="failed"}': '0 0 1x9' },
    quietAt: '1m',
    firesAt: '2m',
    labels: { end: 'failed' },
  },
  { alert: 'MdevfleetNotReady', series: { mdevfleet_ready: '0x30' }, quietAt: '9m', firesAt: '10m' },
  {
    alert: 'MdevfleetIntakeBehind',
    series: { 'mdevfleet_events_behind{stream="desired"}': '0 3x30' },
    quietAt: '15m',
    firesAt: '16m',
    labels: { stream: 'desired' },
  },
  {
    alert: 'MdevfleetIntakeBehind',
    series: {
      'mdevfleet_stream_read_timestamp_seconds{stream="command"}': '0x30',
      mdevfleet_ready: '1x30',
    },
    quietAt: '15m',
    firesAt: '16m',
    labels: { stream: 'command' },
  },
  {
    alert: 'MdevfleetForwardingBehind',
    series: { mdevfleet_forwarding_lag_seconds: '0 400x30', mdevfleet_ready: '1x30' },
    quietAt: '5m',
    firesAt: '6m',
  },
  {
    alert: 'MdevfleetDeviceTerminal',
    series: { 'mdevfleet_terminal_devices{reason="UuidHeld"}': '0 1x30' },
    quietAt: '5m',
    firesAt: '6m',
    labels: { reason: 'UuidHeld' },
  },
  {
    alert: 'MdevfleetDeviceWaiting',
    series: {
      'mdevfleet_waiting_devices{reason="NoCapacity"}': '0 1x60',
      'mdevfleet_waiting_devices{reason="InUse"}': '0 1x60',
    },
    quietAt: '30m',
    firesAt: '31m',
    labels: { reason: 'NoCapacity' },
  },
  {
    alert: 'MdevfleetWriteStuck',
    series: {
      'mdevfleet_waiting_devices{reason="WriteStuck"}': '0 1 1 0x30',
      'mdevfleet_waiting_devices{reason="Busy"}': '0 0 0 1x30',
    },
    quietAt: '5m',
    firesAt: '6m',
  },
  {
    alert: 'MdevfleetDrift',
    series: {
      'mdevfleet_drifts_total{cause="Removed"}': '0 1 2 3 4 5x9',
      'mdevfleet_drifts_total{cause="Rebooted"}': '0 9x20',
    },
    quietAt: '2m',
    firesAt: '6m',
  },
  {
    alert: 'MdevfleetUnheard',
    series: { mdevfleet_found_by_resync_total: '0 1 2 3 4 5x9' },
    quietAt: '2m',
    firesAt: '6m',
  },
  {
    alert: 'MdevfleetRejected',
    series: { 'mdevfleet_rejected_events_total{stream="desired"}': '0 0 1x9' },
    quietAt: '1m',
    firesAt: '2m',
    labels: { stream: 'desired' },
  },
  {
    alert: 'MdevfleetJournalDisk',
    series: { mdevfleet_journal_disk_free_bytes: '600000000 500000000x9' },
    quietAt: '0m',
    firesAt: '1m',
  },
  {
    alert: 'MdevfleetJournalDisk',
    series: {
      mdevfleet_journal_disk_free_bytes: '1000000000x9',
      mdevfleet_journal_append_failures_total: '0 0 1x9',
    },
    quietAt: '1m',
    firesAt: '2m',
  },
  {
    alert: 'MdevfleetUnsigned',
    series: { mdevfleet_unsigned_records: '5x200', mdevfleet_last_checkpoint_timestamp_seconds: '0x200' },
    quietAt: '120m',
    firesAt: '121m',
  },
];

/** It speaks for the whole registry, so it is about no instance. */
const wide = {
  alert: 'MdevfleetRegistryRebuilding',
  series: { mdevfleet_registry_rebuilding: '0 1x9' },
  quietAt: '1m',
  firesAt: '2m',
} satisfies Case;

test('each alert fires when it must and not before, and says whom it is about', async () => {
  const { promtool } = await prometheusTools();
  const folder = mkdtempSync(join(tmpdir(), 'mdevfleet-alerts-'));
  const file = join(folder, 'tests.json');
  const tests = [...cases.map((one) => tested(one, TARGET)), tested(wide, { job: TARGET.job })];
  writeFileSync(file, JSON.stringify({ rule_files: [RULES_FILE], evaluation_interval: '1m', tests }));
  const ran = spawnSync(promtool, ['test', 'rules', file], { encoding: 'utf8' });
  rmSync(folder, { recursive: true });
  expect(ran.stdout + ran.stderr).toMatch(/SUCCESS\s*$/);
  expect(ran.status).toBe(0);
});

test('no alert is left untried, and none is told of twice', () => {
  const tried = new Set([...cases, wide].map(({ alert }) => alert));
  expect(alerts.map(({ alert }) => alert).toSorted()).toEqual([...tried].toSorted());
});

test('each alert leads to a place that says what to do', () => {
  for (const { alert, annotations } of alerts) {
    const [path = '', anchor] = annotations.runbook.split('#');
    expect(anchor).toBe(alert.toLowerCase());
    expect(existsSync(join(ROOT, path)), path).toBe(true);
    expect(readFileSync(join(ROOT, path), 'utf8')).toMatch(new RegExp(`^#+ ${alert}$`, 'm'));
  }
});

test('the scrape configuration that is documented is one, with these alerts', async () => {
  const { promtool } = await prometheusTools();
  const folder = mkdtempSync(join(tmpdir(), 'mdevfleet-scrape-'));
  const document = readFileSync(join(ROOT, 'docs', 'metrics.md'), 'utf8');
  const [, example = ''] = /```yaml\n(scrape_configs:[\s\S]*?)```/.exec(document) ?? [];
  writeFileSync(join(folder, 'prometheus.yml'), example);
  copyFileSync(RULES_FILE, join(folder, basename(RULES_FILE)));
  const ran = spawnSync(promtool, ['check', 'config', join(folder, 'prometheus.yml')], { encoding: 'utf8' });
  rmSync(folder, { recursive: true });
  expect(ran.stdout).toContain(`${alerts.length} rules found`);
  expect(ran.status).toBe(0);
  expect(example).toContain('job_name: mdevfleet');
});

function tested(
  { alert, series, quietAt, firesAt, labels = {} }: Case,
  about: Record<string, string>,
): object {
  const told = { ...about, ...labels };
  const { annotations, labels: own } = alerts.find((one) => one.alert === alert) ?? {};
  const expected = {
    exp_labels: { ...told, ...own },
    exp_annotations: Object.fromEntries(
      Object.entries(annotations ?? {}).map(([name, text]) => [name, rendered(text, told)]),
    ),
  };
  return {
    interval: '1m',
    input_series: Object.entries(series).map(([name, values]) => ({ series: ofTarget(name), values })),
    alert_rule_test: [
      { eval_time: quietAt, alertname: alert, exp_alerts: [] },
      { eval_time: firesAt, alertname: alert, exp_alerts: [expected] },
    ],
  };
}

function ofTarget(series: string): string {
  const [name = '', own = ''] = series.split(/[{}]/);
  const labels = [own, `job="${TARGET.job}"`, `instance="${TARGET.instance}"`].filter((one) => one !== '');
  return `${name}{${labels.join(',')}}`;
}

function rendered(text: string, labels: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, (_whole, name: string) => labels[name] ?? '');
}
