/**
 * Boots a real kernel and shows how attributes are written and watched there, and what a lack of room leads to.
 */
import { scenario } from './attributes.scenario.ts';
import { guestSuite } from './scenario-suite.ts';

guestSuite({ title: 'attributes and capacity on a real kernel', scenarios: [scenario] });
