/**
 * One simulated run: a fleet, operators, faults for some minutes, then quiet, then the reckoning.
 */
import { createMemoryStreams } from '../../events/stream-memory.ts';
import { MemoryRegistry } from '../../store/registry/registry-memory.ts';
import { heal, strike } from './faults.ts';
import { checkAlways, checkSettled } from './invariants.ts';
import { type Bug, Machine } from './machine.ts';
import { Operator } from './operator.ts';
import { World } from './world.ts';

/** How large and how long a run is; times are virtual. */
export type Scale = {
  readonly hosts: number;
  readonly uuids: number;
  readonly acts: number;
  readonly faults: number;
  readonly troubleMs: number;
  readonly quietMs: number;
};

const SCALE: Scale = {
  hosts: 3,
  uuids: 6,
  acts: 40,
  faults: 25,
  troubleMs: 120_000,
  quietMs: 900_000,
};

export type Run = {
  readonly seed: number;
  readonly digest: string;
  readonly violations: readonly string[];
  readonly history: readonly string[];
};

const NO_BUG: Bug = (ports) => ports;

/** Runs the world of this seed. The same seed gives the same run. */
export async function simulate(seed: number, bug: Bug = NO_BUG, scale: Scale = SCALE): Promise<Run> {
  const world = new World(seed);
  const streams = createMemoryStreams({ now: () => world.wall() });
  const registry = new MemoryRegistry(() => world.wall());
  const weather = {
    loss: 0.05 * world.random(),
    doubling: 0.05 * world.random(),
    delayMsMax: 1 + 50 * world.random(),
  };
  const names = Array.from({ length: scale.hosts }, (_, at) => `host-${at + 1}`);
  const fleet = { streams, registry };
  const machines = names.map((name) => new Machine(world, name, fleet, { ...weather }, bug));
  const operator = new Operator(world, streams, names, scale.uuids);
  for (const machine of machines) world.after(world.between(0, 1_000), () => machine.start());
  plan(world, scale, machines, operator);
  const reported = new Set<string>();
  const always = (): void => checkAlways(world, machines, reported);
  await world.run(scale.troubleMs, always);
  world.trouble = false;
  world.note('world', 'faults stop');
  heal(machines);
  await world.run(scale.quietMs, always);
  await checkQuiet(world, machines, always);
  await checkSettled(world, machines, streams, registry);
  return { seed, digest: world.digest(), violations: world.violations, history: world.history };
}

function plan(world: World, scale: Scale, machines: readonly Machine[], operator: Operator): void {
  const sometime = (): number => world.random() * scale.troubleMs;
  for (let act = 0; act < scale.acts; act += 1) world.after(sometime(), () => operator.act());
  for (let fault = 0; fault < scale.faults; fault += 1) {
    world.after(sometime(), () => strike(world, machines, operator));
  }
}

/** A settled fleet writes nothing. */
async function checkQuiet(world: World, machines: readonly Machine[], always: () => void): Promise<void> {
  const tails = (): string => machines.map((one) => one.disk.projections().tail.seq).join(' ');
  const before = tails();
  await world.run(600_000, always);
  if (tails() !== before) world.violation(`a settled fleet recorded more: ${before} became ${tails()}`);
}
