/**
 * A cursor knows its message from any other that may come to stand under its number.
 */
import { expect, test } from 'vitest';
import { sha256 } from '../../events/digest.ts';
import type { Message } from '../../events/stream.ts';
import { isAt, markOf } from '../../store/message-mark.ts';
import { uuidOf, World } from './intake-world.ts';

const data = new TextEncoder().encode('{}');
const message: Message = { sequence: 2, subject: 'a', id: null, data, storedAt: '2026-01-01T00:00:00.5Z' };
const cursor = { epoch: 1, created: '', sequence: 2, digest: markOf(message) };

test('the same event that was stored at another time is another message', () => {
  expect(isAt(cursor, message)).toBe(true);
  expect(isAt(cursor, { ...message, storedAt: '2026-01-01T00:00:00.6Z' })).toBe(false);
  expect(isAt(cursor, { ...message, data: new TextEncoder().encode('{ }') })).toBe(false);
});

test('a cursor that was stored without the time goes by the data alone', () => {
  expect(isAt({ ...cursor, digest: sha256(data) }, message)).toBe(true);
});

test('a stream that went back is read from where it differs, also when the message at the cursor is the same event', async () => {
  const world = new World();
  await world.sync();
  for (const n of [1, 2, 3]) await world.present({ uuid: uuidOf(n) });
  await world.sync();
  const { desired } = world.streams;
  const last = await desired.at(3);
  desired.truncate(1);
  await world.clock.advance(1_000);
  await world.present({ uuid: uuidOf(4) });
  if (last !== undefined) await desired.append({ ...last, id: last.id ?? '' });
  expect((await desired.at(3))?.data).toEqual(last?.data);
  await world.sync();
  expect(world.epochs()).toEqual(['First 1', 'Changed 2']);
  expect(world.device(uuidOf(4)).desired?.kind).toBe('present');
});
