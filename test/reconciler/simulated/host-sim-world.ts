/**
 * The contract's world on a simulated kernel: everybody else acts on the kernel directly.
 */
import type { Uuid } from '../../../events/names.ts';
import type { Host, WriteResult } from '../../../reconciler/host.ts';
import type { SimulatedKernel } from '../../../reconciler/simulated/kernel-sim.ts';
import type { KernelConfigInput } from '../../../reconciler/simulated/kernel-sim-config.ts';
import type { HostWorld } from '../host-world.ts';

const types = [
  {
    name: 'small',
    attributes: [
      { name: 'vendor/level', accepts: '^[0-9]+$' },
      { name: 'vendor/secret', reads: 'nothing' as const },
      { name: 'assigned', readOnly: true },
    ],
  },
  { name: 'big', units: 2 },
];

export const CONTRACT_CONFIG: KernelConfigInput = {
  parents: [
    { name: 'p0', units: 4, types },
    { name: 'p1', units: 4, types },
    { name: 'p2', units: 8, instancesMax: 2, types },
  ],
};

export const CONTRACT_DEADLINE_MS = 400;

type Parts = {
  readonly kernel: SimulatedKernel;
  readonly open: () => Promise<Host>;
  readonly close: () => Promise<void>;
};

export async function simulatedWorld({ kernel, open, close }: Parts): Promise<HostWorld> {
  const hosts = [await open()];
  const [host] = hosts as [Host];
  let made = 0;
  return {
    host,
    writeDeadlineMs: CONTRACT_DEADLINE_MS,
    place: { parent: 'p0', type: 'small' },
    capacity: 4,
    otherType: { parent: 'p0', type: 'big' },
    otherParent: { parent: 'p1', type: 'small' },
    otherUnits: 2,
    limited: { parent: 'p2', type: 'small' },
    limitedCapacity: 2,
    attribute: { name: 'vendor/level', value: '7' },
    refused: { name: 'vendor/level', value: 'high' },
    readOnly: { name: 'assigned', value: '1' },
    writeOnly: { name: 'vendor/secret', value: 'x' },
    linked: () => ({ name: 'vfio-dev/vfio0/device/assigned', value: '1' }),
    uuid: () => {
      made += 1;
      return `00000000-0000-4000-8000-${made.toString(16).padStart(12, '0')}`;
    },
    another: async () => {
      const next = await open();
      hosts.push(next);
      return next;
    },
    createBehind: async (uuid, place) => errnoOf(await kernel.create(uuid, place)),
    removeBehind: async (uuid) => errnoOf(await kernel.remove(uuid)),
    hold: async (uuid: Uuid) => {
      if (!kernel.hold(uuid)) throw new Error(`${uuid} cannot be held`);
      return async () => kernel.release(uuid);
    },
    unplug: (parent) => kernel.unplug(parent),
    plug: (parent) => kernel.plug(parent),
    slowProbe: async (parent, delayMs) => kernel.addFault({ on: 'probe', parent, delayMs }),
    slowRemove: async (parent, delayMs) => kernel.addFault({ on: 'remove', parent, delayMs }),
    slowAttribute: async (parent, delayMs) => kernel.addFault({ on: 'attribute', parent, delayMs }),
    isWritten: (uuid) => kernel.device(uuid)?.written === true,
    failProbe: async (parent, errno) => kernel.addFault({ on: 'probe', parent, errno }),
    failAttribute: async (parent, errno) => kernel.addFault({ on: 'attribute', parent, errno }),
    close: async () => {
      for (const one of hosts) await one.close();
      await close();
    },
  };
}

function errnoOf(result: WriteResult): number {
  return result.kind === 'errno' ? result.errno : 0;
}
