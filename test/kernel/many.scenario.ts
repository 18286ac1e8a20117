/**
 * Very many devices on one parent, as the bench has them made and removed by the agent: it throws unless each is made
 * once and removed once, all are there in between, and the journal verifies.
 */
import { agentRound } from '../bench/kernel-guest.ts';
import type { Scenario } from './scenario.ts';

const DEVICES = 30;
const CASE_MS_MAX = 200_000;

export const scenario: Scenario = {
  module: import.meta.url,
  caseMsMax: CASE_MS_MAX,
  cases: {
    [`${DEVICES} devices on one parent are made and removed, each once, and the journal verifies`]: () =>
      agentRound(DEVICES),
  },
};
