/**
 * What goes wrong between machines: hosts are cut off, the server goes down, its replicas are behind, its streams
 * are made anew or go back.
 */
import type { Dice } from './dice.ts';
import type { Cast, Fault } from './fault.ts';
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
];

/** Down at least for a moment, so that every connection drops at once. */
function restart({ world, server }: Cast, dice: Dice): void {
  server.setUp(false);
  world.after(dice.between(1, 20_000), () => server.setUp(true));
}

/**
 * As it was some messages ago, the same stream or another of its name; operators go on at once. Connections drop
 * or not, but where facts are lost they do: a hole that others fill at once is seen by nobody. What a journal will be
 * made again of is not lost.
 */
function goBack(cast: Cast, stream: ServerStream, dice: Dice): void {
  const { operator, world } = cast;
  const lost = Math.min(stream.length, dice.pick([1, 2, 5, 20, stream.length]));
  const how = dice.pick(['restored', 'restored', 'made anew'] as const);
  const isObserved = stream.name === 'observed';
  if (isObserved && cast.server.strangers > 0) return;
  if (isObserved || dice.chance(0.8)) restart(cast, dice);
  if (isObserved) for (const machine of cast.machines) machine.putRight();
  stream.rewind(stream.length - lost, how);
  world.note('server', `${stream.name} is ${how} with ${stream.length} messages, without the last ${lost}`);
  for (let act = dice.between(0, 6); act > 0; act -= 1) {
    const own = dice.fork();
    world.after(dice.between(0, 10_000), () => operator.act(own));
  }
}
