/**
 * Devices that are used: nothing is written to one meanwhile, and whoever uses it is named.
 */
import { guestSuite } from './scenario-suite.ts';
import { scenario as use } from './use.scenario.ts';

guestSuite({ title: 'devices in use', scenarios: [use] });
