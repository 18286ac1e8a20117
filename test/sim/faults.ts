/**
 * All that goes wrong in the simulated fleet, and its end.
 */

import type { Cast, Fault } from './fault.ts';
import { DISK_FAULTS } from './faults-disk.ts';
import { FLEET_FAULTS } from './faults-fleet.ts';
import { MACHINE_FAULTS } from './faults-machine.ts';
import { REGISTRY_FAULTS } from './faults-registry.ts';
import { PARENTS } from './inventory.ts';
import { FAIR } from './wire.ts';

export const FAULTS: readonly Fault[] = [
  ...MACHINE_FAULTS,
  ...DISK_FAULTS,
  ...FLEET_FAULTS,
  ...REGISTRY_FAULTS,
];

/** After so long every command that was published has come in, or is lost. */
const COMMANDED_MS = 60_000;

/** Ends every fault that does not end by itself. */
export function heal({ world, server, machines, operator }: Cast): void {
  server.setUp(true);
  for (const stream of server.streams) stream.lagMs = 0;
  for (const machine of machines) {
    machine.wire.weather = FAIR;
    machine.wire.setCut(false);
    machine.disk.full = false;
    for (const device of machine.kernel.devices()) if (device.held) machine.kernel.release(device.uuid);
    for (const parent of PARENTS) void machine.kernel.plug(parent);
    machine.start();
  }
  const isPaused = (host: string): boolean =>
    machines.some(({ name, disk }) => name === host && disk.projections().positions.paused !== null);
  const isCordoned = (host: string): boolean =>
    machines.some(({ name, disk }) => name === host && disk.projections().positions.cordons.length > 0);
  world.after(COMMANDED_MS, () => {
    operator.resumeAll(isPaused);
    operator.uncordonAll(isCordoned);
  });
}
