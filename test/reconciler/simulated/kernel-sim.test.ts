import { describe, expect, test } from 'vitest';
import { SimulatedKernel } from '../../../reconciler/simulated/kernel-sim.ts';
import { type KernelConfigInput, kernelConfig } from '../../../reconciler/simulated/kernel-sim-config.ts';
import { ManualClock } from '../../manual-clock.ts';

const A = '00000000-0000-4000-8000-00000000000a';
const B = '00000000-0000-4000-8000-00000000000b';
const C = '00000000-0000-4000-8000-00000000000c';
const SMALL = { parent: 'p0', type: 'small' };
const BIG = { parent: 'p0', type: 'big' };
const OTHER = { parent: 'p1', type: 'small' };
const LIMITED = { parent: 'p2', type: 'small' };
const OK = { kind: 'ok' };

const types = [
  { name: 'small', attributes: [{ name: 'vendor/level', accepts: '^[0-9]+$' }] },
  { name: 'big', units: 2 },
];

function start(config: Partial<KernelConfigInput> = {}) {
  const clock = new ManualClock();
  const parents = [
    { name: 'p0', units: 3, types },
    { name: 'p1', units: 3, types },
    { name: 'p2', units: 9, instancesMax: 1, types },
  ];
  let drawn = 0;
  const random = () => {
    drawn = (drawn + 0.37) % 1;
    return drawn;
  };
  const kernel = new SimulatedKernel({ config: kernelConfig.parse({ parents, ...config }), clock, random });
  return { clock, kernel };
}

/** A create that succeeds, to begin with. */
async function made(world: ReturnType<typeof start>, uuid = A, place = SMALL): Promise<void> {
  expect(await world.clock.until(world.kernel.create(uuid, place))).toEqual(OK);
}

function errno(number: number, call = 'write') {
  return expect.objectContaining({ kind: 'errno', errno: number, call });
}

describe('create', () => {
  test('a device is reserved, then on the bus, then complete', async () => {
    const { clock, kernel } = start({ reserveMs: 10, probeMs: 10 });
    const created = kernel.create(A, SMALL);
    expect(kernel.device(A)?.phase).toBe('reserved');
    await clock.advance(10);
    expect(kernel.device(A)?.phase).toBe('incomplete');
    await clock.advance(10);
    expect(kernel.device(A)).toMatchObject({
      phase: 'complete',
      parent: 'p0',
      type: 'small',
      removable: true,
      group: 0,
    });
    expect(await created).toEqual(OK);
  });

  test('the UUID namespace is host-wide: another parent or type gets EEXIST', async () => {
    const world = start();
    await made(world);
    for (const place of [SMALL, BIG, OTHER]) expect(await world.kernel.create(A, place)).toEqual(errno(17));
    expect(world.kernel.devices()).toHaveLength(1);
  });

  test('EEXIST already while the UUID is reserved and nothing is visible', async () => {
    const { clock, kernel } = start({ reserveMs: 10 });
    const first = kernel.create(A, SMALL);
    expect(await kernel.create(A, OTHER)).toEqual(errno(17));
    expect(await clock.until(first)).toEqual(OK);
  });

  test('EEXIST comes before a lack of capacity', async () => {
    const world = start();
    await made(world, A, LIMITED);
    expect(await world.kernel.create(A, LIMITED)).toEqual(errno(17));
    expect(await world.kernel.create(B, LIMITED)).toEqual(errno(87));
  });

  test('of creates of one UUID on several parents at once exactly one wins', async () => {
    const { clock, kernel } = start();
    const places = [SMALL, OTHER, LIMITED];
    const answers = await clock.until(Promise.all(places.map((place) => kernel.create(A, place))));
    expect(answers.filter(({ kind }) => kind === 'ok')).toHaveLength(1);
    expect(answers.filter((answer) => answer.kind === 'errno' && answer.errno === 17)).toHaveLength(2);
  });

  test('types of a parent share one pool, and another parent has its own', async () => {
    const world = start();
    await made(world, A, BIG);
    expect(world.kernel.room(SMALL)).toMatchObject({ kind: 'available', instances: 1 });
    const taken = { count: 1, first: [{ uuid: A, type: 'big' }] };
    expect(world.kernel.room(BIG)).toEqual({ kind: 'available', instances: 0, taken });
    expect(world.kernel.room(OTHER)).toEqual({ kind: 'available', instances: 3, taken: null });
    expect(await world.clock.until(world.kernel.create(B, BIG))).toEqual(errno(28));
    expect(world.kernel.device(B)).toBeUndefined();
  });

  test('a parent or type that is not there gives ENOENT on open', async () => {
    const { kernel } = start();
    expect(await kernel.create(A, { parent: 'none', type: 'small' })).toEqual(errno(2, 'open'));
    expect(await kernel.create(A, { parent: 'p0', type: 'none' })).toEqual(errno(2, 'open'));
    expect(kernel.room({ parent: 'none', type: 'small' })).toEqual({ kind: 'parent-absent' });
    expect(kernel.room({ parent: 'p0', type: 'none' })).toEqual({ kind: 'type-absent' });
  });

  test('a probe that fails leaves nothing behind, and EPROBE_DEFER is told as EAGAIN', async () => {
    const faults = [
      { on: 'probe' as const, uuid: A, errno: 517, first: 2 },
      { on: 'probe' as const, parent: 'p1', errno: 5, every: 2 },
    ];
    const { clock, kernel } = start({ faults });
    expect(await clock.until(kernel.create(A, SMALL))).toEqual(errno(11));
    expect(kernel.device(A)).toBeUndefined();
    expect(await clock.until(kernel.create(A, SMALL))).toEqual(errno(11));
    expect(await clock.until(kernel.create(A, SMALL))).toEqual(OK);
    expect(await clock.until(kernel.create(B, OTHER))).toEqual(OK);
    expect(await clock.until(kernel.create(C, OTHER))).toEqual(errno(5));
    expect(await clock.until(kernel.create(C, OTHER))).toEqual(OK);
  });

  test('group numbers are used again', async () => {
    const world = start();
    await made(world, A);
    await made(world, B);
    await world.clock.until(world.kernel.remove(A));
    await made(world, C);
    expect(world.kernel.device(B)?.group).toBe(1);
    expect(world.kernel.device(C)?.group).toBe(0);
  });
});

