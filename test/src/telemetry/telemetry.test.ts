/**
 * What an agent says of itself, on a machine in memory and by a clock that a test moves.
 */
import { describe, expect, test } from 'vitest';
import { terminalReason, waitingReason } from '../../../events/reasons.ts';
import { standstillMsMax } from '../../../src/agent/standstill.ts';
import { METRICS } from '../../../src/telemetry/metrics.ts';
import { HOST, PLACE, UUID, World } from '../../reconciler/pass-world.ts';
import { DEADLINES, TelemetryWorld } from './telemetry-world.ts';

const HOUR_MS = 3_600_000;

describe('metrics', () => {
  test('every series is there from the start, at 0 unless something is the case', async () => {
    const series = await new TelemetryWorld().series();
    for (const { name } of Object.values(METRICS)) {
      expect(
        [...series.keys()].some((one) => one.startsWith(name)),
        name,
      ).toBe(true);
    }
    for (const reason of waitingReason.options) {
      expect(series.get(`mdevfleet_waiting_devices{reason="${reason}"}`)).toBe(0);
      expect(series.get(`mdevfleet_retries_total{reason="${reason}"}`)).toBe(0);
    }
    for (const reason of terminalReason.options) {
      expect(series.get(`mdevfleet_terminal_devices{reason="${reason}"}`)).toBe(0);
    }
    const version = process.version;
    const counted = [...series].filter(([name, value]) => value !== 0 && !name.startsWith('process_'));
    expect(Object.fromEntries(counted)).toEqual({
      [`mdevfleet_build_info{version="1.2.3",node="${version}"}`]: 1,
      mdevfleet_healthy: 1,
      mdevfleet_journal_records: 1,
      mdevfleet_unforwarded_facts: 1,
      mdevfleet_unsigned_records: 1,
      mdevfleet_journal_size_bytes: 4096,
      mdevfleet_journal_disk_free_bytes: 8192,
    });
  });

  test('what a declaration leads to is counted, and how long it took', async () => {
    const on = new TelemetryWorld();
    await on.start();
    await on.declare();
    await on.wait(5_000);
    const series = await on.series();
    expect(Object.fromEntries(series)).toMatchObject({
      mdevfleet_ready: 1,
      'mdevfleet_devices{state="ready"}': 1,
      'mdevfleet_facts_total{kind="active"}': 1,
      'mdevfleet_writes_total{operation="create",result="ok"}': 1,
      'mdevfleet_write_duration_seconds_count{operation="create"}': 1,
      mdevfleet_declaration_ready_seconds_count: 1,
      'mdevfleet_events_behind{stream="desired"}': 0,
      mdevfleet_unforwarded_facts: 0,
      mdevfleet_forwarding_lag_seconds: 0,
    });
    expect(series.get('mdevfleet_declaration_ready_seconds_sum')).toBeGreaterThan(0);
    expect(series.get('mdevfleet_declaration_ready_seconds_sum')).toBeLessThan(5);
    expect(series.get('mdevfleet_passes_total{end="settled"}')).toBeGreaterThan(0);
  });

  test('what was declared before the agent began does not tell how long a declaration takes', async () => {
    const before = new TelemetryWorld();
    await before.declare();
    await before.wait(HOUR_MS);
    const later = new TelemetryWorld(before.world, before.streams);
    await later.start();
    expect(later.world.state()).toBe('ready');
    const names = ['mdevfleet_declaration_ready_seconds_count', 'mdevfleet_devices{state="ready"}'];
    expect(await later.values(...names)).toEqual([0, 1]);
  });

  test('drift is counted by its cause, an event that cannot be read as rejected', async () => {
    const on = new TelemetryWorld();
    await on.start();
    await on.declare();
    await on.wait(5_000);
    await on.world.clock.until(on.world.kernel.remove(UUID));
    const data = new TextEncoder().encode('no declaration');
    await on.publish({ subject: `mdev.desired.${HOST}.${UUID}`, id: 'nonsense', data });
    await on.wait(5_000);
    const names = [
      'mdevfleet_drifts_total{cause="Removed"}',
      'mdevfleet_rejected_events_total{stream="desired"}',
    ];
    expect(await on.values(...names)).toEqual([1, 1]);
  });

  test('why a device waits is shown, and how often it was tried', async () => {
    const on = new TelemetryWorld();
    await on.start();
    await on.world.clock.until(on.world.kernel.unplug(PLACE.parent));
    await on.declare();
    await on.wait(60_000);
    const [waiting, retries = 0, blocked] = await on.values(
      'mdevfleet_devices{state="waiting"}',
      'mdevfleet_retries_total{reason="ParentAbsent"}',
      'mdevfleet_waiting_devices{reason="ParentAbsent"}',
    );
    expect([waiting, blocked]).toEqual([1, 1]);
    expect(retries).toBeGreaterThan(2);
  });

  test('what was announced and not taken is behind, until it is taken', async () => {
    const on = new TelemetryWorld();
    await on.start();
    on.world.disk.full = true;
    await on.declare();
    await on.declare('absent');
    await on.wait(10);
    const names = ['mdevfleet_events_behind{stream="desired"}'];
    expect(await on.values(...names)).toEqual([2]);
    expect((await on.values('mdevfleet_journal_append_failures_total'))[0]).toBeGreaterThan(0);
    on.world.disk.full = false;
    await on.wait(60_000);
    expect(await on.values(...names)).toEqual([0]);
  });

  test('the last checkpoint is known from the journal, and from then on as it is recorded', async () => {
    const world = new World();
    const checkpoint = { kind: 'checkpoint', v: 1, publicKey: 'key', note: 'note' } as const;
    const names = ['mdevfleet_last_checkpoint_timestamp_seconds', 'mdevfleet_unsigned_records'];
    await world.record(checkpoint);
    const signedMs = Date.parse(world.clock.wall());
    await world.declare();
    await world.clock.advance(HOUR_MS);
    const on = new TelemetryWorld(world);
    expect(await on.values(...names)).toEqual([signedMs / 1000, 1]);
    await world.clock.until(on.telemetry.ports.journal.append({ facts: [checkpoint] }));
    expect(await on.values(...names)).toEqual([Date.parse(world.clock.wall()) / 1000, 0]);
  });
});

