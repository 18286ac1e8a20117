/**
 * The agent under load: very many devices on one parent, and a few rounds of the hammer.
 */
import { scenario as hammer } from './hammer.scenario.ts';
import { scenario as many } from './many.scenario.ts';
import { guestSuite } from './scenario-suite.ts';

/** On a machine that is busy with other things, too. */
const DEADLINE_MS = 560_000;

guestSuite({
  title: 'under load',
  scenarios: [many, hammer],
  natsServer: true,
  disk: true,
  deadlineMs: DEADLINE_MS,
});
