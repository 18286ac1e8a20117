/**
 * What goes wrong between machines: hosts are cut off, the server goes down, its replicas are behind, its streams
 * are made anew or go back, and disks are put back.
 */
import type { Dice } from './dice.ts';
import type { Cast, Fault } from './fault.ts';
import type { Machine } from './machine.ts';
import { recordsOf } from './records.ts';
import type { ServerStream } from './server-stream.ts';

export const FLEET_FAULTS: readonly Fault[] = [
  {
    name: 'cut off',
    weight: 3,
    strike: ({ world }, machine, dice) => {
      machine.wire.setCut(true);
      world.after(dice.between(10, 60_000), () => machine.wire.setCut(false));
    },
  },
  { name: 'connection lost', weight: 2, strike: (_cast, machine) => machine.wire.drop() },
  { name: 'server restarted', weight: 2, strike: (cast, _machine, dice) => restart(cast, dice) },
  {
    name: 'replicas behind',
    weight: 3,
    strike: ({ world, server }, _machine, dice) => {
      const stream = dice.pick(server.streams);
      stream.lagMs = dice.pick([50, 1_000, 15_000]);
      world.after(dice.between(1_000, 60_000), () => {
        stream.lagMs = 0;
      });
    },
  },
  {
    name: 'desired stream goes back',
    weight: 2,
    strike: (cast, _, dice) => goBack(cast, cast.server.desired, dice),
  },
  {
    name: 'command stream goes back',
    weight: 1,
    strike: (cast, _, dice) => goBack(cast, cast.server.command, dice),
  },
  {
    name: 'observed stream goes back',
    weight: 2,
    strike: (cast, _, dice) => goBack(cast, cast.server.observed, dice),
  },
  { name: 'disk put back', weight: 1, strike: putBack },
];

/** Down at least for a moment, so that every connection drops at once. */
function restart({ world, server }: Cast, dice: Dice): void {
  server.setUp(false);
  world.after(dice.between(1, 20_000), () => server.setUp(true));
}

/**
 * As it was some messages ago, the same stream or another of its name; operators go on at once. Connections drop
 * or not, but where facts are lost they do: a hole that others fill at once is seen by nobody.
 */
function goBack(cast: Cast, stream: ServerStream, dice: Dice): void {
  const { operator, world } = cast;
  const lost = Math.min(stream.length, dice.pick([1, 2, 5, 20, stream.length]));
  const how = dice.pick(['restored', 'restored', 'made anew'] as const);
  const isObserved = stream.name === 'observed';
  if (isObserved || dice.chance(0.8)) restart(cast, dice);
  if (isObserved) for (const machine of cast.machines) machine.putRight();
  stream.rewind(stream.length - lost, how);
  world.note('server', `${stream.name} is ${how} with ${stream.length} messages, without the last ${lost}`);
  for (let act = dice.between(0, 6); act > 0; act -= 1) {
    const own = dice.fork();
    world.after(dice.between(0, 10_000), () => operator.act(own));
  }
}

/** A copy of the disk is put back some time after it was made. Only what the fleet has of a journal tells that. */
function putBack({ world, server }: Cast, machine: Machine, dice: Dice): void {
  const copy = machine.disk.copy();
  world.after(dice.between(5_000, 40_000), () => {
    const known = recordsOf(machine.name, server.observed).at(-1)?.seq ?? 0;
    if (!world.trouble || known <= copy.projections().tail.seq) return;
    world.note(machine.name, 'its disk is put back to an older copy');
    machine.putBack(copy);
  });
}
