/**
 * Passes that write attributes, and what is left of them when a device is lost.
 */
import { describe, expect, test } from 'vitest';
import { PLACE, READY, ready, UUID, World } from './pass-world.ts';

function withAttributes(...names: readonly string[]) {
  return { name: 'small', attributes: names.map((name) => ({ name, accepts: '^[0-9]+$' })) };
}

const EINVAL = 22;

describe('attributes', () => {
  test('are written in order before the device is active', async () => {
    const world = new World({ kernel: { parents: [{ name: 'gpu0', types: [withAttributes('b', 'a')] }] } });
    const attributes = [
      { name: 'b', value: '1' },
      { name: 'a', value: '2' },
      { name: 'b', value: '3' },
    ];
    await world.declare(UUID, { attributes });
    await world.pass();
    expect(world.kinds()).toEqual(['declared', 'claiming', 'reserved', 'configured', 'active']);
    expect(world.kernel.device(UUID)?.attributes).toEqual(attributes);
  });
});

describe('an attribute that is refused', () => {
  const refused = { attributes: [{ name: 'rate', value: 'none' }] };

  test('takes back the device that was made for it, and ends the generation', async () => {
    const world = new World();
    await world.declare(UUID, refused);
    expect(await world.pass()).toMatchObject({ kind: 'terminal' });
    expect(world.kernel.devices()).toEqual([]);
    expect(world.kinds()).toEqual(['declared', 'claiming', 'reserved', 'failed']);
    expect(world.last('failed')).toMatchObject({ reason: 'AttributeRefused', errno: EINVAL });
    expect(await world.hold()).toBe('host-1 gpu0 held');
    const writes = world.writes.length;
    for (let count = 0; count < 3; count += 1) expect(await world.pass()).toMatchObject({ kind: 'terminal' });
    expect(world.writes.length).toBe(writes);
  });

  test('leaves a device alone that was not made for it', async () => {
    const world = new World();
    await world.clock.until(world.kernel.create(UUID, PLACE));
    await world.declare(UUID, refused);
    expect(await world.pass()).toMatchObject({ kind: 'terminal' });
    expect(world.kernel.device(UUID)).toMatchObject({ phase: 'complete' });
  });

  test('leaves a device alone that was ready before', async () => {
    const world = await ready();
    await world.declare(UUID, refused);
    expect(await world.pass()).toMatchObject({ kind: 'terminal' });
    expect(world.kernel.device(UUID)).toMatchObject({ phase: 'complete' });
    expect(world.state()).toBe('failed AttributeRefused');
  });

  test('is forgotten with a better declaration', async () => {
    const world = new World();
    await world.declare(UUID, refused);
    await world.pass();
    await world.declare(UUID, { attributes: [{ name: 'rate', value: '5' }] });
    expect(await world.pass()).toMatchObject({ kind: 'settled' });
    expect(world.state()).toBe('ready');
    expect(world.kernel.device(UUID)?.attributes).toEqual([{ name: 'rate', value: '5' }]);
  });

  test('after others were written, is not forgotten: what was written counts as written', async () => {
    const world = new World({ kernel: { parents: [{ name: 'gpu0', types: [withAttributes('a', 'b')] }] } });
    const old = [
      { name: 'a', value: '1' },
      { name: 'b', value: '1' },
    ];
    await world.declare(UUID, { attributes: old });
    await world.pass();
    const worse = [
      { name: 'a', value: '2' },
      { name: 'b', value: 'bad' },
    ];
    await world.declare(UUID, { attributes: worse });
    expect(await world.pass()).toMatchObject({ kind: 'terminal' });
    await world.declare(UUID, { attributes: old });
    expect(await world.pass()).toMatchObject({ kind: 'settled' });
    expect(world.kernel.device(UUID)?.attributes.at(-1)).toEqual({ name: 'a', value: '1' });
  });
});

const RATED = [{ name: 'rate', value: '5' }];

/** A machine that has booted again, cut off from the registry, on which the device had been ready. */
async function rebooted(attributes: typeof RATED): Promise<World> {
  const before = new World();
  await before.declare(UUID, { attributes });
  await before.pass();
  before.kernel.reboot();
  const world = new World({ after: before, bootIsNew: true });
  world.incarnation = null;
  return world;
}

describe('a device that is gone', () => {
  test('is recorded as drift with its cause, and made again', async () => {
    const world = await ready();
    await world.clock.until(world.kernel.remove(UUID));
    expect(await world.pass()).toMatchObject({ kind: 'settled' });
    expect(world.kinds()).toEqual([...READY, 'drift', 'active']);
    expect(world.last('drift')).toMatchObject({ cause: 'Removed' });
    expect(world.kernel.device(UUID)).toMatchObject({ phase: 'complete' });
  });

  test('and that somebody else made again first, is adopted', async () => {
    const world = await ready();
    await world.clock.until(world.kernel.remove(UUID));
    world.before.set('create', () => world.kernel.create(UUID, PLACE));
    await world.pass();
    expect(await world.pass()).toMatchObject({ kind: 'settled' });
    expect(world.last('active')).toMatchObject({ how: 'adopted' });
  });

  test('with its machine rebooted comes back with all its attributes', async () => {
    const world = await rebooted(RATED);
    expect(await world.pass()).toMatchObject({ kind: 'settled' });
    expect(world.last('drift')).toMatchObject({ cause: 'Rebooted' });
    expect(world.kernel.device(UUID)?.attributes).toEqual(RATED);
  });

  test('with its machine rebooted, and made by somebody else before the agent came, gets its attributes again', async () => {
    const world = await rebooted(RATED);
    await world.clock.until(world.kernel.create(UUID, PLACE));
    expect(await world.pass()).toMatchObject({ kind: 'settled' });
    expect(world.last('drift')).toMatchObject({ cause: 'Rebooted' });
    expect(world.last('active')).toMatchObject({ how: 'adopted' });
    expect(world.kernel.device(UUID)?.attributes).toEqual(RATED);
  });

  test('before it was active has lost its attributes all the same', async () => {
    const attributes = [{ name: 'rate', value: '5' }];
    const before = new World();
    await before.declare(UUID, { attributes });
    const { before: next, journal } = before;
    const crashAtSecondLook = () => next.set('observe', () => next.set('observe', () => journal.crash()));
    next.set('setAttribute', crashAtSecondLook);
    const stopped = before.pass().catch(() => 'crashed');
    await expect(stopped).resolves.toBe('crashed');
    before.kernel.reboot();
    const world = new World({ after: before });
    expect(world.kinds().at(-1)).toBe('configured');
    expect(await world.pass()).toMatchObject({ kind: 'settled' });
    expect(world.kernel.device(UUID)?.attributes).toEqual(attributes);
  });
});
