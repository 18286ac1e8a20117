/**
 * What goes wrong on one machine: agents are killed, machines reboot, drivers fail, and other people work on
 * the same kernel.
 */
import type { Dice } from './dice.ts';
import type { Cast, Fault } from './fault.ts';
import { PARENTS, somePlace, strangeUuid } from './inventory.ts';
import type { Machine } from './machine.ts';
import type { World } from './world.ts';

export const MACHINE_FAULTS: readonly Fault[] = [
  { name: 'agent killed', weight: 5, strike: (_cast, machine) => machine.restart() },
  { name: 'agent killed while its device moves', weight: 3, strike: killInAMove },
  {
    name: 'agent stopped',
    weight: 1,
    strike: ({ world }, machine, dice) => {
      const downMs = dice.between(1, 5_000);
      void machine.stop().then(() => world.after(downMs, () => machine.start()));
    },
  },
  {
    name: 'machine reboots',
    weight: 2,
    strike: (_cast, machine) => {
      machine.reboot();
      machine.restart();
    },
  },
  {
    name: 'device removed behind the back',
    weight: 5,
    strike: (_cast, machine, dice) => {
      const ready = machine.kernel.devices().filter((one) => one.phase === 'complete' && !one.held);
      if (ready.length > 0) void machine.kernel.remove(dice.pick(ready).uuid);
    },
  },
  {
    name: 'device opened',
    weight: 4,
    strike: ({ world }, machine, dice) => {
      const devices = machine.kernel.devices();
      if (devices.length === 0) return;
      hold(world, machine, dice.pick(devices).uuid, dice.between(10, 30_000));
    },
  },
  {
    name: 'parent unplugged',
    weight: 3,
    strike: unplug,
  },
  {
    name: 'probes fail',
    weight: 2,
    strike: (_cast, machine, dice) => {
      const errno = dice.pick([11, 517, 28, 5]);
      const parent = dice.pick(PARENTS);
      machine.kernel.addFault({ on: 'probe', parent, errno, first: dice.between(1, 4) });
    },
  },
  {
    name: 'slow removals',
    weight: 2,
    strike: (_cast, machine, dice) => {
      const delayMs = dice.between(1_000, 40_000);
      machine.kernel.addFault({ on: 'remove', parent: dice.pick(PARENTS), delayMs, first: 3 });
    },
  },
  {
    name: 'slow probes',
    weight: 2,
    strike: (_cast, machine, dice) => {
      const delayMs = dice.pick([100, 2_000, 40_000]);
      machine.kernel.addFault({
        on: 'probe',
        parent: dice.pick(PARENTS),
        delayMs,
        first: dice.between(1, 2),
      });
    },
  },
  { name: 'somebody writes an attribute', weight: 4, strike: meddle },
  { name: 'foreign device made', weight: 2, strike: makeForeign },
  { name: 'our UUID made by hand', weight: 2, strike: makeOurs },
  {
    name: 'somebody is faster',
    weight: 3,
    strike: (_cast, machine, dice) => {
      const elsewhere = dice.chance(0.5) ? somePlace(dice) : undefined;
      machine.watched.setTrap((uuid, place) => make(machine, uuid, elsewhere ?? place));
    },
  },
  {
    name: 'disk full',
    weight: 1,
    strike: ({ world }, machine, dice) => {
      const { disk } = machine;
      disk.full = true;
      world.after(dice.between(10, 20_000), () => {
        disk.full = false;
      });
    },
  },
  {
    name: 'wall clock jumps',
    weight: 1,
    strike: (_cast, machine, dice) => {
      machine.clockOffMs = dice.pick([-86_400_000, -3_600_000, 60_000, 86_400_000]);
    },
  },
];

/** Right before or after the operator sends the device on. */
function killInAMove({ world, server, operator }: Cast, machine: Machine, dice: Dice): void {
  const theirs = operator.uuids.filter(
    (uuid) => server.registry.holdOf(uuid)?.hold.claim.host === machine.name,
  );
  if (theirs.length === 0) return;
  const uuid = dice.pick(theirs);
  world.after(dice.between(0, 50), () => machine.restart());
  world.after(dice.between(0, 50), () => operator.journey(dice, uuid));
}

/** While one of its devices is open, a parent does not go; meanwhile an operator may withdraw another. */
function unplug({ world, operator }: Cast, machine: Machine, dice: Dice): void {
  const parent = dice.pick(PARENTS);
  const awayMs = dice.between(100, 30_000);
  const [opened, other] = machine.kernel.devices().filter((one) => one.parent === parent);
  if (opened !== undefined && dice.chance(0.7)) hold(world, machine, opened.uuid, awayMs);
  void machine.kernel.unplug(parent);
  world.after(awayMs, () => void machine.kernel.plug(parent));
  if (other !== undefined && dice.chance(0.9)) operator.withdraw(dice, other.uuid, machine.name);
}

/** Somebody opens the device, and closes it again. */
function hold(world: World, machine: Machine, uuid: string, forMs: number): void {
  if (machine.kernel.hold(uuid)) world.after(forMs, () => machine.kernel.release(uuid));
}

function meddle(_cast: Cast, machine: Machine, dice: Dice): void {
  const configured = machine.kernel
    .devices()
    .filter(
      ({ phase, type, attributes }) => phase === 'complete' && type === 'sim-a' && attributes.length > 0,
    );
  if (configured.length === 0) return;
  const { uuid } = dice.pick(configured);
  machine.meddled.add(uuid);
  void machine.kernel.setAttribute(uuid, { name: 'rate', value: String(dice.between(10, 19)) });
}

function makeForeign(_cast: Cast, machine: Machine, dice: Dice): void {
  make(machine, strangeUuid(dice), somePlace(dice));
}

/** At the place where an agent is about to make it, or at another. */
function makeOurs({ operator }: Cast, machine: Machine, dice: Dice): void {
  const uuids = operator.uuids.filter((uuid) => machine.kernel.device(uuid) === undefined);
  if (uuids.length === 0) return;
  const uuid = dice.pick(uuids);
  const elsewhere = somePlace(dice);
  const desired = machine.disk.projections().devices.get(uuid)?.desired;
  make(machine, uuid, desired?.kind === 'present' && dice.chance(0.5) ? desired.claim : elsewhere);
}

function make(machine: Machine, uuid: string, { parent, type }: ReturnType<typeof somePlace>): void {
  if (machine.kernel.device(uuid) !== undefined) return;
  machine.foreign.set(uuid, { parent, type });
  void machine.kernel.create(uuid, { parent, type }).then(({ kind }) => {
    if (kind !== 'ok' && machine.kernel.device(uuid) === undefined) machine.foreign.delete(uuid);
  });
}
