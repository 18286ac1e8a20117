/**
 * A kind of fault in the simulated fleet.
 */
import type { Dice } from './dice.ts';
import type { Machine } from './machine.ts';
import type { Operator } from './operator.ts';
import type { Server } from './server.ts';
import type { World } from './world.ts';

/** Whom faults strike. */
export type Cast = {
  readonly world: World;
  readonly server: Server;
  readonly machines: readonly Machine[];
  readonly operator: Operator;
};

export type Fault = {
  readonly name: string;
  /** How often it is drawn, compared with others. */
  readonly weight: number;
  /** Strikes this machine, or the fleet; all chance comes from the dice. */
  readonly strike: (cast: Cast, machine: Machine, dice: Dice) => void;
};
