/** A short soak; `npm run soak` has longer ones. */
import { expect, test } from 'vitest';
import { soak } from './soak.ts';

const SIZE = { agents: 6, processes: 3, devices: 120, faultsMs: 20_000 };
const TEST_MS_MAX = 240_000;

test('agents and servers are killed at random: one holder each, none lost, all told', {
  timeout: TEST_MS_MAX,
}, async () => {
  const { kills, facts, registryWrites } = await soak(SIZE);
  expect(kills.agents + kills.servers + kills.devices).toBeGreaterThan(0);
  expect(facts).toBeGreaterThan(SIZE.devices);
  expect(registryWrites).toBeGreaterThan(0);
});
