/**
 * What a service manager hears, by way of a program of that name that writes down what it is told; and when.
 */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../reconciler/clock-system.ts';
import { type ServiceManager, serviceManager } from '../../../src/agent/service.ts';
import { summaryOf } from '../../../src/agent/service-agent.ts';
import { type Living, ServiceLife } from '../../../src/agent/service-life.ts';
import { countDevices } from '../../../src/telemetry/device-counts.ts';
import { unknownDevice } from '../../../store/device.ts';
import { ManualClock } from '../../manual-clock.ts';

const SOCKET = '/run/systemd/notify';
const PID = 4711;

let folder: string;
let warned: readonly object[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mdevfleet-service-'));
  warned = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A systemd-notify that does this. */
function program(body: string): void {
  const file = join(folder, 'systemd-notify');
  writeFileSync(file, `#!/bin/sh\n${body}\n`);
  chmodSync(file, 0o755);
}

function manager(env: Readonly<Record<string, string>> = {}, path = folder): ServiceManager | null {
  const warn = (fields: object): void => {
    warned = [...warned, fields];
  };
  const all = { NOTIFY_SOCKET: SOCKET, PATH: [path, '/usr/bin', '/bin'].join(delimiter), ...env };
  return serviceManager({ env: all, pid: PID, clock: systemClock, warn });
}

describe('systemd-notify', () => {
  const log = (): readonly string[] => readFileSync(join(folder, 'log'), 'utf8').trimEnd().split('\n');

  test('is told one thing after the other, and where to say it', async () => {
    program(`sleep 0.0$#; echo "$NOTIFY_SOCKET $*" >> '${folder}/log'`);
    const one = manager();
    void one?.tell('READY=1', 'STATUS=two devices', 'X=1');
    await one?.tell('WATCHDOG=1');
    expect(log()).toEqual([`${SOCKET} READY=1 STATUS=two devices X=1`, `${SOCKET} WATCHDOG=1`]);
    expect(warned).toEqual([]);
  });

  test('that fails is told of once, until it works again', async () => {
    const failing = 'echo "no such socket" >&2; exit 1';
    const one = manager();
    for (const body of [failing, failing, 'exit 0', failing]) {
      program(body);
      await one?.tell('READY=1');
    }
    const complaint = 'systemd-notify ended (exit status 1): no such socket';
    expect(warned).toEqual([{ complaint }, { complaint }]);
  });

  test('that is missing does no harm', async () => {
    const one = manager({ PATH: folder });
    await one?.tell('READY=1');
    expect(warned).toEqual([{ complaint: expect.stringContaining('ENOENT') }]);
  });
});

describe('a service manager', () => {
  test('that did not ask is not told', () => {
    expect(manager({ NOTIFY_SOCKET: '' })).toBeNull();
  });

  test.each([
    ['wants signs of life of the process that it started', { WATCHDOG_PID: String(PID) }, 90_000],
    ['may leave out which process', {}, 90_000],
    ['wants none of another process', { WATCHDOG_PID: '1' }, null],
    ['wants none at all', { WATCHDOG_USEC: '0' }, null],
  ])('%s', (_what, env, watchdogMs) => {
    expect(manager({ WATCHDOG_USEC: '90000000', ...env })?.watchdogMs).toBe(watchdogMs);
  });
});

describe('in the life of an agent', () => {
  const LIMITS = { readyMsMax: 60_000, standstillMsMax: 100_000 };
  const log: object[] = [];

  /** An agent that says of itself what `state` says, and is restored when that is called. */
  function lifeOf(watchdogMs: number | null) {
    const clock = new ManualClock();
    const said: (readonly string[])[] = [];
    const { promise, resolve: restore } = Promise.withResolvers<void>();
    const state = { standstillMs: 0, summary: 'one device' };
    const agent: Living = {
      restored: promise,
      unrestored: 1,
      get standstillMs() {
        return state.standstillMs;
      },
      get summary() {
        return state.summary;
      },
    };
    const write = (fields: object): void => void log.push(fields);
    const life = new ServiceLife({
      clock,
      manager: { watchdogMs, tell: async (...assignments) => void said.push(assignments) },
      log: { debug: write, info: write, warn: write, error: write },
      limits: LIMITS,
    });
    return { clock, said, state, agent, restore, life };
  }

  beforeEach(() => log.splice(0));

  test('ready is said when the devices stand again, and only once', async () => {
    const { clock, said, agent, restore, life } = lifeOf(null);
    life.watch(agent);
    await clock.advance(1_000);
    expect(said).toEqual([['STATUS=opening the journal']]);
    restore();
    await clock.advance(120_000);
    expect(said.slice(1)).toEqual([['READY=1', 'STATUS=one device']]);
    expect(log).toEqual([]);
  });

  test.each([
    ['devices', true],
    ['the journal', false],
  ])(
    'ready is said at the limit, and the log says so, though %s would take longer',
    async (_what, started) => {
      const { clock, said, agent, life } = lifeOf(null);
      if (started) life.watch(agent);
      await clock.advance(LIMITS.readyMsMax);
      expect(said.flat()).toContain('READY=1');
      expect(log).toEqual([{ devices: started ? 1 : null, afterMs: LIMITS.readyMsMax }]);
    },
  );

  test('there are three signs of life in the time in which one is wanted', async () => {
    const { clock, said, agent, restore, life } = lifeOf(90_000);
    life.watch(agent);
    restore();
    await clock.advance(90_000);
    expect(said.filter((one) => one.includes('WATCHDOG=1'))).toHaveLength(3);
  });

  test('no sign of life is given at a standstill, until that ends', async () => {
    const { clock, said, state, agent, restore, life } = lifeOf(30_000);
    life.watch(agent);
    restore();
    state.standstillMs = LIMITS.standstillMsMax + 1;
    await clock.advance(30_000);
    expect(said.flat()).not.toContain('WATCHDOG=1');
    expect(log).toEqual([{ standstillMs: state.standstillMs }]);
    state.standstillMs = 0;
    await clock.advance(10_000);
    expect(said.at(-1)).toEqual(['WATCHDOG=1']);
  });

  test('the status is told when it changes, and not else', async () => {
    const { clock, said, state, agent, restore, life } = lifeOf(null);
    life.watch(agent);
    restore();
    await clock.advance(60_000);
    state.summary = 'two devices';
    await clock.advance(60_000);
    expect(said.slice(2)).toEqual([['STATUS=two devices']]);
  });

  test('the end is told once, and nothing after it', async () => {
    const { clock, said, agent, restore, life } = lifeOf(30_000);
    life.watch(agent);
    await life.stop();
    await life.stop();
    restore();
    await clock.advance(LIMITS.readyMsMax);
    expect(said.slice(1)).toEqual([['STOPPING=1', 'STATUS=finishing what is under way']]);
    expect(clock.pendingMs).toEqual([]);
  });
});

describe('the status', () => {
  const device = (uuid: string, unmanaged: boolean) => ({
    ...unknownDevice('host-a', uuid),
    unmanaged: unmanaged ? { parent: 'p', type: 't' } : null,
  });

  test.each([
    ['0 devices; fleet not reached', [], false],
    ['1 device: 1 unmanaged; fleet reached', [device('a', true), device('b', false)], true],
  ])('says how many devices are in which state: %s', (text, devices, isReached) => {
    expect(summaryOf(countDevices(devices), isReached)).toBe(text);
  });
});
