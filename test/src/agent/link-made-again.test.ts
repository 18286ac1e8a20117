/**
 * An agent's link with a journal that was made again from what the fleet has of it, and lacks the last.
 */
import { describe, expect, test } from 'vitest';
import { decodeRecord } from '../../../events/record.ts';
import type { Positions } from '../../../store/journal/journal.ts';
import { MemoryDisk } from '../../../store/journal/journal-memory.ts';
import { Replay } from '../../../store/journal/replay.ts';
import { take } from '../../../store/registry/reserve.ts';
import { Fleet, Member, UUID } from './link-world.ts';

/** The disk with the records up to the last of that kind, and what they fold to. */
function madeAgain(
  lost: MemoryDisk,
  kind: string,
  known: Partial<Positions> = { madeAgain: true },
): MemoryDisk {
  const all = lost.read(0, Number.MAX_SAFE_INTEGER);
  const records = all.slice(0, all.findLastIndex(({ bytes }) => decodeRecord(bytes).fact?.kind === kind) + 1);
  const replay = new Replay();
  for (const record of records) replay.apply(record);
  const { tail } = replay;
  const positions = { ...replay.positions, ...known };
  const disk = new MemoryDisk();
  const after = disk.projections().tail;
  disk.commit({ after, tail, records, devices: [...replay.devices.values()], events: [], positions });
  return disk;
}

describe('a journal that was made again', () => {
  test('takes back what it had taken and not told, and nobody stops for that', async () => {
    const fleet = new Fleet();
    const before = await new Member(fleet, 'host-a').start();
    const revision = await before.hold();
    before.journal.crash();
    const host = await new Member(fleet, 'host-a', madeAgain(before.disk, 'claiming')).start();
    expect(host.ends).toEqual([]);
    expect(host.journal.device(UUID).reservation).toMatchObject({
      phase: 'reserved',
      revision,
    });
    expect(host.journal.positions().madeAgain).toBe(false);
    expect(await fleet.state()).toBe('open');
  });

  test('is known as one until then, also when an agent has read the observed stream and ended', async () => {
    const fleet = new Fleet();
    const before = await new Member(fleet, 'host-a').start();
    const revision = await before.hold();
    before.journal.crash();
    const disk = madeAgain(before.disk, 'claiming', { madeAgain: true, forwarded: 1 });
    const host = await new Member(fleet, 'host-a', disk).start();
    expect(host.journal.device(UUID).reservation).toMatchObject({ phase: 'reserved', revision });
  });

  test('is not one of which only the observed stream has lost everything: it takes nothing back', async () => {
    const fleet = new Fleet();
    const before = await new Member(fleet, 'host-a').start();
    await before.hold();
    before.journal.crash();
    const disk = madeAgain(before.disk, 'claiming', { forwarded: 0 });
    const host = await new Member(fleet, 'host-a', disk).start();
    expect(host.journal.device(UUID).reservation?.phase).toBe('claiming');
  });

  test('goes by the claim that the host has taken since, in place of one that it had given back', async () => {
    const fleet = new Fleet();
    const before = await new Member(fleet, 'host-a').start();
    const first = await before.hold();
    const lost = madeAgain(before.disk, 'active');
    await fleet.registry.erase(UUID, first);
    const claim = { host: 'host-a', parent: 'another', type: 't' };
    const wish = { claim, generation: { epoch: 1, sequence: 2 }, incarnation: 1, replaces: null };
    const taken = await take(fleet.registry, UUID, wish);
    before.journal.crash();
    const host = await new Member(fleet, 'host-a', lost).start();
    const revision = taken.kind === 'held' ? taken.revision : null;
    expect(host.journal.device(UUID).reservation).toMatchObject({ phase: 'reserved', claim, revision });
    expect(await fleet.hold()).toBe('host-a held');
  });
});