describe('remove', () => {
  test('a device is gone from the bus first; until the last trace goes, UUID and capacity are taken', async () => {
    const world = start({ removeMs: 50 });
    const { clock, kernel } = world;
    await made(world, A, BIG);
    const removed = kernel.remove(A);
    await clock.advance(10);
    expect(kernel.device(A)?.phase).toBe('removing');
    expect(await kernel.create(A, OTHER)).toEqual(errno(17));
    const taken = { count: 1, first: [{ uuid: A, type: null }] };
    expect(kernel.room(BIG)).toEqual({ kind: 'available', instances: 0, taken });
    expect(await kernel.remove(A)).toEqual(errno(2, 'open'));
    expect(await clock.until(removed)).toEqual(OK);
    expect(kernel.device(A)).toBeUndefined();
    expect(kernel.room(BIG)).toMatchObject({ kind: 'available', instances: 1 });
  });

  test('written while the create has not returned: EAGAIN, and a device that nobody can remove', async () => {
    const { clock, kernel } = start({ probeMs: 50 });
    const created = kernel.create(A, SMALL);
    await clock.advance(10);
    expect(await kernel.remove(A)).toEqual(errno(11));
    expect(await clock.until(created)).toEqual(OK);
    expect(kernel.device(A)).toMatchObject({ phase: 'complete', removable: false });
    expect(await kernel.remove(A)).toEqual(errno(2, 'open'));
    await clock.until(kernel.unplug('p0'));
    expect(kernel.device(A)).toBeUndefined();
  });

  test('does not return while the device is held', async () => {
    const world = start();
    const { clock, kernel } = world;
    await made(world);
    expect(kernel.hold(A)).toBe(true);
    let answered = false;
    const removed = kernel.remove(A).finally(() => {
      answered = true;
    });
    await clock.advance(3_600_000);
    expect(answered).toBe(false);
    kernel.release(A);
    expect(await clock.until(removed)).toEqual(OK);
  });

  test('a veto of the driver leaves the device as it was', async () => {
    const world = start({ faults: [{ on: 'remove', errno: 16, first: 1 }] });
    await made(world);
    expect(await world.clock.until(world.kernel.remove(A))).toEqual(errno(16));
    expect(world.kernel.device(A)).toMatchObject({ phase: 'complete', removable: true });
    expect(await world.clock.until(world.kernel.remove(A))).toEqual(OK);
  });
});