describe('health', () => {
  test('an agent is ready once the fleet is reached and read, and while it is', async () => {
    const on = new TelemetryWorld();
    expect(await on.page('/readyz')).toMatchObject({
      status: 503,
      body: 'the streams have not been reached yet\n',
    });
    await on.start();
    expect(await on.page('/readyz')).toMatchObject({ status: 200, body: 'ready\n' });
    on.connection('down');
    expect(await on.page('/readyz')).toMatchObject({
      status: 503,
      body: 'the connection to the streams is lost\n',
    });
    on.connection('up');
    await on.wait(60_000);
    expect(await on.page('/readyz')).toMatchObject({ status: 200 });
  });

  test('an agent is healthy until passes neither begin nor end though one is due', async () => {
    const on = new TelemetryWorld();
    await on.start();
    expect(await on.page('/healthz')).toMatchObject({ status: 200, body: 'healthy\n' });
    on.world.before.set('observe', () => new Promise(() => undefined));
    await on.declare();
    await on.wait(standstillMsMax(DEADLINES) - 1_000);
    expect(await on.page('/healthz')).toMatchObject({ status: 200 });
    await on.wait(2_000);
    expect(await on.page('/healthz')).toMatchObject({
      status: 503,
      body: expect.stringContaining('no pass'),
    });
    expect(await on.values('mdevfleet_healthy')).toEqual([0]);
  });
});

test('an agent at rest logs nothing at info or above, and has no more passes than the periodic one asks for', async () => {
  const on = new TelemetryWorld();
  await on.start();
  await on.declare();
  await on.wait(60_000);
  expect(on.world.state()).toBe('ready');
  const before = on.world.journal.tail().seq;
  on.lines.length = 0;
  await on.wait(HOUR_MS);
  expect(on.lines.filter(({ level }) => level !== 'debug')).toEqual([]);
  expect(on.lines.length).toBeLessThanOrEqual(12);
  expect(on.world.journal.tail().seq).toBe(before);
});
