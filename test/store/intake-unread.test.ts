/**
 * What cannot be read, or lies, is recorded as such and stops nothing behind it.
 */
import { describe, expect, test } from 'vitest';
import { sha256 } from '../../events/digest.ts';
import { REJECTION_REFILL_MS, REJECTIONS_BURST_MAX } from '../../store/rejections.ts';
import { HOST, UUID, uuidOf, World } from './intake-world.ts';

const EVENT = {
  specversion: '1.0',
  id: 'one',
  source: 'test',
  time: '2026-01-01T00:00:00Z',
  subject: `${HOST}/${UUID}`,
};
const DATA = { uuid: UUID, host: HOST, parent: 'gpu0', type: 'small' };

function event(data: object, more: object = {}): string {
  return JSON.stringify({ ...EVENT, type: 'io.mdevfleet.device.present.v1', ...more, data });
}

async function listening(): Promise<World> {
  const world = new World();
  await world.sync();
  return world;
}

describe('an event that is rejected', () => {
  test.each([
    { what: 'is not JSON', text: 'rubbish', reason: 'not JSON' },
    { what: 'is no event', text: '[]', reason: 'expected object' },
    {
      what: 'is of a type of somebody else',
      text: event(DATA, { type: 'org.example.x.v1' }),
      reason: 'unknown event type',
    },
    { what: 'names another host', text: event({ ...DATA, host: 'host-2' }), reason: 'host-2' },
    { what: 'names another device', text: event({ ...DATA, uuid: uuidOf(2) }), reason: uuidOf(2) },
    {
      what: 'has another subject of its own',
      text: event(DATA, { subject: 'x' }),
      reason: 'its subject is x',
    },
    { what: 'has a field too many', text: event({ ...DATA, color: 'red' }), reason: 'color' },
    { what: 'would leave its folder', text: event({ ...DATA, parent: '../../..' }), reason: 'data.parent' },
    {
      what: 'would write to remove',
      text: event({ ...DATA, attributes: [{ name: 'remove', value: '1' }] }),
      reason: 'name',
    },
    {
      what: 'belongs to another stream',
      text: event({ uuid: UUID, host: HOST }, { type: 'io.mdevfleet.command.retry.v1' }),
      reason: 'does not belong',
    },
  ])('because it $what, is recorded with the reason, and the next one is taken', async ({ text, reason }) => {
    const world = await listening();
    const sequence = await world.raw(text);
    await world.present({ uuid: uuidOf(3) });
    await world.sync();
    expect(world.facts('rejected')).toMatchObject([
      {
        stream: 'desired',
        sequence,
        subject: `mdev.desired.${HOST}.${UUID}`,
        reason: expect.stringContaining(reason),
        digest: sha256(new TextEncoder().encode(text)),
        excerpt: text,
        suppressed: 0,
      },
    ]);
    expect(world.outcomes()).toEqual(['claimed']);
    expect(world.cursor()).toBe(2);
  });

  test('is kept in part only', async () => {
    const world = await listening();
    await world.raw('x'.repeat(5_000));
    await world.sync();
    expect(world.facts('rejected')[0]?.excerpt).toBe('x'.repeat(1_024));
  });

  test('among very many is only counted, and told later', async () => {
    const world = await listening();
    const many = REJECTIONS_BURST_MAX + 68;
    for (let n = 0; n < many; n += 1) await world.raw('rubbish');
    await world.present({ uuid: uuidOf(3) });
    await world.sync();
    expect(world.facts('rejected')).toHaveLength(REJECTIONS_BURST_MAX);
    expect(world.cursor()).toBe(many + 1);
    await world.clock.advance(REJECTION_REFILL_MS);
    await world.raw('more rubbish');
    await world.sync();
    expect(world.facts('rejected').at(-1)).toMatchObject({ excerpt: 'more rubbish', suppressed: 68 });
  });

  test('was the last word on its subject: the words before it still count', async () => {
    const world = await listening();
    await world.present();
    await world.raw('rubbish');
    world.restartEmpty();
    await world.sync();
    expect(world.device().desired).toMatchObject({ kind: 'present', generation: { sequence: 1 } });
    expect(world.facts('rejected')).toMatchObject([{ sequence: 2 }]);
  });
});

describe('an event of a version that this program does not know', () => {
  test('is kept as unsupported, not as rejected, and the next one is taken', async () => {
    const world = await listening();
    await world.raw(event(DATA, { type: 'io.mdevfleet.device.present.v9' }));
    await world.present({ uuid: uuidOf(3) });
    await world.sync();
    expect(world.facts('unsupported')).toMatchObject([
      { stream: 'desired', sequence: 1, type: 'io.mdevfleet.device.present.v9' },
    ]);
    expect(world.facts('rejected')).toEqual([]);
    expect(world.outcomes()).toEqual(['claimed']);
  });

  test('is not limited in rate, since it has to be found again', async () => {
    const world = await listening();
    for (let n = 0; n < 2 * REJECTIONS_BURST_MAX; n += 1)
      await world.raw(event(DATA, { type: 'io.mdevfleet.device.moved.v1' }));
    await world.sync();
    expect(world.facts('unsupported')).toHaveLength(2 * REJECTIONS_BURST_MAX);
  });
});
