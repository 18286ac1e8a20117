/**
 * The reservation protocol under every order of events that fast-check finds: a UUID never has two
 * holders, nobody who gave up comes to hold it later, and once faults stop exactly one does.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkHold } from '../../../store/registry/standing.ts';
import { type Agent, type Fault, type Past, type Spell, UUID, World } from './reserve-world.ts';

const HOSTS = ['a', 'b', 'c'];
/** Enough turns for an agent to get from any state to any other. */
const SETTLING_TURNS = 6;

const spell: fc.Arbitrary<Spell> = fc.record({
  turns: fc.integer({ min: 1, max: 3 }),
  crashes: fc.boolean(),
});
const life = fc.array(spell, { maxLength: 6 });
const fault = fc.oneof(
  { weight: 12, arbitrary: fc.constant<Fault>('none') },
  { weight: 2, arbitrary: fc.constantFrom<Fault>('lost', 'answer-lost') },
  { weight: 4, arbitrary: fc.nat({ max: 16 }) },
);
const story = fc.record({
  past: fc.constantFrom<Past>('blank', 'erased', 'tombstone'),
  scheduler: fc.scheduler(),
  faults: fc.array(fault, { maxLength: 60 }),
  lives: fc.tuple(life, life, life),
  forcedReleases: fc.array(fc.nat({ max: 30 }), { maxLength: 2 }),
});

test('UUID namespace is global: a UUID has at most one holder, whatever is lost, late or crashed', async () => {
  await fc.assert(
    fc.asyncProperty(story, async ({ past, scheduler, faults, lives, forcedReleases }) => {
      const world = new World(scheduler, HOSTS, faults);
      await world.begin(past);
      const acts = world.agents.map((agent, index) => agent.live(lives[index] ?? []));
      for (const afterSteps of forcedReleases) acts.push(world.forceRelease(afterSteps));
      await scheduler.waitFor(Promise.all(acts));
      world.stopFaults();
      await settle(world, scheduler);
      await scheduler.waitIdle();
      await expectSettled(world);
    }),
    { numRuns: 2_000 },
  );
});

async function settle(world: World, scheduler: fc.Scheduler): Promise<void> {
  for (let round = 0; round < SETTLING_TURNS; round += 1) {
    for (const agent of world.agents) await scheduler.waitFor(agent.turn());
  }
}

/** Late writes have all arrived by now: whoever gave up must not hold, whoever holds must still. */
async function expectSettled(world: World): Promise<void> {
  expect(world.wentPastFence()).toBe(false);
  const wanting = world.agents.filter((agent) => agent.wanted && agent.journal.phase !== 'fenced');
  const holding = world.agents.filter((agent) => agent.journal.phase === 'reserved');
  const standing = await world.standing();
  if (wanting.length === 0) {
    expect(holding).toEqual([]);
    expect(standing?.phase ?? 'fenced').toBe('fenced');
    return;
  }
  const [holder] = holding;
  expect(holding).toHaveLength(1);
  expect(wanting).toContain(holder);
  expect(standing).toMatchObject({ host: holder?.host, phase: 'held' });
  for (const other of wanting) if (other !== holder) expectConflict(other, holder);
  if (holder) await expectOurs(world, holder);
}

function expectConflict(agent: Agent, holder: Agent | undefined): void {
  expect(agent.answer).toMatchObject({ kind: 'taken', holder: { claim: holder?.claim, phase: 'held' } });
}

async function expectOurs(world: World, holder: Agent): Promise<void> {
  if (holder.journal.phase !== 'reserved') throw new Error(`${holder.host} does not hold`);
  const checked = await checkHold(world.registry, UUID, holder.owner, holder.journal.revision);
  expect(checked.kind).toBe('ours');
}
