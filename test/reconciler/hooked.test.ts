/**
 * Hooks are asked before a device is made or removed, and told afterwards; whoever refuses keeps it from happening.
 */
import { describe, expect, test } from 'vitest';
import { E } from '../../reconciler/errno-numbers.ts';
import type { Allowed, HookAnswer, HookedChange, Hooks } from '../../reconciler/hooks.ts';
import { runPass } from '../../reconciler/pass.ts';
import { errnoAnswer, PLACE, READY, ready, UUID, uuidOf, World } from './pass-world.ts';

const REFUSED: HookAnswer = {
  kind: 'refused',
  message: 'ap-check answered 1 to start: queue 05.0006 is taken',
};
const SECOND = uuidOf(2);

/** Hooks that note what they are asked and told, and allow everything unless a test says otherwise. */
class Noted implements Hooks {
  readonly heard: string[] = [];
  readonly changes: HookedChange[] = [];
  answer: (change: HookedChange) => HookAnswer | Promise<HookAnswer> = () => ({ kind: 'allowed', by: 'ap' });

  async before(change: HookedChange): Promise<HookAnswer> {
    this.heard.push(`pre ${change.action}`);
    this.changes.push(change);
    return this.answer(change);
  }

  async after({ action }: HookedChange, { by }: Allowed, state: string): Promise<void> {
    this.heard.push(`post ${action} ${state} ${by}`);
  }
}

/** A pass with these hooks. */
function pass(world: World, hooks: Hooks, uuid = UUID) {
  const attempt = { count: 0, mayRecordWaiting: true };
  return world.clock.until(runPass({ ...world.acting, hooks }, world.limits, uuid, attempt));
}

function deviceWrites(world: World): readonly string[] {
  return world.writes.filter((call) => call === 'create' || call === 'remove');
}

describe('before a device is made', () => {
  test('hooks are asked with what it will be, and told how it went', async () => {
    const world = new World();
    const hooks = new Noted();
    const attributes = [{ name: 'rate', value: '1' }];
    await world.declare(UUID, { attributes });
    expect(await pass(world, hooks)).toMatchObject({ kind: 'settled' });
    expect(hooks.heard).toEqual(['pre start', 'post start success ap']);
    expect(hooks.changes).toEqual([{ action: 'start', uuid: UUID, place: PLACE, attributes }]);
  });

  test('one who refuses keeps it from being made, and says why; asked again, he may allow it', async () => {
    const world = new World();
    const hooks = new Noted();
    hooks.answer = () => REFUSED;
    await world.declare();
    expect(await pass(world, hooks)).toMatchObject({ kind: 'waiting', reason: 'HookRefused', wake: 'hook' });
    expect(deviceWrites(world)).toEqual([]);
    expect(world.last('waiting')?.message).toMatch(
      /^ap-check answered 1 to start: queue 05.0006 is taken; see/,
    );
    expect(hooks.heard).toEqual(['pre start']);
    hooks.answer = () => ({ kind: 'allowed', by: null });
    expect(await pass(world, hooks)).toMatchObject({ kind: 'settled' });
    expect(hooks.heard.slice(1)).toEqual(['pre start', 'post start success null']);
  });

  test('a create that fails is told as a failure', async () => {
    const world = new World();
    const hooks = new Noted();
    world.answers.set('create', () => errnoAnswer(E.INVAL));
    await world.declare();
    expect(await pass(world, hooks)).toMatchObject({ kind: 'terminal' });
    expect(hooks.heard).toEqual(['pre start', 'post start failure ap']);
  });

  test.each<[string, (world: World) => unknown]>([
    ['withdrawn', (world) => world.withdraw()],
    ['paused', (world) => world.steer('pause')],
    ['cordoned', (world) => world.cordon('cordon')],
    ['made by somebody else', (world) => world.kernel.create(UUID, PLACE)],
  ])('what is %s while they are asked is not made, and told as a failure', async (_, meanwhile) => {
    const world = new World();
    const hooks = new Noted();
    hooks.answer = async () => {
      await meanwhile(world);
      return { kind: 'allowed', by: 'ap' };
    };
    await world.declare();
    await pass(world, hooks);
    expect(deviceWrites(world)).toEqual([]);
    expect(hooks.heard).toEqual(['pre start', 'post start failure ap']);
  });

  test('one who takes for ever holds up no other device of the parent', async () => {
    const world = new World();
    const hooks = new Noted();
    const { promise: never } = Promise.withResolvers<HookAnswer>();
    hooks.answer = ({ uuid }) => (uuid === UUID ? never : { kind: 'allowed', by: null });
    await world.declare();
    await world.declare(SECOND);
    void runPass({ ...world.acting, hooks }, world.limits, UUID, { count: 0, mayRecordWaiting: true });
    expect(await pass(world, hooks, SECOND)).toMatchObject({ kind: 'settled' });
    expect(world.kernel.devices().map(({ uuid }) => uuid)).toEqual([SECOND]);
  });

  test('one that stands there is taken over without a question', async () => {
    const world = new World();
    const hooks = new Noted();
    await world.clock.until(world.kernel.create(UUID, PLACE));
    await world.declare();
    expect(await pass(world, hooks)).toMatchObject({ kind: 'settled' });
    expect(hooks.heard).toEqual([]);
  });
});

