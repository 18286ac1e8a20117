/**
 * What an agent tells of work that nothing had announced.
 */
import { expect, test } from 'vitest';
import { createMemoryStreams } from '../../../events/stream-memory.ts';
import type { Change } from '../../../reconciler/host.ts';
import { RECONCILER_LIMITS } from '../../../reconciler/limits.ts';
import { Agent } from '../../../src/agent/agent.ts';
import { LINK_LIMITS } from '../../../src/agent/link.ts';
import { UUID, World } from '../../reconciler/pass-world.ts';
import { overriding } from '../../sim/overriding.ts';

const MINUTE_MS = 60_000;
const LIMITS = { ...RECONCILER_LIMITS, ...LINK_LIMITS, stopDeadlineMs: 5_000 };

test('work found by the periodic pass only is counted and told; work that a change announced is not', async () => {
  const world = new World();
  const { clock, journal, registry, acting } = world;
  const warnings: object[] = [];
  let isDeaf = false;
  const onChange = (listener: (change: Change) => void) =>
    acting.host.onChange((change) => (isDeaf ? undefined : listener(change)));
  const log = { debug() {}, info() {}, error() {}, warn: (fields: object) => void warnings.push(fields) };
  const streams = createMemoryStreams({ now: () => clock.wall() });
  const host = overriding(acting.host, { onChange });
  const ports = { journal, streams, registry, host, clock, random: () => 0.5, log };
  const given = { prefix: 'mdev', software: 'test', kernel: 'test', bootIsNew: false, limits: LIMITS };
  const agent = new Agent(ports, given);
  await world.declare();
  await clock.until(agent.start());
  await clock.advance(LIMITS.resyncMs + MINUTE_MS);
  expect(world.state()).toBe('ready');
  for (const [deaf, found] of [
    [false, 0],
    [true, 1],
    [false, 1],
    [true, 2],
  ] as const) {
    isDeaf = deaf;
    await clock.until(world.kernel.remove(UUID));
    await clock.advance(MINUTE_MS);
    await clock.advance(LIMITS.resyncMs);
    expect(world.kernel.device(UUID)).toMatchObject({ phase: 'complete' });
    expect(agent.status.foundByResync).toBe(found);
  }
  expect(warnings).toEqual([
    { pass: expect.any(Number), uuid: UUID, found: 1 },
    { pass: expect.any(Number), uuid: UUID, found: 2 },
  ]);
  await clock.until(agent.stop());
});
