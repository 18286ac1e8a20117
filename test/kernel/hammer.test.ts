/**
 * The agent under load: a few rounds of the hammer, and in a boot of their own very many devices on one parent.
 */
import { scenario as hammer } from './hammer.scenario.ts';
import { scenario as many } from './many.scenario.ts';
import { guestSuite } from './scenario-suite.ts';

/** On a machine that is busy with other things, too. */
const DEADLINE_MS = 560_000;

guestSuite(
  {
    title: 'under the hammer',
    scenarios: [hammer],
    natsServer: true,
    disk: true,
    deadlineMs: DEADLINE_MS,
  },
  { title: 'very many devices', scenarios: [many] },
);