describe('while hooks are told', () => {
  test('the device goes on; the next question about it waits, and no other', async () => {
    const world = new World();
    const hooks = new Noted();
    const { promise: heard, resolve: hear } = Promise.withResolvers<void>();
    hooks.after = ({ action, uuid }) => (action === 'start' && uuid === UUID ? heard : Promise.resolve());
    await world.declare();
    expect(await pass(world, hooks)).toMatchObject({ kind: 'settled' });
    await world.withdraw();
    const leaving = pass(world, hooks);
    await world.declare(SECOND);
    expect(await pass(world, hooks, SECOND)).toMatchObject({ kind: 'settled' });
    expect(hooks.heard).toEqual(['pre start', 'pre start']);
    hear();
    expect(await leaving).toMatchObject({ kind: 'settled' });
    expect(hooks.heard).toEqual(['pre start', 'pre start', 'pre stop']);
  });
});

describe('before a device is removed', () => {
  test('one who refuses keeps it, and its UUID; allowed, it goes', async () => {
    const world = await ready();
    const hooks = new Noted();
    hooks.answer = () => REFUSED;
    await world.withdraw();
    expect(await pass(world, hooks)).toMatchObject({ kind: 'waiting', reason: 'HookRefused' });
    expect(world.kernel.device(UUID)).toMatchObject({ phase: 'complete' });
    expect(await world.hold()).toBe('host-1 gpu0 releasing');
    hooks.answer = () => ({ kind: 'allowed', by: 'ap' });
    expect(await pass(world, hooks)).toMatchObject({ kind: 'settled' });
    expect(world.kernel.device(UUID)).toBeUndefined();
    expect(hooks.heard).toEqual(['pre stop', 'pre stop', 'post stop success ap']);
    expect(hooks.changes.at(-1)?.attributes).toEqual([]);
  });

  test('one that somebody began to use while they were asked stays', async () => {
    const world = await ready();
    const hooks = new Noted();
    hooks.answer = () => {
      world.kernel.hold(UUID);
      return { kind: 'allowed', by: 'ap' };
    };
    await world.withdraw();
    expect(await pass(world, hooks)).toMatchObject({ kind: 'waiting', reason: 'InUse' });
    expect(deviceWrites(world)).toEqual(['create']);
    expect(hooks.heard).toEqual(['pre stop', 'post stop failure ap']);
  });
});

test('that a device was taken back, since an attribute was refused, is told without asking', async () => {
  const world = new World();
  const hooks = new Noted();
  await world.declare(UUID, { attributes: [{ name: 'rate', value: 'none' }] });
  expect(await pass(world, hooks)).toMatchObject({ kind: 'terminal' });
  expect(hooks.heard).toEqual(['pre start', 'post start success ap', 'post stop success null']);
  expect(world.kernel.devices()).toEqual([]);
});

test('a settled device asks and tells nobody', async () => {
  const world = await ready();
  const hooks = new Noted();
  expect(await pass(world, hooks)).toMatchObject({ kind: 'settled', steps: 0 });
  expect(hooks.heard).toEqual([]);
  expect(world.kinds()).toEqual(READY);
});
