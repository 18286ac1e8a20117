/**
 * The simulation with hooks: whoever is asked takes his time, and refuses now and then while there is trouble.
 */
import { expect, test } from 'vitest';
import { sleep } from '../../reconciler/clock.ts';
import type { Hooks } from '../../reconciler/hooks.ts';
import { spoil } from './bug.ts';
import { overriding } from './overriding.ts';
import { simulate } from './simulate.ts';

const SEEDS = 12;
const ANSWER_MS_MAX = 3_000;
const REFUSALS = 0.3;

/** How often hooks were asked, and refused, in all runs. */
const counts = { asked: 0, refused: 0 };

/** No bug: agents get hooks, and it is wrong to make a device without having asked. */
const withHooks = spoil(({ clock, random, host }, { world, name }) => {
  const allowed = new Set<string>();
  const hooks: Hooks = {
    async before({ uuid, action }) {
      await sleep(clock, random() * ANSWER_MS_MAX);
      counts.asked += 1;
      if (world.trouble && random() < REFUSALS) {
        counts.refused += 1;
        return { kind: 'refused', message: 'not now' };
      }
      allowed.add(`${action} ${uuid}`);
      return { kind: 'allowed', by: 'sim' };
    },
    async after({ uuid, action }) {
      allowed.delete(`${action} ${uuid}`);
      await sleep(clock, random() * ANSWER_MS_MAX);
    },
  };
  const create: typeof host.create = (uuid, place) => {
    if (!allowed.has(`start ${uuid}`)) world.violation(`${name} creates ${uuid}, and has not asked`);
    return host.create(uuid, place);
  };
  return { hooks, host: overriding(host, { create }) };
});

test('seeds hold with hooks, too', async () => {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const { violations } = await simulate(seed, { bug: withHooks });
    expect(violations.map((one) => `seed ${seed}: ${one}`)).toEqual([]);
  }
  expect(counts.asked).toBeGreaterThan(100);
  expect(counts.refused).toBeGreaterThan(10);
});
