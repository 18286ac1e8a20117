/**
 * An agent's link to its fleet: who speaks for a host, and what a registry that loses writes does to it.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { LINK_LIMITS } from '../../src/link.ts';
import { MemoryDisk } from '../../store/journal/journal-memory.ts';
import { openFirst, readFleet, reopen } from '../../store/registry/fleet.ts';
import { forceRelease } from '../../store/registry/force.ts';
import { confirmedBy } from '../../store/registry/incarnation.ts';
import { take } from '../../store/registry/reserve.ts';
import { readHold } from '../../store/registry/standing.ts';
import { Fleet, Member, UUID } from './link-world.ts';

const { proveMs, holdsMs, takeGraceMs, joinMsMax, disputeMs } = LINK_LIMITS;
const OPS = { by: 'ops', what: 'all are there', at: '2026-01-01T00:00:00.000Z' };

let fleet: Fleet;
let host: Member;

beforeEach(async () => {
  fleet = new Fleet();
  host = await new Member(fleet, 'host-a').start();
});

/** The state of the fleet. */
async function state(): Promise<string> {
  const found = await readFleet(fleet.registry);
  return found.kind === 'fleet' ? found.state : 'unknown';
}

async function force(): Promise<void> {
  const held = await readHold(fleet.registry, UUID);
  if (held === undefined) throw new Error('nobody holds the UUID');
  await forceRelease(fleet.registry, UUID, held);
}

/** Another host's agent takes the UUID. */
async function takeElsewhere(): Promise<void> {
  const claim = { host: 'host-b', parent: 'p', type: 't' };
  const wish = { claim, generation: { epoch: 1, sequence: 9 }, incarnation: 1, replaces: null };
  expect(await take(fleet.registry, UUID, wish)).toMatchObject({ kind: 'held' });
}

describe('who speaks for a host', () => {
  test('is proved before anything is written, and again on each new connection', async () => {
    expect(host.link.incarnation).toBe(1);
    host.isCutOff = true;
    await host.connect();
    expect(host.link.incarnation).toBeNull();
    host.isCutOff = false;
    await host.pass(LINK_LIMITS.retryDelayMsMax);
    expect(host.link.incarnation).toBe(1);
    expect(host.facts('incarnated')).toHaveLength(1);
  });

  test('an agent that was overtaken ends without a new connection', async () => {
    const clone = new Member(fleet, 'host-a', host.disk.copy());
    await clone.start();
    expect(clone.link.incarnation).toBe(2);
    expect(host.ends).toEqual([]);
    await host.pass(proveMs);
    expect(host.ends).toMatchObject([{ kind: 'overtaken' }]);
    expect(host.link.incarnation).toBeNull();
    await host.pass(10 * proveMs);
    expect(clone.ends).toEqual([]);
  });

  test('a machine with another journal is refused, with both named', async () => {
    const other = new Member(fleet, 'host-a', new MemoryDisk(), 'journal-2');
    await other.start();
    expect(other.ends).toMatchObject([{ kind: 'overtaken', message: expect.stringContaining('journal-2') }]);
    expect(host.ends).toEqual([]);
  });

  test('a journal that was put back ends its agent before that writes anything in the registry', async () => {
    const copy = host.disk.copy();
    await host.record({ kind: 'stopped', v: 1 });
    host.link.kick();
    await host.pass(1_000);
    await host.stop();
    const before = await fleet.registry.read('host.host-a');
    const putBack = await new Member(fleet, 'host-a', copy).start();
    expect(putBack.ends).toMatchObject([{ kind: 'rolled-back' }]);
    expect(putBack.link.incarnation).toBeNull();
    expect(await fleet.registry.read('host.host-a')).toEqual(before);
  });

  test('a settled agent goes on proving without writing anything', async () => {
    await host.hold();
    await host.pass(1_000);
    const [tail, write] = [host.journal.tail().seq, fleet.registry.revision];
    await host.pass(3 * holdsMs);
    expect(host.journal.tail().seq).toBe(tail);
    expect(fleet.registry.revision).toBe(write);
  });
});

describe('a UUID is taken', () => {
  test('only some time after each new connection, in which others may notice a loss', async () => {
    expect(await host.admission()).toBe('joining');
    await host.pass(takeGraceMs);
    expect(await host.admission()).toBe('admitted');
    expect(host.reached).toBe(2);
    await host.connect();
    expect(await host.admission()).toBe('joining');
    await host.pass(takeGraceMs);
    expect(await host.admission()).toBe('admitted');
  });

  test('not while the registry does not answer, which is said only when it takes long', async () => {
    host.isCutOff = true;
    await host.connect();
    expect(await host.admission()).toBe('joining');
    await host.pass(joinMsMax);
    expect(await host.admission()).toBe('unreachable');
  });

  test('not when the registry goes away just then', async () => {
    await host.pass(takeGraceMs);
    host.isCutOff = true;
    expect(await host.admission()).toBe('unreachable');
  });
});

