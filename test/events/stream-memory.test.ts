import { expect, test } from 'vitest';
import { createMemoryStreams } from '../../events/stream-memory.ts';
import { systemClock } from '../../reconciler/clock-system.ts';
import { streamContract } from './stream.contract.ts';
import { all } from './streams-under-test.ts';

streamContract(
  'in memory',
  async () => {
    const streams = createMemoryStreams({ now: systemClock.wall });
    return { prefix: 'mdev', client: async () => streams, close: () => streams.close() };
  },
  100,
);

const bytes = new TextEncoder().encode('data');

test('a stream that lost its tail is the same stream, and gives the same sequences again', async () => {
  const { desired } = createMemoryStreams({ now: () => '2026-01-01T00:00:00Z' });
  const append = (id: string) => desired.append({ subject: 'mdev.desired.a.x', id, data: bytes });
  for (const id of ['one', 'two', 'three']) await append(id);
  desired.truncate(1);
  expect(await desired.info()).toEqual({
    created: '2026-01-01T00:00:00Z',
    firstSequence: 1,
    lastSequence: 1,
  });
  expect(await desired.last('mdev.desired.a.x')).toMatchObject({ id: 'one' });
  expect(await append('two')).toEqual({ kind: 'stored', sequence: 2, duplicate: false });
});

test('a stream that was made anew tells another time of creation', async () => {
  const { desired } = createMemoryStreams({ now: () => '2026-01-01T00:00:00Z' });
  await desired.append({ subject: 'mdev.desired.a.x', id: 'one', data: bytes });
  desired.recreate('2026-02-02T00:00:00Z');
  expect(await desired.info()).toEqual({
    created: '2026-02-02T00:00:00Z',
    firstSequence: 1,
    lastSequence: 0,
  });
  expect(await all(desired.lastPerSubject('>'))).toEqual([]);
});
