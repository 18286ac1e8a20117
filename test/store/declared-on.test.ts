import { expect, test } from 'vitest';
import { encodeDeclaration } from '../../events/codec.ts';
import { type Outgoing, type Stream, StreamUnavailable } from '../../events/stream.ts';
import { createMemoryStreams } from '../../events/stream-memory.ts';
import { declaredOn } from '../../store/declared-on.ts';

const PREFIX = 'mdev';
const UUID = '00000000-0000-4000-8000-000000000001';
const NOW = '2026-01-01T00:00:00Z';

test('only a last word that withdraws is a withdrawal', async () => {
  const { desired } = createMemoryStreams({ now: () => NOW });
  const ask = () => declaredOn(desired, PREFIX, 'host-a', UUID);
  expect(await ask()).toBe('standing');
  await desired.append(present('1'));
  await desired.append(absent('2', 'host-b'));
  expect(await ask()).toBe('standing');
  await desired.append(absent('3'));
  expect(await ask()).toBe('withdrawn');
  await desired.append({ ...absent('4'), data: new TextEncoder().encode('not an event') });
  expect(await ask()).toBe('standing');
  await desired.append(absent('5'));
  await desired.append(present('6'));
  expect(await ask()).toBe('standing');
});

test('a stream that does not answer says neither', async () => {
  const away = { last: () => Promise.reject(new StreamUnavailable('away')) } as Partial<Stream> as Stream;
  expect(await declaredOn(away, PREFIX, 'host-a', UUID)).toBe('unreachable');
});

function present(id: string): Outgoing {
  const data = { uuid: UUID, host: 'host-a', parent: 'gpu0', type: 'a' };
  return encodeDeclaration(PREFIX, { desired: 'present', event: event(id), data });
}

function absent(id: string, host = 'host-a'): Outgoing {
  return encodeDeclaration(PREFIX, { desired: 'absent', event: event(id), data: { uuid: UUID, host } });
}

function event(id: string) {
  return { id, source: 'test', time: NOW };
}
