/**
 * The loop: what gives a device a pass, when the next one is due, and what it costs the others.
 */
import { describe, expect, test } from 'vitest';
import { E } from '../../reconciler/errno-numbers.ts';
import { PLACE, READY, UUID, uuidOf, World } from './pass-world.ts';
import { Loop } from './reconciler-world.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

async function started(options: ConstructorParameters<typeof World>[0] = {}): Promise<Loop> {
  const loop = new Loop(new World(options));
  await loop.start();
  return loop;
}

/** A loop with one device that is ready, and nothing left to do. */
async function settled(options: ConstructorParameters<typeof World>[0] = {}): Promise<Loop> {
  const loop = await started(options);
  await loop.declare();
  await loop.world.clock.advance(MINUTE_MS);
  expect(loop.world.state()).toBe('ready');
  return loop;
}

describe('a device gets a pass', () => {
  test('when it is declared, and when it is withdrawn', async () => {
    const loop = await started();
    await loop.declare();
    await loop.world.clock.advance(100);
    expect(loop.world.state()).toBe('ready');
    await loop.withdraw();
    await loop.world.clock.advance(100);
    expect(loop.world.kernel.devices()).toEqual([]);
    expect(loop.world.rows()).toEqual([]);
  });

  test('when the agent starts', async () => {
    const world = new World();
    await world.declare();
    const loop = new Loop(world);
    await loop.start();
    await world.clock.advance(100);
    expect(world.state()).toBe('ready');
  });

  test('when something changes on the host', async () => {
    const loop = await settled();
    await loop.world.clock.until(loop.world.kernel.remove(UUID));
    await loop.world.clock.advance(100);
    expect(loop.world.kinds()).toEqual([...READY, 'drift', 'active']);
    expect(loop.foundByResync).toEqual([]);
  });

  test('once more when something changes after the look of the pass that it has', async () => {
    const loop = await settled();
    const { world } = loop;
    world.answers.set('observe', async () => {
      await world.kernel.remove(UUID);
      return { kind: 'present', place: PLACE, iommuGroup: 1, removable: true, use: { kind: 'unknown' } };
    });
    loop.reconciler.trigger(UUID, 'command');
    await world.clock.advance(100);
    expect(world.kinds()).toEqual([...READY, 'drift', 'active']);
    expect(loop.foundByResync).toEqual([]);
  });

  test('when nobody can tell what changed', async () => {
    const loop = await settled();
    loop.world.kernel.reboot();
    await loop.world.clock.advance(100);
    expect(loop.world.state()).toBe('ready');
    expect(loop.world.kernel.device(UUID)).toMatchObject({ phase: 'complete' });
  });

  test('when the registry is reached, if it waits for that', async () => {
    const loop = await started();
    loop.world.incarnation = null;
    await loop.declare();
    await loop.world.clock.advance(MINUTE_MS);
    expect(loop.world.state()).toBe('waiting RegistryUnreachable');
    loop.world.incarnation = 1;
    loop.reconciler.registryReached();
    await loop.world.clock.advance(10);
    expect(loop.world.state()).toBe('ready');
  });

  test('now and then, which finds what no change announced, and counts it', async () => {
    const loop = await settled();
    loop.deaf = true;
    await loop.world.clock.until(loop.world.kernel.remove(UUID));
    await loop.world.clock.advance(MINUTE_MS);
    expect(loop.world.kernel.devices()).toEqual([]);
    await loop.world.clock.advance(loop.world.limits.resyncMs);
    expect(loop.world.state()).toBe('ready');
    expect(loop.foundByResync).toEqual([UUID]);
  });

  test('now and then, where a device that waits would have had one anyway', async () => {
    const loop = await started();
    const { world } = loop;
    for (let n = 1; n <= 8; n += 1) await world.clock.until(world.kernel.create(uuidOf(100 + n), PLACE));
    await loop.declare();
    await world.clock.advance(world.limits.resyncMs - world.clock.monotonicMs() - 5);
    void world.kernel.remove(uuidOf(101));
    expect(world.state()).toBe('waiting NoCapacity');
    await world.clock.advance(100);
    expect(world.state()).toBe('ready');
    expect(loop.foundByResync).toEqual([]);
  });

  test('no more once the loop has stopped, and what runs comes to its end', async () => {
    const loop = await started({ kernel: { probeMs: 1_000 } });
    await loop.declare();
    await loop.world.clock.advance(10);
    const stopping = loop.reconciler.stop();
    await loop.declare(uuidOf(2));
    await loop.world.clock.until(stopping);
    expect(loop.world.state()).toBe('ready');
    await loop.world.clock.advance(HOUR_MS);
    expect(loop.passes(uuidOf(2))).toBe(0);
    expect(loop.world.clock.pendingMs).toEqual([]);
  });
});