describe('a hold that was taken by force', () => {
  test.each(['reserved', 'active', 'releasing'] as const)(
    'is fenced on the next connection: %s',
    async (phase) => {
      await host.hold(phase);
      await force();
      await host.connect();
      expect(host.phase()).toBe('fenced');
      expect(host.facts('fenced')).toMatchObject([
        { message: expect.stringContaining('by force'), revision: fleet.registry.revision },
      ]);
      expect(host.recorded).toEqual([UUID]);
      expect(await fleet.hold()).toBe('host-a fenced');
      expect(await state()).toBe('open');
    },
  );

  test('is fenced by and by while the connection stays, and says who has it since', async () => {
    await host.hold();
    await force();
    await takeElsewhere();
    await host.pass(holdsMs + proveMs);
    expect(host.facts('fenced')).toMatchObject([{ message: expect.stringContaining('held by host host-b') }]);
    expect(await fleet.hold()).toBe('host-b held');
  });

  test('was given back before, which the journal does not know yet: nothing is recorded', async () => {
    const revision = await host.hold('releasing');
    await fleet.registry.erase(UUID, revision);
    await host.connect();
    await takeElsewhere();
    await host.connect();
    expect(host.phase()).toBe('releasing');
    expect(host.recorded).toEqual([]);
    expect(await state()).toBe('open');
  });
});

