/**
 * What goes wrong in the simulated fleet: agents are killed, machines reboot, hosts are cut off, and
 * other people work on the same kernels.
 */
import type { Machine } from './machine.ts';
import { PARENTS, TYPES } from './machine.ts';
import type { Operator } from './operator.ts';
import type { World } from './world.ts';

type Fault = {
  readonly name: string;
  readonly weight: number;
  readonly strike: (world: World, machine: Machine) => void;
};

/** Makes one random fault on a random machine. */
export function strike(world: World, machines: readonly Machine[], operator: Operator): void {
  const all = [...FAULTS, foreign(operator)];
  const machine = world.pick(machines);
  const fault = world.pick(all.flatMap((one) => Array.from({ length: one.weight }, () => one)));
  world.note(machine.name, `fault: ${fault.name}`);
  fault.strike(world, machine);
}

/** Ends every fault that does not end by itself. */
export function heal(machines: readonly Machine[]): void {
  for (const machine of machines) {
    Object.assign(machine.wire.weather, { loss: 0, doubling: 0 });
    machine.wire.setCut(false);
    for (const device of machine.kernel.devices()) if (device.held) machine.kernel.release(device.uuid);
    for (const parent of PARENTS) void machine.kernel.plug(parent);
    machine.start();
  }
}

const FAULTS: readonly Fault[] = [
  { name: 'agent killed', weight: 5, strike: (_world, machine) => machine.restart() },
  {
    name: 'agent stopped',
    weight: 1,
    strike: (world, machine) =>
      void machine.stop().then(() => world.after(world.between(1, 5_000), () => machine.start())),
  },
  {
    name: 'machine reboots',
    weight: 1,
    strike: (_world, machine) => {
      machine.reboot();
      machine.restart();
    },
  },
  {
    name: 'cut off',
    weight: 3,
    strike: (world, machine) => {
      machine.wire.setCut(true);
      world.after(world.between(10, 60_000), () => machine.wire.setCut(false));
    },
  },
  {
    name: 'device removed behind the back',
    weight: 5,
    strike: (world, machine) => {
      const ready = machine.kernel.devices().filter((one) => one.phase === 'complete' && !one.held);
      if (ready.length > 0) void machine.kernel.remove(world.pick(ready).uuid);
    },
  },
  {
    name: 'device opened',
    weight: 2,
    strike: (world, machine) => {
      const devices = machine.kernel.devices();
      if (devices.length === 0) return;
      const { uuid } = world.pick(devices);
      if (machine.kernel.hold(uuid))
        world.after(world.between(10, 30_000), () => machine.kernel.release(uuid));
    },
  },
  {
    name: 'parent unplugged',
    weight: 1,
    strike: (world, machine) => {
      const parent = world.pick(PARENTS);
      void machine.kernel.unplug(parent);
      world.after(world.between(10, 20_000), () => void machine.kernel.plug(parent));
    },
  },
  {
    name: 'probes fail',
    weight: 2,
    strike: (world, machine) => {
      const errno = world.pick([11, 517, 28, 5]);
      machine.kernel.addFault({
        on: 'probe',
        parent: world.pick(PARENTS),
        errno,
        first: world.between(1, 4),
      });
    },
  },
  {
    name: 'slow removals',
    weight: 2,
    strike: (world, machine) => {
      const delayMs = world.between(1_000, 40_000);
      machine.kernel.addFault({ on: 'remove', parent: world.pick(PARENTS), delayMs, first: 3 });
    },
  },
  {
    name: 'a slow probe',
    weight: 1,
    strike: (world, machine) => {
      machine.kernel.addFault({ on: 'probe', parent: world.pick(PARENTS), delayMs: 40_000, first: 1 });
    },
  },
];

/** Somebody makes a device by hand, sometimes with a UUID of ours. */
function foreign(operator: Operator): Fault {
  return {
    name: 'foreign device made',
    weight: 2,
    strike: (world, machine) => {
      const own = `ffffffff-0000-4000-8000-${String(world.between(0, 3)).padStart(12, '0')}`;
      const uuid = world.chance(0.5) ? own : world.pick(operator.uuids);
      const known = machine.journal?.latest(uuid);
      if (known?.reservation || known?.desired?.kind === 'present') return;
      if (machine.kernel.device(uuid) !== undefined) return;
      machine.foreign.add(uuid);
      void machine.kernel.create(uuid, { parent: world.pick(PARENTS), type: world.pick(TYPES) });
    },
  };
}
