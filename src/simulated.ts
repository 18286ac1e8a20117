/**
 * What a simulated machine has unless it is told otherwise: parents as real ones are called.
 *
 * examples/fleet.yaml fits on machines like this one.
 */
import type { Machine } from '../events/fact.ts';
import type { KernelConfigInput } from '../reconciler/simulated/kernel-sim-config.ts';

const HEX = '^(0x)?[0-9a-fA-F]+$';

export const SIMULATED_MACHINE: KernelConfigInput = {
  parents: [
    {
      name: 'mtty',
      units: 24,
      types: [{ name: 'mtty-1' }, { name: 'mtty-2', units: 2 }],
    },
    {
      name: '0000:41:00.0',
      units: 16,
      driver: 'nvidia',
      types: [
        { name: 'nvidia-474', title: 'GRID A100-1-5C' },
        { name: 'nvidia-476', title: 'GRID A100-3-20C', units: 4 },
        { name: 'nvidia-478', title: 'GRID A100-7-40C', units: 16 },
      ],
    },
    {
      name: 'matrix',
      units: 16,
      types: [
        {
          name: 'vfio_ap-passthrough',
          attributes: [
            { name: 'assign_adapter', accepts: HEX },
            { name: 'assign_domain', accepts: HEX },
          ],
        },
      ],
    },
  ],
  probeMs: [2, 20],
  removeMs: [2, 20],
};

/** A journal on a simulated machine is not that of the machine below, nor the other way round. */
export const SIMULATED_IDENTITY: Machine = { machineId: 'simulated', product: null };
