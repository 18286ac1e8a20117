/**
 * `adopt`: what nobody declared is shown, printed or declared as it stands; what is declared is refused.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openEmbedded } from '../../../events/embedded/embedded.ts';
import { openEmbeddedStreams } from '../../../events/embedded/streams-embedded.ts';
import { encodeRecord, NO_RECORD } from '../../../events/record.ts';
import { formatSubject } from '../../../events/subject.ts';
import { systemClock } from '../../../reconciler/clock-system.ts';
import { EXIT } from '../../../src/exit.ts';
import { runInProcess } from './in-process.ts';

const FOUND = '5d3c7e0a-2f51-4b1e-9a44-000000000099';
const MISTYPED = '5d3c7e0a-2f51-4b1e-9a44-000000000199';
const DEVICE = { parent: 'mtty', type: 'mtty-2' };

let data: string;

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'mdevfleet-adopt-'));
  const embedded = await openEmbedded(data, { after: systemClock.after, now: systemClock.wall });
  const { observed } = await openEmbeddedStreams(embedded, 'mdev');
  const head = { time: '2026-01-01T00:00:00.000Z', boot: 'boot', prev: NO_RECORD, seq: 1 };
  const record = encodeRecord(head, { kind: 'unmanaged', v: 1, uuid: FOUND, device: DEVICE }, [
    {
      ...{ uuid: FOUND, host: 'host-a', ...DEVICE, state: 'unmanaged', reason: null, message: null },
      ...{ generation: null, attributes: [], set: null },
    },
  ]);
  const subject = formatSubject('mdev', { kind: 'observed', host: 'host-a', uuid: FOUND });
  await observed.append({ subject, id: record.hash, data: record.bytes });
  await embedded.close();
});
afterAll(() => rm(data, { recursive: true }));

const adopt = (...args: readonly string[]) => runInProcess(['adopt', '--data', data, ...args]);

test('the plan is shown, and what is not known', async () => {
  const { stdout, stderr } = await adopt('--host', 'host-a', '--dry-run');
  expect(stdout).toMatch(new RegExp(`^declare +${FOUND} +host-a +mtty +mtty-2 +adopted`, 'm'));
  expect(stderr).toContain('what attributes these devices have is not known');
});

test('the manifest is one that apply takes, and finds the device in', async () => {
  const { stdout } = await adopt('--manifest', '--set', 'found', '--json');
  expect(JSON.parse(stdout)).toEqual({
    ...{ apiVersion: 'mdevfleet.io/v1', kind: 'DeviceSet', metadata: { name: 'found' } },
    devices: [{ uuid: FOUND, host: 'host-a', ...DEVICE }],
  });
});

test('a UUID that no host has reported is refused, with what may have been meant', async () => {
  expect(await adopt(MISTYPED)).toMatchObject({
    status: EXIT.refused,
    stderr: expect.stringContaining(`did you mean ${FOUND}?`),
  });
});

test('it is declared as it stands, once', async () => {
  const published = await adopt(FOUND, '--yes', '--json');
  expect(JSON.parse(published.stdout)).toMatchObject([
    { uuid: FOUND, host: 'host-a', ...DEVICE, set: 'adopted', status: 'published' },
  ]);
  expect(await adopt(FOUND)).toMatchObject({
    status: EXIT.refused,
    stderr: expect.stringContaining(`${FOUND} is declared on host-a`),
  });
  expect(await adopt()).toMatchObject({
    status: EXIT.ok,
    stdout: expect.stringContaining('0 published'),
    stderr: expect.stringContaining('it is left as it is'),
  });
});
