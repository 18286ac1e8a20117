/**
 * Passes that find an attribute otherwise than it was written, and those that cannot tell.
 */
import { describe, expect, test } from 'vitest';
import type { Attribute } from '../../events/names.ts';
import { E } from '../../reconciler/errno-numbers.ts';
import { errnoAnswer, UUID, World, type WorldOptions } from './pass-world.ts';

const ATTRIBUTES = [
  { name: 'rate' },
  { name: 'mode' },
  { name: 'key', reads: 'nothing' as const },
  { name: 'state', reads: 'otherwise' as const },
];
const KERNEL = { parents: [{ name: 'gpu0', types: [{ name: 'small', attributes: ATTRIBUTES }] }] };
const MADE = ['declared', 'claiming', 'reserved', 'configured', 'active'];

/** `rate=5 mode=1` */
function list(said: string): readonly Attribute[] {
  return said.split(' ').map((one) => {
    const [name = '', value = ''] = one.split('=');
    return { name, value };
  });
}

function show(attributes: readonly Attribute[] = []): string {
  return attributes.map(({ name, value }) => `${name}=${value}`).join(' ');
}

/** A world whose device is ready, with these attributes. */
async function ready(said: string, options: WorldOptions = {}): Promise<World> {
  const world = new World({ kernel: KERNEL, ...options });
  await world.declare(UUID, { attributes: list(said) });
  expect(await world.pass()).toMatchObject({ kind: 'settled' });
  expect(world.kinds()).toEqual(MADE);
  return world;
}

/** Somebody else writes to the device. */
async function change(world: World, said: string): Promise<void> {
  for (const one of list(said)) await world.clock.until(world.kernel.setAttribute(UUID, one));
}

/** What is written to the device while this is done. */
async function writesDuring(world: World, act: () => Promise<unknown>): Promise<string> {
  const before = world.kernel.device(UUID)?.attributes.length;
  await act();
  return show(world.kernel.device(UUID)?.attributes.slice(before));
}

const pass = (world: World) => async () => expect(await world.pass()).toMatchObject({ kind: 'settled' });

test('a device that somebody made anew at its place, while no agent looked, gets all its attributes', async () => {
  const before = await ready('rate=5 key=x');
  const place = before.kernel.device(UUID);
  await before.clock.until(before.kernel.remove(UUID));
  if (place !== undefined) await before.clock.until(before.kernel.create(UUID, place));
  const world = new World({ after: before });
  expect(await writesDuring(world, pass(world))).toBe('rate=5 key=x');
  expect(world.last('drift')).toMatchObject({ cause: 'Removed' });
  expect(world.last('active')).toMatchObject({ how: 'adopted' });
  expect(await writesDuring(world, pass(world))).toBe('');
});

