/**
 * What happens to the registry: it loses writes that it had acknowledged, and operators take UUIDs by force from
 * hosts that they believe dead.
 */
import { LINK_LIMITS } from '../../src/agent/link.ts';
import { readFleet, reopen } from '../../store/registry/fleet.ts';
import { confirmedBy } from '../../store/registry/incarnation.ts';
import type { Dice } from './dice.ts';
import type { Cast, Fault } from './fault.ts';
import type { Machine } from './machine.ts';
import type { Operator } from './operator.ts';
import type { Server } from './server.ts';

/** How often an operator looks whether the registry can be opened again. */
const REOPEN_MS = 5_000;
/** Hosts that are not there within this time after the registry lost something cannot object to what others take. */
const OBJECTION_MS = 15_000;
const LOOK_MS = 100;
/** Pause before an operator tries to let a host speak again. */
const REBIND_AGAIN_MS = 1_000;

export const REGISTRY_FAULTS: readonly Fault[] = [
  {
    name: 'registry loses writes',
    weight: 1,
    strike: (cast, _machine, dice) => {
      const isClear = cast.server.strangers === 0 && !cast.server.hasForgotten;
      const isWhole = isClear && cast.machines.every((one) => one.running && one.wire.up);
      if (isWhole) lose(cast, dice);
    },
  },
  {
    name: 'release by force',
    weight: 2,
    strike: ({ server, operator }, machine, dice) => {
      if (machine.running && machine.wire.up) return;
      const theirs = heldBy(server, operator, machine);
      if (theirs.length === 0) return;
      operator.force(dice, dice.pick(theirs), machine.name);
    },
  },
  { name: 'host forgotten', weight: 2, strike: forget },
];

function heldBy({ registry }: Server, { uuids }: Operator, { name }: Machine): readonly string[] {
  return uuids.filter((uuid) => {
    const hold = registry.holdOf(uuid)?.hold;
    return hold?.claim.host === name && hold.phase !== 'fenced';
  });
}

/** A host that is away is taken for dead, and all that it holds is released; then it comes back, and is let speak again. */
function forget({ world, server, operator }: Cast, machine: Machine, dice: Dice): void {
  const isThere = machine.running && machine.wire.up;
  const wasThere = server.registry.identityOf(machine.name) !== undefined;
  if (isThere || !wasThere || !server.up || machine.isPutBack || server.strangers > 0) return;
  world.note(machine.name, 'it is forgotten');
  machine.isForgotten = true;
  server.hasForgotten = true;
  server.strangers += 1;
  const theirs = heldBy(server, operator, machine);
  void operator.forget(dice, machine.name, theirs);
  if (dice.chance(0.5)) for (const uuid of theirs) operator.withdraw(dice, uuid, machine.name);
  const rebind = (): void => {
    if (!server.up) return void world.after(REBIND_AGAIN_MS, rebind);
    server.strangers -= 1;
    void operator.rebind(dice, machine.name).then(() => {
      machine.isForgotten = false;
      machine.restart();
    });
  };
  world.after(dice.between(1_000, 40_000), rebind);
}

/** In a power cut, from which the server is back soon. */
function lose(cast: Cast, dice: Dice): void {
  const { world, server } = cast;
  const { registry } = server;
  server.setUp(false);
  const writes = dice.pick([1, 2, 4, 8]);
  world.note('server', `registry loses its last ${writes} writes`);
  void registry.lose(writes).then(() => watchObjections(cast, [...registry.disputed]));
  world.after(dice.between(1, 1_000), () => server.setUp(true));
  mind(cast);
}

/** From now on an operator looks whether the registry is to be opened again. */
export function mind(cast: Cast): void {
  const { registry } = cast.server;
  if (!registry.isMinded) cast.world.after(REOPEN_MS, () => void open(cast));
  registry.isMinded = true;
}

/** Who is not there to object, or too slow, may lose what it holds to another, as if it were dead. */
function watchObjections({ world, server, machines }: Cast, disputed: readonly string[]): void {
  const endMs = world.monotonicMs() + OBJECTION_MS;
  const dueMs = world.monotonicMs() + LINK_LIMITS.takeGraceMs;
  const look = (): void => {
    const isDue = world.monotonicMs() >= dueMs;
    const isAway = machines.some(
      (one) => !one.running || (server.up && !one.wire.up) || (isDue && !one.isReached),
    );
    if (isAway) for (const uuid of disputed) server.registry.given.add(uuid);
    else if (world.monotonicMs() < endMs) world.after(LOOK_MS, look);
  };
  look();
}

/** An operator opens the registry again once every host has confirmed what it holds. */
async function open(cast: Cast): Promise<void> {
  const { world, server, machines } = cast;
  const { registry } = server;
  const fleet = await readFleet(registry);
  if (fleet.kind === 'unknown') return;
  const confirmed = await Promise.all(
    machines.map(({ name }) => confirmedBy(registry, name).catch(() => null)),
  );
  const isSafe = confirmed.every((one) => one === fleet.revision);
  if (server.up && fleet.state === 'rebuilding' && isSafe) {
    world.note('operator', 'opens the registry');
    await reopen(registry, { by: 'sim', what: 'every host has confirmed', at: world.wall() }, fleet.revision);
  }
  world.after(REOPEN_MS, () => void open(cast));
}
