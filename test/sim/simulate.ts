/**
 * One simulated run: a fleet, operators, faults for some minutes, then quiet, then the reckoning.
 *
 * What happens is planned first, each item with a chance of its own: without one of them the others
 * stay as they were, so that a run that fails can be made shorter.
 */
import type { Dice } from './dice.ts';
import type { Cast, Fault } from './fault.ts';
import { FAULTS, heal } from './faults.ts';
import { checkSettled } from './invariants.ts';
import { type Bug, Machine } from './machine.ts';
import { Operator } from './operator.ts';
import { Published } from './published.ts';
import { Server } from './server.ts';
import { checkHolds } from './watched-holds.ts';
import { FAIR, type Weather } from './wire.ts';
import { World } from './world.ts';

/** How large and how long a run is; times are virtual. */
const SCALE = {
  hosts: 3,
  uuids: 5,
  acts: 40,
  faults: 25,
  troubleMs: 120_000,
  /** Longer than any delay before something is tried again. */
  settleMs: 700_000,
  quietMs: 600_000,
} as const;

/** Of the kinds of fault, so many do not occur in one run: what is left occurs more often. */
const KINDS_LEFT_OUT = 0.3;
const FATAL_COMMITS_MAX = 0.04;

export type Options = {
  readonly bug?: Bug | undefined;
  /** Of the plan, only the items with these numbers. */
  readonly only?: ReadonlySet<number> | undefined;
  /** No message is lost, late or doubled, and no agent is killed at a commit. */
  readonly calm?: boolean | undefined;
  /** Looks on after every event, and changes nothing. */
  readonly watch?: ((cast: Cast) => void) | undefined;
};

/** What is to happen in a run. */
type Item = { readonly atMs: number; readonly name: string; readonly happen: () => void };

export type Run = {
  readonly seed: number;
  readonly digest: string;
  readonly violations: readonly string[];
  readonly history: readonly string[];
  /** What was planned, by number: time and name. */
  readonly plan: readonly string[];
};

/** Runs the world of this seed. The same seed and options give the same run. */
export async function simulate(seed: number, options: Options = {}): Promise<Run> {
  const world = new World(seed);
  const cast = makeCast(world, options);
  const items = plan(cast);
  for (const [number, { atMs, name, happen }] of items.entries()) {
    if (options.only?.has(number) === false) continue;
    world.after(atMs, () => {
      world.note('plan', `${number}: ${name}`);
      happen();
    });
  }
  const always = (): void => {
    checkHolds(world, cast.machines, cast.server.registry);
    options.watch?.(cast);
  };
  await world.run(SCALE.troubleMs, always);
  world.trouble = false;
  world.note('world', 'faults stop');
  heal(cast);
  await world.run(SCALE.settleMs, always);
  await checkQuiet(cast, always);
  checkSettled(cast);
  const told = items.map(({ atMs, name }, number) => `${number}: ${(atMs / 1_000).toFixed(1)} s ${name}`);
  return { seed, digest: world.digest(), violations: world.violations, history: world.history, plan: told };
}

function makeCast(
  world: World,
  { bug = (parts) => parts, calm = false }: Options,
): Cast & { published: Published } {
  const server = new Server(world);
  const published = new Published();
  const weather = someWeather(world, calm);
  const fatalCommits = calm ? 0 : FATAL_COMMITS_MAX * world.random();
  const hosts = Array.from({ length: SCALE.hosts }, (_, at) => `host-${at + 1}`);
  const machines = hosts.map(
    (name) => new Machine({ world, name, server, published, weather, bug, fatalCommits }),
  );
  const operator = new Operator({ world, server, published, hosts, uuidCount: SCALE.uuids });
  for (const machine of machines) world.after(world.between(0, 1_000), () => machine.start());
  return { world, server, machines, operator, published };
}

function someWeather(dice: Dice, calm: boolean): Weather {
  const weather = {
    loss: 0.08 * dice.random(),
    deafness: 0.3 * dice.random(),
    doubling: 0.05 * dice.random(),
    lateness: 0.5 * dice.random(),
    delayMsMax: 1 + 50 * dice.random(),
  };
  return calm ? FAIR : weather;
}

/** What is to happen, in order of time. */
function plan({ world, ...cast }: Cast): readonly Item[] {
  const sometime = (): number => world.random() * SCALE.troubleMs;
  const kinds = FAULTS.filter(() => !world.chance(KINDS_LEFT_OUT));
  const lots = kinds.flatMap((kind) => Array.from({ length: kind.weight }, () => kind));
  const acts = Array.from({ length: SCALE.acts }, () => {
    const dice = world.fork();
    return { atMs: sometime(), name: 'operator acts', happen: () => cast.operator.act(dice) };
  });
  const faults = Array.from({ length: lots.length === 0 ? 0 : SCALE.faults }, () => {
    return fault({ world, ...cast }, world.pick(lots), sometime());
  });
  return [...acts, ...faults].sort((a, b) => a.atMs - b.atMs);
}

function fault(cast: Cast, { name, strike }: Fault, atMs: number): Item {
  const dice = cast.world.fork();
  const machine = dice.pick(cast.machines);
  return { atMs, name: `fault: ${name} (${machine.name})`, happen: () => strike(cast, machine, dice) };
}

/** A settled fleet writes nothing: not to disks, nor streams, nor the registry, nor sysfs. */
async function checkQuiet({ world, server, machines }: Cast, always: () => void): Promise<void> {
  const written = (): Readonly<Record<string, number>> => ({
    registry: server.registry.writes,
    ...Object.fromEntries(server.streams.map(({ name, length }) => [name, length])),
    ...Object.fromEntries(machines.map(({ name, commits }) => [`journal of ${name}`, commits])),
    ...Object.fromEntries(machines.map(({ name, watched }) => [`sysfs of ${name}`, watched.writes])),
  });
  const before = written();
  await world.run(SCALE.quietMs, always);
  for (const [what, count] of Object.entries(written())) {
    const more = count - (before[what] ?? 0);
    if (more > 0) world.violation(`a settled fleet wrote ${more} times: ${what}`);
  }
}
