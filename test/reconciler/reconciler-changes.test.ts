/**
 * What changes on the host bring about: who is woken by them and who is not, what was the cause when a device is gone,
 * and what nobody but the periodic pass would have found.
 */
import { describe, expect, test } from 'vitest';
import { E } from '../../reconciler/errno-numbers.ts';
import { PLACE, READY, UUID, uuidOf, World } from './pass-world.ts';
import { Loop } from './reconciler-world.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const THREE = [uuidOf(1), uuidOf(2), uuidOf(3)];

async function started(options: ConstructorParameters<typeof World>[0] = {}): Promise<Loop> {
  const loop = new Loop(new World(options));
  await loop.start();
  return loop;
}

/** A loop with a ready device on each of these parents, the n-th for the n-th. */
async function settled(...parents: readonly string[]): Promise<Loop> {
  const loop = await started();
  for (const [at, parent] of parents.entries()) await loop.declare(uuidOf(at + 1), { parent });
  await loop.world.clock.advance(MINUTE_MS);
  for (const at of parents.keys()) expect(loop.world.state(uuidOf(at + 1))).toBe('ready');
  loop.ended.length = 0;
  return loop;
}

/** The UUIDs that had a pass. */
function woken(loop: Loop): readonly string[] {
  return [...new Set(loop.ended.map((one) => one.slice(0, UUID.length)))].sort();
}

describe('a parent', () => {
  test('that goes wakes its own devices, and those of no other', async () => {
    const loop = await settled('gpu0', 'gpu1', 'gpu0', 'gpu1');
    await loop.world.clock.until(loop.world.kernel.unplug('gpu1'));
    await loop.world.clock.advance(SECOND_MS);
    expect(woken(loop)).toEqual([uuidOf(2), uuidOf(4)]);
    for (const uuid of woken(loop)) expect(loop.world.state(uuid)).toBe('waiting ParentAbsent');
  });

  test('that comes wakes those that are meant for it, and those of no other, waiting or not', async () => {
    const loop = await settled('gpu0', 'gpu1');
    await loop.world.clock.until(loop.world.kernel.unplug('gpu1'));
    await loop.declare(uuidOf(3), { parent: 'late' });
    await loop.declare(uuidOf(4), { parent: 'gpu1' });
    await loop.declare(uuidOf(5), { parent: 'nowhere' });
    await loop.world.clock.advance(10 * MINUTE_MS);
    loop.ended.length = 0;
    await loop.world.kernel.plug('late');
    await loop.world.clock.advance(5);
    expect(woken(loop)).toEqual([uuidOf(3)]);
    loop.ended.length = 0;
    await loop.world.kernel.plug('gpu1');
    await loop.world.clock.advance(5);
    expect(woken(loop)).toEqual([uuidOf(2), uuidOf(4)]);
    for (const n of [1, 2, 3, 4]) expect(loop.world.state(uuidOf(n))).toBe('ready');
  });

  test('wakes a device that is to move there only once it has left where it is', async () => {
    const loop = await settled('gpu0');
    const replaces = { host: 'host-1', ...PLACE };
    loop.world.kernel.hold(UUID);
    await loop.declare(UUID, { parent: 'late', replaces });
    await loop.world.clock.advance(SECOND_MS);
    expect(loop.world.state()).toContain('InUse');
    loop.ended.length = 0;
    await loop.world.kernel.plug('late');
    await loop.world.clock.advance(0);
    expect(woken(loop)).toEqual([]);
    loop.world.kernel.release(UUID);
    await loop.world.clock.advance(MINUTE_MS);
    expect(loop.world.kernel.device(UUID)).toMatchObject({ parent: 'late', phase: 'complete' });
  });
});

describe("a device's own change", () => {
  test('wakes it alone', async () => {
    const loop = await settled('gpu0', 'gpu0', 'gpu1');
    await loop.world.clock.until(loop.world.kernel.remove(uuidOf(2)));
    await loop.world.clock.advance(SECOND_MS);
    expect(woken(loop)).toEqual([uuidOf(2)]);
    expect(loop.world.last('drift', uuidOf(2))).toMatchObject({ cause: 'Removed' });
  });

  test('wakes nobody when nobody declared it', async () => {
    const loop = await settled('gpu0', 'gpu0');
    await loop.world.clock.until(loop.world.kernel.create(uuidOf(9), PLACE));
    await loop.world.clock.advance(SECOND_MS);
    expect(woken(loop)).toEqual([]);
  });
});

/** Each write announces changes of its own device, some of them only when the pass that wrote has ended. */
describe.each([0, 1, 7, 50, 500])('changes by our own writes, heard of %i ms later,', (lateMs) => {
  /** The one that writes, and one for each change that it announces. */
  const PASSES_MAX = 4;

  test.each([
    ['a create', [], 'ready'],
    ['a create that the driver refuses for good', [{ on: 'probe', errno: E.INVAL }], 'failed'],
  ] as const)('are no reason for many passes: %s', async (_what, faults, state) => {
    const loop = await started({ kernel: { faults: [...faults] } });
    loop.lateMs = lateMs;
    await loop.declare();
    await loop.world.clock.advance(MINUTE_MS);
    expect(loop.world.state()).toContain(state);
    expect(loop.passes()).toBeLessThanOrEqual(PASSES_MAX);
    expect(loop.world.writes.filter((call) => call === 'create')).toHaveLength(1);
  });

  test('are no reason for many passes: a removal', async () => {
    const loop = await settled('gpu0');
    loop.lateMs = lateMs;
    await loop.withdraw();
    await loop.world.clock.advance(MINUTE_MS);
    expect(loop.world.rows()).toEqual([]);
    expect(loop.passes()).toBeLessThanOrEqual(PASSES_MAX);
  });

  test.each([E.AGAIN, E.NOSPC])('bring no create that fails with errno %i forward', async (errno) => {
    const loop = await started({ kernel: { faults: [{ on: 'probe', errno }] } });
    loop.lateMs = lateMs;
    await loop.declare();
    await loop.world.clock.advance(2 * MINUTE_MS);
    const creates = loop.world.writes.filter((call) => call === 'create').length;
    expect(creates).toBeGreaterThan(5);
    expect(creates).toBeLessThan(60);
  });
});

