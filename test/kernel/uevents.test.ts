/**
 * Boots a real kernel and shows how changes are noticed on it, and what follows from them.
 */
import { guestSuite } from './scenario-suite.ts';
import { scenario } from './uevents.scenario.ts';

guestSuite({ title: 'changes on a real kernel', scenarios: [scenario], edu: 1 });
