/**
 * The service on a Debian system that systemd runs: it is ready when the devices of its guests stand, comes back when it is
 * killed or hangs, ends in time though a write hangs, and touches no device meanwhile.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeDeclaration } from '../../events/codec.ts';
import { openEmbedded } from '../../events/embedded/embedded.ts';
import { openEmbeddedStreams } from '../../events/embedded/streams-embedded.ts';
import { DEFAULT_PREFIX } from '../../events/subject.ts';
import { systemClock } from '../../reconciler/clock-system.ts';
import { bootDebian } from './debian-guest.ts';
import { installedDisk } from './installed.ts';
import { DATA, FIRST_BOOT, HELD, HOST, PARENTS, SECOND_BOOT, UUIDS } from './service-boots.ts';

const BOOT_MS_MAX = 600_000;
const STOP_SECONDS_MAX = 60;

let work: string;
/** What was said in the first boot, and in the second, by name. */
let first: ReadonlyMap<string, string>;
let second: ReadonlyMap<string, string>;
let console: string;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'mdevfleet-service-'));
  await declare(join(work, 'data'));
  await installedDisk(join(work, 'disk.img'), join(work, 'code'), {
    [`${DATA}/fleet`]: join(work, 'data', 'fleet'),
  });
  ({ said: first, console } = await boot(FIRST_BOOT, true));
  ({ said: second } = await boot(SECOND_BOOT, false));
}, 3 * BOOT_MS_MAX);
afterAll(() => rm(work, { recursive: true, force: true }));

/** Declares the devices on an embedded fleet: two on the first parent, one on each of the others. */
async function declare(data: string): Promise<void> {
  const embedded = await openEmbedded(data, { after: systemClock.after, now: systemClock.wall });
  const { desired } = await openEmbeddedStreams(embedded, DEFAULT_PREFIX);
  for (const [at, uuid] of [...UUIDS, HELD].entries()) {
    const parent = PARENTS[at - 1] ?? PARENTS[0];
    const event = { id: `service-${at}`, source: 'test', time: systemClock.wall() };
    const claim = { uuid, host: HOST, parent, type: 'mdevfleet-a', attributes: [] };
    await desired.append(encodeDeclaration(DEFAULT_PREFIX, { desired: 'present', event, data: claim }));
  }
  await embedded.close();
}

async function boot(files: typeof FIRST_BOOT, driver: boolean) {
  const said = new Map<string, string>();
  const onLine = (line: string): void => {
    const [name = '', ...words] = line.trim().split(' ');
    said.set(name, words.join(' '));
  };
  return { console: await bootDebian({ work, files, driver, deadlineMs: BOOT_MS_MAX, onLine }), said };
}

describe('in a boot', () => {
  test('the agent is root without its powers, but for two', () => {
    expect(first.get('confined')).toMatch(/^CapEff: 0000000000080002 NoNewPrivs: 1 Seccomp: 2$/);
  });

  test('guests are started when it is ready, which nothing that is not held delays', () => {
    expect(first.get('guests')).toMatch(/^active/);
  });

  test('it sees that a device is in use, and by whom, and removes it when it is free', () => {
    const [, named, pid] = /in use by hold \(pid (\d+)\).* of (\d+)$/.exec(first.get('used') ?? '') ?? [];
    expect(named, first.get('used')).toBeDefined();
    expect(named).toBe(pid);
  });

  test('stopped from giving signs of life, it is killed and started again, and no device is touched', () => {
    expect(first.get('made')?.split(' ')).toHaveLength(UUIDS.length);
    expect(first.get('watched')).toBe(first.get('made'));
    expect(console).toContain('mdevfleet.service: Watchdog timeout');
  });

  test('it is stopped in time though a write hangs in the kernel, and leaves the devices', () => {
    const [state, seconds] = (first.get('stopped') ?? '').split(' ');
    expect(['inactive', 'failed']).toContain(state);
    expect(Number(seconds)).toBeLessThan(STOP_SECONDS_MAX);
    expect(first.get('left')?.split(' ')).toEqual(UUIDS);
  });
});

describe('in the next boot', () => {
  test('it is not ready before the driver has come and the devices stand; then guests are started', () => {
    expect(second.get('late')).toBe('activating');
    expect(second.get('guests')).toBe(`active ${UUIDS.join(' ')}`);
  });

  test('no server is needed for that', () => {
    expect(second.get('again')).toBe('3 devices: 3 ready; fleet not reached');
  });

  test('killed, it is started again, and no device is touched', () => {
    expect(second.get('made')?.split(' ')).toHaveLength(UUIDS.length);
    expect(second.get('killed')).toBe(second.get('made'));
  });
});
