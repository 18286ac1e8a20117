/**
 * The agent beside other programs that make and remove devices on the same parents.
 */
import { scenario as beside } from './beside.scenario.ts';
import { guestSuite } from './scenario-suite.ts';

guestSuite({ title: 'beside other programs', scenarios: [beside], natsServer: true, disk: true });
