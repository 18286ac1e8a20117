/**
 * On a cordoned parent no new device is made; what was made stays, and is looked after.
 */
import { describe, expect, test } from 'vitest';
import { lastInventory, recordInventory } from '../../reconciler/inventory.ts';
import { PLACE, ready, UUID, World } from './pass-world.ts';

const SELF = { kernel: '6.12.0', labels: {} };

describe('on a cordoned parent', () => {
  test.each([PLACE.parent, null])(
    'what is declared waits without a hold, until it may be made: %s',
    async (parent) => {
      const world = new World();
      await world.cordon('cordon', parent);
      await world.declare();
      expect(await world.pass()).toMatchObject({ kind: 'waiting', reason: 'Cordoned', wake: 'command' });
      expect(world.writes).toEqual([]);
      expect(world.last('waiting')?.message).toMatch(/cordoned by test at .*mdevfleet uncordon/);
      await world.cordon('uncordon', parent);
      expect(await world.pass()).toMatchObject({ kind: 'settled' });
      expect(world.state()).toBe('ready');
    },
  );

  test('a device of another parent is made', async () => {
    const world = new World();
    await world.cordon('cordon', 'another');
    await world.declare();
    expect(await world.pass()).toMatchObject({ kind: 'settled' });
  });

  test('a device that was made stays; what is gone is made again, and what is withdrawn goes', async () => {
    const world = await ready();
    await world.cordon('cordon');
    expect(await world.pass()).toMatchObject({ kind: 'settled', steps: 0 });
    await world.clock.until(world.kernel.remove(UUID));
    expect(await world.pass()).toMatchObject({ kind: 'settled' });
    expect(world.kernel.device(UUID)).toMatchObject({ phase: 'complete' });
    await world.withdraw();
    expect(await world.pass()).toMatchObject({ kind: 'settled' });
    expect(world.kernel.device(UUID)).toBeUndefined();
  });

  test('a hold for which nothing was made yet waits', async () => {
    const world = new World();
    world.before.set('create', () => world.cordon('cordon'));
    world.answers.set('create', () => ({ kind: 'errno', call: 'write', errno: 11 }));
    await world.declare();
    await world.pass();
    expect(await world.pass()).toMatchObject({ kind: 'waiting', reason: 'Cordoned' });
    expect(await world.hold()).toBe('host-1 gpu0 held');
    expect(world.kernel.device(UUID)).toBeUndefined();
  });

  test('a device that stands there is taken over', async () => {
    const world = new World();
    await world.cordon('cordon');
    await world.clock.until(world.kernel.create(UUID, PLACE));
    await world.declare();
    expect(await world.pass()).toMatchObject({ kind: 'settled' });
    expect(world.last('active')).toMatchObject({ how: 'adopted' });
  });

  test('a later agent knows of it', async () => {
    const world = new World();
    await world.cordon('cordon');
    const next = new World({ after: world });
    await next.declare();
    expect(await next.pass()).toMatchObject({ kind: 'waiting', reason: 'Cordoned' });
  });

  test('the host tells the fleet who cordoned it, and when that is over', async () => {
    const world = new World();
    const told = async (): Promise<unknown> => {
      await world.clock.until(recordInventory(world.journal, world.acting.host, SELF));
      return lastInventory(world.journal)?.parents.find(({ name }) => name === PLACE.parent)?.cordoned;
    };
    expect(await told()).toBeUndefined();
    await world.cordon('cordon', PLACE.parent);
    expect(await told()).toBe('test');
    await world.cordon('uncordon');
    expect(await told()).toBeUndefined();
  });
});