describe('a registry that has lost a hold', () => {
  test.each([
    ['active', 'held'],
    ['releasing', 'releasing'],
  ] as const)('stops new reservations, and gets the hold back: %s', async (phase, stands) => {
    await host.pass(takeGraceMs);
    await host.hold(phase);
    fleet.registry.forget(1);
    await host.connect();
    expect(await fleet.hold()).toBe(`host-a ${stands}`);
    expect(host.phase()).toBe(phase);
    expect(host.facts('reasserted')).toHaveLength(1);
    expect(await state()).toBe('rebuilding');
    expect(host.facts('registry')).toMatchObject([
      { state: 'rebuilding', by: 'host-a', what: expect.stringContaining(UUID) },
    ]);
    await fleet.clock.advance(takeGraceMs);
    expect(await host.admission()).toBe('rebuilding');
  });

  test('is noticed by one, and known to all until an operator opens it', async () => {
    const other = await new Member(fleet, 'host-b').start();
    await host.hold();
    fleet.registry.forget(1);
    await host.connect();
    await other.pass(proveMs);
    expect(other.facts('registry')).toMatchObject([{ state: 'rebuilding', by: 'host-a' }]);
    expect(await other.admission()).toBe('rebuilding');

    const rebuilding = await readFleet(fleet.registry);
    const revision = rebuilding.kind === 'fleet' ? rebuilding.revision : 0;
    for (const name of ['host-a', 'host-b']) expect(await confirmedBy(fleet.registry, name)).toBe(revision);
    const reached = other.reached;
    await reopen(fleet.registry, OPS, revision);
    expect(await other.admission()).toBe('admitted');
    expect(other.reached).toBe(reached + 1);
    await host.pass(proveMs);
    for (const one of [host, other]) {
      expect(one.facts('registry')).toMatchObject([{ state: 'rebuilding' }, { state: 'open', by: 'ops' }]);
    }
  });

  test('gives nothing twice: what was taken meanwhile stays, and the old holder says what happened', async () => {
    await host.hold();
    fleet.registry.forget(1);
    await takeElsewhere();
    await host.connect();
    expect(await fleet.hold()).toBe('host-b held');
    expect(host.phase()).toBe('fenced');
    expect(host.facts('fenced')[0]?.message).toMatch(/lost|by a loss/);
  });

  test('is noticed before anything of it is asserted anew, however it ends', async () => {
    await host.hold();
    fleet.registry.forget(1);
    await fleet.registry.write('fleet', new TextEncoder().encode('?'), 0);
    await host.connect();
    expect(host.link.incarnation).toBeNull();
    expect(await fleet.hold()).toBeUndefined();
  });

  test('that has lost who speaks for a host says so, also to an agent that has just started', async () => {
    await host.stop();
    fleet.wipe();
    const next = await new Member(fleet, 'host-a', host.journal.crash()).start();
    expect(next.link.incarnation).toBe(2);
    expect(next.facts('registry')).toMatchObject([
      { state: 'rebuilding', what: expect.stringContaining('incarnation 1 of host host-a') },
    ]);
    const other = await new Member(fleet, 'host-b').start();
    await other.pass(takeGraceMs);
    expect(await other.admission()).toBe('rebuilding');
  });

  test('that was made anew gets back what hosts hold, and is noticed by each of them', async () => {
    const other = await new Member(fleet, 'host-b').start();
    await host.hold();
    fleet.wipe();
    await other.connect();
    expect(other.facts('registry')).toMatchObject([{ state: 'rebuilding', by: 'host-b' }]);
    await host.connect();
    expect(await fleet.hold()).toBe('host-a held');
    expect(host.facts('registry')).toMatchObject([{ by: 'host-b' }]);
  });

  test('and that a UUID was given back has it taken back, to be given back once more', async () => {
    const other = '00000000-0000-4000-8000-000000000002';
    const revision = await host.hold('releasing', other);
    await fleet.registry.erase(other, revision);
    await host.record({ kind: 'gone', v: 1, uuid: other, generation: { epoch: 1, sequence: 1 } });
    await host.hold();
    fleet.registry.forget(2);
    expect(await fleet.hold(other)).toBe('host-a held');
    await host.connect();
    expect(host.journal.device(other).reservation).toMatchObject({ phase: 'reserved', revision });
    expect(host.recorded).toContain(other);
    expect(await fleet.hold()).toBe('host-a held');
  });

  describe('and shows an older holder again', () => {
    let other: Member;

    beforeEach(async () => {
      other = await new Member(fleet, 'host-b').start();
      const revision = await other.hold('releasing');
      await fleet.registry.erase(UUID, revision);
      await other.record({ kind: 'gone', v: 1, uuid: UUID, generation: { epoch: 1, sequence: 1 } });
      await host.hold();
      fleet.registry.forget(2);
      expect(await fleet.hold()).toBe('host-b held');
      await host.connect();
    });

    test('waits for its word: nothing is changed, nor confirmed, until then', async () => {
      expect(host.phase()).toBe('active');
      expect(host.link.dispute(UUID)).toContain('held by host host-b');
      expect(await confirmedBy(fleet.registry, 'host-a')).toBeNull();
      await host.pass(10 * disputeMs);
      expect(host.facts('fenced')).toEqual([]);
    });

    test('gets the hold back once the older holder has given it back once more', async () => {
      await other.connect();
      await fleet.registry.erase(UUID, other.journal.device(UUID).reservation?.revision ?? 0);
      await host.pass(disputeMs);
      expect(await fleet.hold()).toBe('host-a held');
      expect(host.link.dispute(UUID)).toBeNull();
      expect(host.recorded).toContain(UUID);
      expect(await confirmedBy(fleet.registry, 'host-a')).not.toBeNull();
    });

    test('is fenced if the other has confirmed and still holds it', async () => {
      await other.connect();
      await host.pass(disputeMs);
      expect(host.phase()).toBe('fenced');
      expect(host.facts('fenced')[0]?.message).toContain('the UUID was taken since: held by host host-b');
      expect(await fleet.hold()).toBe('host-b held');
    });
  });

  test('that has lost that it was opened again is rebuilding', async () => {
    await host.hold();
    fleet.registry.forget(1);
    await host.connect();
    await reopen(fleet.registry, OPS, (await fleet.registry.read('fleet'))?.revision ?? 0);
    await host.pass(proveMs);
    fleet.registry.forget(1);
    await host.connect();
    expect(await state()).toBe('rebuilding');
    expect(host.facts('registry').map((one) => one.state)).toEqual(['rebuilding', 'open', 'rebuilding']);
  });

  test('that has lost even that it was rebuilding is so again', async () => {
    await host.hold();
    fleet.registry.forget(1);
    await host.connect();
    await reopen(fleet.registry, OPS, (await fleet.registry.read('fleet'))?.revision ?? 0);
    await host.pass(proveMs);
    const seen = host.facts('registry').at(-1)?.revision ?? 0;
    fleet.wipe();
    await openFirst(fleet.registry, OPS);
    await host.pass(proveMs);
    const found = await readFleet(fleet.registry);
    expect(found).toMatchObject({ state: 'rebuilding', value: { by: 'host-a' } });
    expect(found.kind === 'fleet' && found.revision).toBeLessThan(seen);
  });
});