describe('devices that go with their parent', () => {
  function threeOnOne(): Promise<Loop> {
    return settled('gpu0', 'gpu0', 'gpu0', 'gpu1');
  }

  function expectGoneAndBack({ world }: Loop): void {
    for (const uuid of THREE) {
      expect(world.last('drift', uuid)).toMatchObject({ cause: 'ParentGone' });
      expect(world.kinds(uuid).filter((kind) => kind === 'drift')).toHaveLength(1);
      expect(world.state(uuid)).toBe('ready');
      expect(world.kernel.device(uuid)).toMatchObject({ phase: 'complete' });
    }
    expect(world.kinds(uuidOf(4))).toEqual(READY);
  }

  test.each([0, 5, 500])(
    'are recorded with that cause, and are back with it, heard of %i ms later',
    async (lateMs) => {
      const loop = await threeOnOne();
      loop.lateMs = lateMs;
      await loop.world.clock.until(loop.world.kernel.unplug('gpu0'));
      await loop.world.clock.advance(SECOND_MS);
      for (const uuid of THREE) expect(loop.world.state(uuid)).toBe('waiting ParentAbsent');
      await loop.world.kernel.plug('gpu0');
      await loop.world.clock.advance(SECOND_MS);
      expectGoneAndBack(loop);
      expect(loop.foundByResync).toEqual([]);
    },
  );

  test.each([5, 500])(
    'also when it is back before anybody has looked, heard of %i ms later',
    async (lateMs) => {
      const loop = await threeOnOne();
      loop.lateMs = lateMs;
      await loop.world.clock.until(loop.world.kernel.unplug('gpu0'));
      await loop.world.kernel.plug('gpu0');
      await loop.world.clock.advance(SECOND_MS);
      expectGoneAndBack(loop);
    },
  );

  test('also when nothing of it was heard', async () => {
    const loop = await threeOnOne();
    loop.deaf = true;
    await loop.world.clock.until(loop.world.kernel.unplug('gpu0'));
    await loop.world.kernel.plug('gpu0');
    await loop.world.clock.advance(loop.world.limits.resyncMs);
    expectGoneAndBack(loop);
    expect([...loop.foundByResync].sort()).toEqual(THREE);
  });

  test('are not told from those that went before, by themselves, once all that is over', async () => {
    const loop = await threeOnOne();
    await loop.world.clock.until(loop.world.kernel.unplug('gpu0'));
    await loop.world.kernel.plug('gpu0');
    await loop.world.clock.advance(MINUTE_MS);
    await loop.world.clock.until(loop.world.kernel.remove(UUID));
    await loop.world.clock.advance(SECOND_MS);
    expect(loop.world.last('drift')).toMatchObject({ cause: 'Removed' });
  });
});

describe('work that is found by the periodic pass', () => {
  /** The device is gone, and nobody has said so. There is one pass at a time, and it takes a while. */
  async function lost(): Promise<Loop> {
    const loop = await started({ limits: { passesMax: 1 }, kernel: { probeMs: 100 } });
    await loop.declare();
    await loop.world.clock.advance(MINUTE_MS);
    loop.deaf = true;
    await loop.world.clock.until(loop.world.kernel.remove(UUID));
    loop.deaf = false;
    return loop;
  }

  test('and by nothing else is counted', async () => {
    const loop = await lost();
    loop.reconciler.trigger(UUID, 'resync');
    await loop.world.clock.advance(SECOND_MS);
    expect([loop.world.state(), loop.foundByResync]).toEqual(['ready', [UUID]]);
  });

  test.each(['change', 'command', 'declaration'] as const)(
    'and is announced by a %s before its turn is not counted',
    async (why) => {
      for (const triggers of [
        ['resync', why],
        [why, 'resync'],
      ] as const) {
        const loop = await lost();
        await loop.declare(uuidOf(2));
        for (const trigger of triggers) loop.reconciler.trigger(UUID, trigger);
        await loop.world.clock.advance(SECOND_MS);
        expect([loop.world.state(), loop.foundByResync]).toEqual(['ready', []]);
      }
    },
  );

  test('is not what a pass does that was under way already', async () => {
    const loop = await started({ kernel: { probeMs: 1_000 } });
    await loop.declare();
    await loop.world.clock.advance(500);
    loop.reconciler.trigger(UUID, 'resync');
    await loop.world.clock.advance(MINUTE_MS);
    expect([loop.world.state(), loop.foundByResync]).toEqual(['ready', []]);
  });
});