describe('a host where all is well', () => {
  test('writes nothing, finds nothing by looking over everything, and sets no timer but for that', async () => {
    const loop = await settled();
    await loop.world.clock.until(loop.world.kernel.create(uuidOf(9), PLACE));
    await loop.declare(uuidOf(2), { parent: 'late' });
    await loop.world.clock.advance(MINUTE_MS);
    await loop.withdraw(uuidOf(2));
    await loop.world.clock.advance(MINUTE_MS);
    const [records, writes] = [loop.world.journal.tail().seq, loop.world.writes.length];
    await loop.world.clock.advance(HOUR_MS);
    expect(loop.world.journal.tail().seq).toBe(records);
    expect(loop.world.writes.length).toBe(writes);
    expect(loop.foundByResync).toEqual([]);
    expect(loop.world.clock.pendingMs).toHaveLength(1);
  });
});

describe('a parent that arrives late', () => {
  test('wakes the devices that wait for it at once, and no others', async () => {
    const loop = await settled();
    const waiting = [uuidOf(2), uuidOf(3), uuidOf(4)];
    for (const uuid of waiting) await loop.declare(uuid, { parent: 'late' });
    await loop.world.clock.advance(5 * MINUTE_MS);
    for (const uuid of waiting) expect(loop.world.state(uuid)).toBe('waiting ParentAbsent');
    const passes = loop.passes(UUID);
    await loop.world.kernel.plug('late');
    await loop.world.clock.advance(10);
    for (const uuid of waiting) expect(loop.world.state(uuid)).toBe('ready');
    expect(loop.passes(UUID)).toBe(passes);
    expect(loop.world.kinds(uuidOf(2))).toEqual(['declared', 'claiming', 'reserved', 'waiting', 'active']);
  });

  test('and comes and goes, has its changes recorded no faster than the limit', async () => {
    const loop = await started();
    await loop.declare(UUID, { parent: 'late' });
    await loop.world.clock.advance(MINUTE_MS);
    const before = loop.world.kinds().length;
    for (let turn = 0; turn < 100; turn += 1) {
      loop.world.answers.set('observe', () => ({ kind: 'unreadable', errno: 5, message: 'EIO' }));
      loop.reconciler.trigger(UUID, 'change');
      await loop.world.clock.advance(5);
      loop.reconciler.trigger(UUID, 'change');
      await loop.world.clock.advance(5);
    }
    expect(loop.world.kinds().length - before).toBeLessThanOrEqual(2);
  });
});

describe('a create that fails', () => {
  /** Each failed create makes its device appear and vanish: changes on the host, for that very UUID. */
  test.each([
    { errno: E.AGAIN, state: 'waiting KernelBusy' },
    { errno: E.NOSPC, state: 'waiting NoCapacity' },
    { errno: 5, state: 'waiting KernelError' },
  ])(
    'with errno $errno is tried again with growing delays, though it is announced as a change',
    async (one) => {
      const loop = await started({ kernel: { faults: [{ on: 'probe', errno: one.errno }] } });
      await loop.declare();
      await loop.world.clock.advance(2 * MINUTE_MS);
      expect(loop.world.state()).toBe(one.state);
      const creates = loop.world.writes.filter((write) => write === 'create').length;
      expect(creates).toBeGreaterThan(5);
      expect(creates).toBeLessThan(60);
      expect(loop.world.kinds()).toEqual(['declared', 'claiming', 'reserved', 'waiting']);
    },
  );

  test('is not tried again at once', async () => {
    const loop = await started({ kernel: { faults: [{ on: 'probe', errno: E.AGAIN }] } });
    await loop.declare();
    await loop.world.clock.advance(8);
    expect(loop.world.writes.filter((write) => write === 'create')).toHaveLength(1);
  });

  test('and later succeeds, is as if nothing had been', async () => {
    const loop = await started({ kernel: { faults: [{ on: 'probe', errno: E.AGAIN, first: 3 }] } });
    await loop.declare();
    await loop.world.clock.advance(MINUTE_MS);
    expect(loop.world.kinds()).toEqual(READY);
    expect(loop.reconciler.depth).toEqual({ ready: 0, running: 0, delayed: 0 });
  });

  test('for all devices of one parent, slowly, starves no other parent', async () => {
    const faults = [{ on: 'probe', parent: 'gpu0', errno: E.AGAIN, delayMs: 10_000 }] as const;
    const loop = await started({ kernel: { faults: [...faults] } });
    for (let n = 1; n <= 100; n += 1) await loop.declare(uuidOf(n));
    for (let n = 101; n <= 108; n += 1) await loop.declare(uuidOf(n), { parent: 'gpu1' });
    await loop.world.clock.advance(1_000);
    for (let n = 101; n <= 108; n += 1) expect(loop.world.state(uuidOf(n))).toBe('ready');
    expect(loop.world.state(uuidOf(1))).toBe('waiting');
  });
});

describe('a fault in one pass', () => {
  test('is told, tried again, and keeps nobody else', async () => {
    const loop = await started();
    const fault = new Error('a bug');
    loop.world.before.set('observe', () => Promise.reject(fault));
    await loop.declare();
    await loop.declare(uuidOf(2));
    await loop.world.clock.advance(MINUTE_MS);
    expect(loop.failed).toEqual([fault]);
    for (const uuid of [UUID, uuidOf(2)]) expect(loop.world.state(uuid)).toBe('ready');
  });
});
