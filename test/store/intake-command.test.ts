/**
 * Commands as a host takes them: each once, also from a stream that is not what it was.
 */

import { beforeEach, describe, expect, test } from 'vitest';
import { encodeCommand } from '../../events/codec.ts';
import { HOST, UUID, uuidOf, World } from './intake-world.ts';

async function listening(): Promise<World> {
  const world = new World();
  await world.sync();
  return world;
}

describe('a command', () => {
  test('is recorded once, and told', async () => {
    const world = await listening();
    await world.syncCommands();
    await world.retry({ id: 'again' });
    await world.retry({ id: 'again' });
    await world.syncCommands();
    expect(world.facts('commanded')).toMatchObject([{ uuid: UUID, sequence: 1, command: 'retry' }]);
    expect(world.told).toEqual([UUID]);
    expect(world.journal.positions().command?.sequence).toBe(2);
  });

  test('for the whole host is recorded once, told to all, and remembered until the next', async () => {
    const world = await listening();
    await world.syncCommands();
    await world.steer('pause', { id: 'stop' });
    await world.syncCommands();
    expect(world.told).toEqual([null]);
    expect(world.journal.positions().paused).toMatchObject({ id: 'stop', source: 'test' });
    await world.steer('resume');
    await world.steer('pause', { id: 'stop' });
    await world.syncCommands();
    expect(world.facts('steered').map(({ command }) => command)).toEqual(['pause', 'resume']);
    expect(world.journal.positions().paused).toBeNull();
  });

  test.each(['call', 'forget', 'rebind'] as const)(
    'about the host that changes nothing here is recorded once: %s',
    async (command) => {
      const world = await listening();
      await world.syncCommands();
      const data = { host: HOST, why: 'burnt down' };
      const event = world.event('act');
      const order = command === 'call' ? { command, event, data: { host: HOST } } : { command, event, data };
      for (let times = 0; times < 2; times += 1) {
        const { subject, data } = encodeCommand('mdev', order);
        await world.publish(subject, data, world.streams.command);
        await world.syncCommands();
      }
      const told = command === 'call' ? { command } : { command, why: 'burnt down' };
      expect(world.facts('told')).toMatchObject([told]);
      expect(world.journal.positions().paused).toBeNull();
    },
  );

  test('for a parent, or all of them, is remembered until it is ended, each by itself or all at once', async () => {
    const world = await listening();
    await world.syncCommands();
    const kept = async (): Promise<readonly (string | null)[]> => {
      await world.syncCommands();
      return world.journal.positions().cordons.map(({ parent }) => parent);
    };
    await world.cordon('cordon', 'gpu0');
    await world.cordon('cordon', 'gpu1');
    await world.cordon('cordon', 'gpu0');
    expect(await kept()).toEqual(['gpu1', 'gpu0']);
    expect(world.told).toContain(null);
    await world.cordon('uncordon', 'gpu1');
    await world.cordon('cordon');
    expect(await kept()).toEqual(['gpu0', null]);
    await world.cordon('uncordon', 'gpu0');
    expect(await kept()).toEqual([null]);
    await world.cordon('cordon', 'gpu0');
    await world.cordon('uncordon');
    expect(await kept()).toEqual([]);
    expect(world.facts('cordoned')[0]).toMatchObject({ command: 'cordon', parent: 'gpu0', sequence: 1 });
  });

  test('that was given before this journal began counts: a host that was paused stays so', async () => {
    const world = new World();
    await world.steer('pause', { id: 'stop' });
    await world.retry();
    await world.syncCommands();
    expect(world.journal.positions().paused).toMatchObject({ id: 'stop' });
    expect(world.facts('epoch')).toMatchObject([
      { stream: 'command', cause: 'First', cursor: { sequence: 2 } },
    ]);
  });

  describe('in a stream that went back', () => {
    let world: World;

    beforeEach(async () => {
      world = await listening();
      await world.syncCommands();
      await world.retry({ id: 'first' });
      await world.steer('pause', { id: 'stop' });
      await world.steer('resume', { id: 'go on' });
      await world.syncCommands();
      world.streams.command.truncate(2);
    });

    test('is taken where another one stood before', async () => {
      await world.retry({ id: 'second', uuid: uuidOf(2) });
      await world.steer('pause', { id: 'once more' });
      world.command.reconnected();
      await world.syncCommands();
      expect(world.epochs().at(-1)).toBe('Changed 2');
      expect(world.facts('commanded').map(({ event }) => event.id)).toEqual(['first', 'second']);
      expect(world.journal.positions().paused).toMatchObject({ id: 'once more' });
    });

    test('is not carried out twice, nor undone because the stream has lost it', async () => {
      world.command.reconnected();
      await world.syncCommands();
      expect(world.epochs().at(-1)).toBe('Rewound 2');
      expect(world.facts('commanded')).toHaveLength(1);
      expect(world.facts('steered').map(({ command }) => command)).toEqual(['pause', 'resume']);
      expect(world.journal.positions().paused).toBeNull();
    });
  });
});
