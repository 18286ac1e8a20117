/**
 * Boots a real kernel once and proves on it, without the agent, what the rest of the tests takes for granted of the
 * kernel, of the test driver and of the guest.
 */
import { scenario as create } from './create.scenario.ts';
import { scenario as layout } from './layout.scenario.ts';
import { scenario as loopback } from './loopback.scenario.ts';
import { scenario as node } from './node.scenario.ts';
import { scenario as pci } from './pci.scenario.ts';
import { scenario as races } from './races.scenario.ts';
import { scenario as remove } from './remove.scenario.ts';
import { guestSuite } from './scenario-suite.ts';

guestSuite({
  title: 'a real kernel',
  scenarios: [layout, create, remove, races, node, pci, loopback],
  edu: 2,
  natsServer: true,
});
