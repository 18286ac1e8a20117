/**
 * Passes that write attributes, and what is left of them when a device is lost.
 */
import { describe, expect, test } from 'vitest';
import { E } from '../../reconciler/errno-numbers.ts';
import { errnoAnswer, PLACE, READY, ready, UUID, unreadable, World } from './pass-world.ts';

function withAttributes(...names: readonly string[]) {
  return { name: 'small', attributes: names.map((name) => ({ name, accepts: '^[0-9]+$' })) };
}

const HOST_WRITES = new Set(['create', 'setAttribute', 'remove']);

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
    expect(world.last('failed')).toMatchObject({ reason: 'AttributeRefused', errno: E.INVAL });
    expect(await world.hold()).toBe('host-1 gpu0 held');
    const writes = world.writes.length;
    for (let count = 0; count < 3; count += 1) expect(await world.pass()).toMatchObject({ kind: 'terminal' });
    expect(world.writes.length).toBe(writes);
  });

  test('leaves a device alone that somebody else made after its own was taken back', async () => {
    const world = new World();
    await world.declare(UUID, { attributes: [{ name: 'rate', value: 'fast' }] });
    await world.pass();
    expect(world.kernel.devices()).toEqual([]);
    await world.clock.until(world.kernel.create(UUID, PLACE));
    await world.retry();
    await world.pass();
    expect(world.state()).toBe('failed AttributeRefused');
    expect(world.kernel.devices()).toHaveLength(1);
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

describe('an attribute that the device does not have', () => {
  const none = { attributes: [{ name: 'rate_limit', value: '5' }] };

  test('is refused by name, once, and the device that was made for it is taken back', async () => {
    const world = new World();
    await world.declare(UUID, none);
    expect(await world.pass()).toMatchObject({ kind: 'terminal' });
    expect(world.writes.filter((one) => HOST_WRITES.has(one))).toEqual(['create', 'setAttribute', 'remove']);
    expect(world.last('failed')).toMatchObject({ reason: 'AttributeRefused', errno: E.NOENT });
    expect(world.last('failed')?.message).toContain(`${UUID}/rate_limit`);
    expect(world.kernel.devices()).toEqual([]);
  });

  test('because the device has just gone, is no refusal', async () => {
    const world = new World();
    await world.declare(UUID, { attributes: RATED });
    world.before.set('setAttribute', () => world.kernel.remove(UUID));
    expect(await world.pass()).toMatchObject({ kind: 'requeue' });
    expect(await world.pass()).toMatchObject({ kind: 'settled' });
    expect(world.state()).toBe('ready');
  });
});

describe('an attribute whose driver says that there is no such device', () => {
  const attributes = [{ name: 'rate', value: '5' }];
  const denied = (on: object = {}) =>
    new World({ kernel: { faults: [{ on: 'attribute', errno: E.NODEV, ...on }] } });

  test('is refused, once, when the device stands; what was made for it is taken back', async () => {
    const world = denied();
    await world.declare(UUID, { attributes });
    expect(await world.pass()).toMatchObject({ kind: 'terminal' });
    expect(world.state()).toBe('failed AttributeRefused');
    expect(world.last('failed')).toMatchObject({
      errno: E.NODEV,
      message: expect.stringMatching(/rate answered ENODEV \(19\), though the device stands complete; /),
    });
    expect(world.kernel.devices()).toEqual([]);
    const { length } = world.writes;
    expect(await world.pass()).toMatchObject({ kind: 'terminal' });
    expect(world.writes).toHaveLength(length);
  });

  test('is no refusal when it was that of another device, which stood there before', async () => {
    const world = denied({ first: 1 });
    await world.declare(UUID, { attributes });
    expect(await world.pass()).toMatchObject({ kind: 'settled' });
    expect(world.kernel.device(UUID)?.attributes).toEqual(attributes);
    expect(world.writes.filter((one) => one === 'setAttribute')).toHaveLength(2);
  });

  test('is refused, and a device that was ready stays', async () => {
    const world = denied();
    await world.declare();
    await world.pass();
    await world.declare(UUID, { attributes });
    expect(await world.pass()).toMatchObject({ kind: 'terminal' });
    expect(world.state()).toBe('failed AttributeRefused');
    expect(world.kernel.device(UUID)).toMatchObject({ phase: 'complete' });
  });

  test.each([
    { now: 'gone', look: { kind: 'absent', room: null } },
    { now: 'going', look: { kind: 'removing', parent: PLACE.parent } },
    { now: 'elsewhere', look: { kind: 'present', place: { ...PLACE, parent: 'gpu1' } } },
    { now: 'not to be seen', look: unreadable() },
  ])('is written again later when the device is $now', async ({ look }) => {
    const world = denied({ first: 1 });
    await world.declare(UUID, { attributes });
    world.before.set('setAttribute', () => void world.answers.set('observe', () => look));
    expect(await world.pass()).toMatchObject({ kind: 'requeue', why: expect.stringContaining('ENODEV') });
    expect(await world.pass()).toMatchObject({ kind: 'settled' });
    expect(world.state()).toBe('ready');
  });
});

describe('a device that cannot be taken back after a refusal', () => {
  /** A removal in the driver's hands, and one while somebody has the device open. */
  const ways = [
    { by: 'an error', fails: (world: World) => world.answers.set('remove', () => errnoAnswer(E.IO)) },
    { by: 'its use', fails: (world: World) => world.before.set('remove', () => world.kernel.hold(UUID)) },
  ];

  test.each(ways)('because of $by, does not hide the refusal; a retry tries once more', async ({ fails }) => {
    const world = new World();
    await world.declare(UUID, { attributes: [{ name: 'rate', value: 'none' }] });
    fails(world);
    expect(await world.pass()).toMatchObject({ kind: 'terminal' });
    expect(world.last('failed')).toMatchObject({ reason: 'AttributeRefused', errno: E.INVAL });
    expect(world.last('failed')?.message).toMatch(
      /rate answered EINVAL.*taking the device back failed too: remove/,
    );
    const writes = () => world.writes.filter((one) => HOST_WRITES.has(one));
    expect(writes()).toEqual(['create', 'setAttribute', 'remove']);
    await world.pass();
    expect(writes()).toHaveLength(3);

    world.kernel.release(UUID);
    await world.retry();
    for (let count = 0; count < 3; count += 1) expect(await world.pass()).toMatchObject({ kind: 'terminal' });
    expect(writes().slice(3)).toEqual(['setAttribute', 'remove']);
    expect(world.kernel.devices()).toEqual([]);
  });

  test('but was taken back is made exactly once more by a retry', async () => {
    const world = new World();
    await world.declare(UUID, { attributes: [{ name: 'rate', value: 'none' }] });
    await world.pass();
    await world.retry();
    for (let count = 0; count < 3; count += 1) expect(await world.pass()).toMatchObject({ kind: 'terminal' });
    const writes = world.writes.filter((one) => HOST_WRITES.has(one));
    expect(writes).toEqual(['create', 'setAttribute', 'remove', 'create', 'setAttribute', 'remove']);
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