describe('attributes', () => {
  test('are taken, refused, or not there', async () => {
    const world = start();
    const { kernel, clock } = world;
    await made(world);
    const write = (name: string, value: string) => clock.until(kernel.setAttribute(A, { name, value }));
    expect(await write('vendor/level', '5')).toEqual(OK);
    expect(await write('vendor/level', 'high')).toEqual(errno(22));
    expect(await write('vendor/none', '5')).toEqual(errno(2, 'open'));
    expect(kernel.device(A)?.attributes).toEqual([{ name: 'vendor/level', value: '5' }]);
    expect(await clock.until(kernel.setAttribute(B, { name: 'vendor/level', value: '5' }))).toEqual(
      errno(2, 'open'),
    );
  });
});

describe('parents', () => {
  test('one that goes waits for what is under way, refuses what is new, and takes its devices along', async () => {
    const world = start({ probeMs: 50 });
    const { clock, kernel } = world;
    await made(world, B);
    const created = kernel.create(A, SMALL);
    const gone = kernel.unplug('p0');
    await clock.advance(10);
    expect(await kernel.create(C, SMALL)).toEqual(errno(19));
    expect(await kernel.remove(B)).toEqual(errno(19));
    expect(await clock.until(created)).toEqual(OK);
    await clock.until(gone);
    expect(kernel.devices()).toEqual([]);
    expect(await kernel.create(A, SMALL)).toEqual(errno(2, 'open'));
    await clock.until(kernel.plug('p0'));
    expect(await clock.until(kernel.create(A, SMALL))).toEqual(OK);
  });

  test('one whose device is held cannot go until it is released', async () => {
    const world = start();
    await made(world);
    world.kernel.hold(A);
    const gone = world.kernel.unplug('p0');
    await world.clock.advance(1000);
    expect(world.kernel.device(A)?.phase).toBe('removing');
    expect(world.kernel.room(SMALL)).toEqual({ kind: 'parent-absent' });
    world.kernel.release(A);
    await world.clock.until(gone);
    expect(world.kernel.device(A)).toBeUndefined();
  });
});

describe('the machine', () => {
  test('a reboot leaves no device, another boot id, and no answer to what was under way', async () => {
    const world = start({ probeMs: 50 });
    const { clock, kernel } = world;
    await made(world);
    const before = kernel.bootId;
    let answered = false;
    void kernel.create(B, SMALL).finally(() => {
      answered = true;
    });
    await clock.advance(10);
    kernel.reboot();
    await clock.advance(1000);
    expect(kernel.devices()).toEqual([]);
    expect(kernel.bootId).not.toBe(before);
    expect(kernel.bootId).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(answered).toBe(false);
    await made(world, B);
  });

  test('the same random numbers give the same run', async () => {
    const run = async () => {
      const world = start({
        probeMs: [1, 90],
        removeMs: [1, 90],
        faults: [{ on: 'probe', errno: 5, every: 3 }],
      });
      const told: unknown[] = [];
      world.kernel.onUevent((change) => told.push(change, world.clock.monotonicMs()));
      for (const [uuid, place] of [
        [A, SMALL],
        [B, OTHER],
        [C, BIG],
      ] as const) {
        void world.kernel.create(uuid, place).then((answer) => told.push(answer, world.clock.monotonicMs()));
      }
      await world.clock.advance(40);
      void world.kernel.remove(A).then((answer) => told.push(answer, world.clock.monotonicMs()));
      await world.clock.advance(1000);
      return told;
    };
    const first = await run();
    expect(first.length).toBeGreaterThan(10);
    expect(await run()).toEqual(first);
  });

  test('a configuration says what is wrong with it', () => {
    const bad = kernelConfig.safeParse({
      parents: [{ name: '../p0', types: [] }],
      faults: [{ on: 'reads' }],
    });
    expect(bad.error?.issues.map(({ path }) => path.join('.'))).toEqual([
      'parents.0.name',
      'parents.0.types',
      'faults.0.on',
    ]);
  });
});
