/**
 * A fleet that is read in parts is the same fleet.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeDeclaration } from '../../../events/codec.ts';
import { createMemoryStreams } from '../../../events/stream-memory.ts';
import { readStandings } from '../../../src/fleet.ts';
import { type HostPart, hostParts, together } from '../../../src/look/host-parts.ts';
import { uuidOf } from '../../bench/names.ts';

const TIME = '2026-01-01T00:00:00.000Z';
const sizes = fc.uniqueArray(fc.tuple(fc.stringMatching(/^[a-z][a-z.-]{0,5}[a-z]$/), fc.nat(6000)), {
  selector: ([host]) => host,
});

test('each host is in one part, in order, and the first part is small unless its host is not', () => {
  fc.assert(
    fc.property(sizes, (hosts) => {
      const parts = [...together(hosts)];
      expect(parts.flat()).toEqual(hosts.map(([host]) => host));
      const devices = (part: readonly string[]) =>
        hosts.filter(([host]) => part.includes(host)).reduce((sum, [, size]) => sum + size, 0);
      for (const [at, part] of parts.entries()) {
        expect(part.length).toBeLessThanOrEqual(128);
        expect(part.length === 1 || devices(part) <= (at === 0 ? 256 : 2048)).toBe(true);
      }
    }),
  );
});

test('the parts are all that stands declared, by host, and of one host only that', async () => {
  const streams = createMemoryStreams({ now: () => TIME });
  const hosts = ['b.example', 'a', 'b', 'c-1'];
  for (const [at, host] of Array.from({ length: 480 }, (_, index) => hosts[index % 4] ?? '').entries()) {
    const event = { id: `id-${at}`, source: 'tests', time: TIME };
    const data = { uuid: uuidOf(at), host, parent: 'mtty', type: 'mtty-2' };
    await streams.desired.append(encodeDeclaration('mdev', { desired: 'present', event, data }));
  }
  const parts: HostPart[] = await Array.fromAsync(hostParts({ streams, prefix: 'mdev' }));
  expect(parts.map((part) => part.hosts)).toEqual([
    ['a', 'b'],
    ['b.example', 'c-1'],
  ]);
  const standings = new Map(parts.flatMap((part) => [...part.standings]));
  expect(standings).toEqual(await readStandings(streams.desired, 'mdev'));
  const [only, ...others] = await Array.fromAsync(hostParts({ streams, prefix: 'mdev' }, 'b'));
  expect([only?.hosts, only?.standings.size, others]).toEqual([['b'], 120, []]);
});
