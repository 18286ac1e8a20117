/**
 * Boots a real kernel and holds the sysfs host to its contract there.
 */
import { scenario } from './host.scenario.ts';
import { guestSuite } from './scenario-suite.ts';

guestSuite({ title: 'the contract of a host, on a real kernel', scenarios: [scenario] });