describe('an attribute that reads back what was written', () => {
  test('is written again when somebody changes it, and nothing else is', async () => {
    const world = await ready('rate=5 mode=1 key=x');
    expect(world.last('configured')).toMatchObject({ echoing: ['rate', 'mode'] });
    await change(world, 'rate=9');
    expect(await writesDuring(world, pass(world))).toBe('rate=5');
    expect(world.kinds()).toEqual([...MADE, 'drift', 'configured']);
    expect(world.last('drift')).toMatchObject({ cause: 'AttributesChanged', attributes: ['rate'] });
    expect(world.last('configured')).toMatchObject({ echoing: ['rate', 'mode'] });
    expect(world.state()).toBe('ready');
  });

  test('is written again as often as somebody changes it', async () => {
    const world = await ready('rate=5');
    for (let times = 0; times < 3; times += 1) {
      await change(world, 'rate=9');
      expect(await writesDuring(world, pass(world))).toBe('rate=5');
    }
  });

  test('is watched on by the agent that comes next', async () => {
    const world = new World({ after: await ready('rate=5') });
    await change(world, 'rate=9');
    expect(await writesDuring(world, pass(world))).toBe('rate=5');
    expect(world.last('drift')).toMatchObject({ cause: 'AttributesChanged' });
  });

  test('may read as another text for the same number', async () => {
    const world = await ready('rate=0x1F');
    await change(world, 'rate=31');
    expect(await writesDuring(world, pass(world))).toBe('');
    expect(world.kinds()).toEqual(MADE);
  });

  test('is written again among those that repeat, which are not', async () => {
    const world = await ready('rate=5 key=1 key=2');
    await change(world, 'rate=9');
    expect(await writesDuring(world, pass(world))).toBe('rate=5');
    await world.declare(UUID, { attributes: list('rate=5 key=1 key=2 key=3') });
    expect(await writesDuring(world, pass(world))).toBe('key=3');
  });

  test('is written again together with what is declared anew', async () => {
    const world = await ready('rate=5 mode=1');
    await change(world, 'rate=9');
    await world.declare(UUID, { attributes: list('rate=5 mode=2') });
    expect(await writesDuring(world, pass(world))).toBe('mode=2 rate=5');
    expect(world.state()).toBe('ready');
  });

  test('ends its declaration when it is refused now, and the device stays', async () => {
    const world = await ready('rate=5');
    await change(world, 'rate=9');
    world.answers.set('setAttribute', () => errnoAnswer(E.INVAL));
    expect(await world.pass()).toMatchObject({ kind: 'terminal' });
    expect(world.state()).toBe('failed AttributeRefused');
    expect(world.kernel.device(UUID)).toMatchObject({ phase: 'complete' });
  });

  test('is shown as not ready until it is written', async () => {
    const world = await ready('rate=5 mode=1');
    await change(world, 'rate=9 mode=9');
    world.answers.set('setAttribute', () => errnoAnswer(E.AGAIN));
    expect(await world.pass()).toMatchObject({ kind: 'requeue' });
    expect(world.state()).toBe('waiting');
    expect(await writesDuring(world, pass(world))).toBe('rate=5 mode=1');
    expect(world.kinds()).toEqual([...MADE, 'drift', 'configured']);
    expect(world.state()).toBe('ready');
  });

  test('is not written again with the others when only those could not be written', async () => {
    const world = await ready('rate=5 mode=1');
    await change(world, 'rate=9 mode=9');
    const busyAtSecond = () => world.answers.set('setAttribute', () => errnoAnswer(E.AGAIN));
    world.before.set('setAttribute', () => world.before.set('setAttribute', busyAtSecond));
    expect(await writesDuring(world, pass(world))).toBe('rate=5 mode=1');
    expect(world.last('drift')).toMatchObject({ attributes: ['mode'] });
    expect(world.last('configured')).toMatchObject({ echoing: ['rate', 'mode'] });
  });
});

describe('nothing follows from', () => {
  const told = async (world: World) => {
    for (let times = 0; times < 3; times += 1) expect(await writesDuring(world, pass(world))).toBe('');
    return world.kinds();
  };

  test('attributes that read as they were written', async () => {
    expect(await told(await ready('rate=5 mode=1'))).toEqual(MADE);
  });

  test('attributes that cannot be read, repeat, or never read what was written', async () => {
    const world = await ready('key=x mode=1 mode=2 state=on');
    expect(world.last('configured')).toMatchObject({ echoing: [] });
    await change(world, 'key=y mode=9 state=off');
    expect(await told(world)).toEqual(MADE);
  });

  test('one that cannot be read any more', async () => {
    const world = await ready('rate=5');
    await change(world, 'rate=9');
    world.kernel.addFault({ on: 'read', errno: 5 });
    expect(await told(world)).toEqual(MADE);
  });

  test('one whose read hangs, now or when it was written', async () => {
    const world = await ready('rate=5');
    world.kernel.addFault({ on: 'read', delayMs: 1e9 });
    expect(await told(world)).toEqual(MADE);
    const hanging = await ready('rate=5', {
      kernel: { ...KERNEL, faults: [{ on: 'read', delayMs: 1e9 }] },
    });
    expect(hanging.last('configured')).toMatchObject({ echoing: [] });
  });
});

describe('an attribute that does not keep what is written', () => {
  /** From now on it reads these, one after the other, and the last one for ever. */
  function reads(world: World, ...values: readonly string[]): void {
    const left = [...values];
    world.kernel.readAttribute = async () => (left.length > 1 ? left.shift() : left[0]) ?? null;
  }

  test('is not watched any more once it does not read back what was written again', async () => {
    const world = await ready('rate=5');
    reads(world, '9');
    expect(await writesDuring(world, pass(world))).toBe('rate=5');
    expect(world.kinds()).toEqual([...MADE, 'drift', 'configured']);
    expect(world.last('configured')).toMatchObject({ echoing: [] });
    expect(await writesDuring(world, pass(world))).toBe('');
    expect(world.kinds()).toEqual([...MADE, 'drift', 'configured']);
  });

  test('nor once it reads back, and otherwise at the next look', async () => {
    const world = await ready('rate=5 mode=1');
    reads(world, '9', '1', '5', '9', '1');
    expect(await writesDuring(world, pass(world))).toBe('rate=5');
    expect(world.kinds()).toEqual([...MADE, 'drift', 'configured', 'configured']);
    expect(world.last('configured')).toMatchObject({ echoing: ['mode'] });
    expect(await writesDuring(world, pass(world))).toBe('');
    expect(world.state()).toBe('ready');
  });
});
