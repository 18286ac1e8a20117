/** The verdict over a fleet, by whether its agents are there. */
import { expect, test } from 'vitest';
import type { Fact } from '../../../events/fact.ts';
import { nobodyToAsk, type Presence } from '../../../events/presence.ts';
import type { Row } from '../../../events/row.ts';
import { createMemoryStreams } from '../../../events/stream-memory.ts';
import { fleetStatus } from '../../../src/look/fleet-status.ts';
import { MemoryRegistry } from '../../../store/registry/registry-memory.ts';
import { forwarded, rowOf } from './fleet-seen.ts';

const TIME = '2026-01-01T00:00:00.000Z';

const STARTED = { kind: 'started', v: 1, software: 'mdevfleet', kernel: '6.12' } as const;
const STOPPED = { kind: 'stopped', v: 1 } as const;

/** A fleet of one host, which has reported one row; its agent is as given, or nobody can be asked. */
async function statusOf(row: Partial<Row>, agent?: Presence, lastWord: Fact = STARTED) {
  const streams = createMemoryStreams({ now: () => TIME });
  const { host, uuid } = rowOf(row);
  const said = [
    forwarded(1, { host, uuid: null }, lastWord),
    forwarded(2, { host, uuid }, { kind: 'unmanaged', v: 1, uuid, device: null }, [rowOf(row)]),
  ];
  for (const one of said) await streams.observed.append(one);
  const presence = agent === undefined ? nobodyToAsk : async () => agent;
  return fleetStatus({ streams, registry: new MemoryRegistry(() => TIME), presence, prefix: 'mdev' });
}

test.each([
  ['there', 'settled', 1, []],
  ['absent', 'waiting', 0, ['absent']],
  ['mute', 'waiting', 0, ['mute']],
  [undefined, 'settled', null, []],
] as const)('with its device made, and its agent %s: %s', async (agent, status, there, notes) => {
  const found = await statusOf({ state: 'ready' }, agent);
  expect(found).toMatchObject({ status, hosts: { known: 1, there } });
  expect(found.hosts.notes.map(({ note }) => note)).toEqual(notes);
});

test('a host that keeps nothing is missed, and keeps the fleet from nothing', async () => {
  const found = await statusOf({ state: 'unmanaged', generation: null, set: null }, 'absent');
  expect(found).toMatchObject({ status: 'settled', hosts: { notes: [{ host: 'host-a', note: 'absent' }] } });
});

test('an agent that has said that it stops is not missed as well, and keeps nothing', async () => {
  const found = await statusOf({ state: 'ready' }, 'absent', STOPPED);
  expect(found).toMatchObject({ status: 'waiting', hosts: { there: 0 } });
  expect(found.hosts.notes).toMatchObject([{ note: 'stopped' }]);
});

test('what cannot be as declared weighs more', async () => {
  const found = await statusOf({ state: 'failed', reason: 'AttributeRefused' }, 'absent');
  expect(found.status).toBe('terminal');
});
