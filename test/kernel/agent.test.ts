/**
 * The agent on a real kernel: one boot with a server, and another, on the same disk, without.
 */
import { scenario as agent } from './agent.scenario.ts';
import { scenario as reboot } from './reboot.scenario.ts';
import { guestSuite } from './scenario-suite.ts';

guestSuite(
  { title: 'the agent on a real kernel', scenarios: [agent], natsServer: true, disk: true },
  { title: 'after a reboot', scenarios: [reboot], disk: true },
);
