/**
 * Devices that are used, and writes that do not return: one boot for both.
 */
import { guestSuite } from './scenario-suite.ts';
import { scenario as stuck } from './stuck.scenario.ts';
import { scenario as use } from './use.scenario.ts';

guestSuite({ title: 'devices in use, and writes that are stuck', scenarios: [use, stuck] });
