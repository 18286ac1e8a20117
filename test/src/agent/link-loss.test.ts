/**
 * An agent's link to a fleet whose registry loses what it had acknowledged.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { LINK_LIMITS } from '../../../src/agent/link.ts';
import { openFirst, readFleet, reopen } from '../../../store/registry/fleet.ts';
import { confirmedBy } from '../../../store/registry/incarnation.ts';
import { Fleet, Member, UUID } from './link-world.ts';

const { proveMs, takeGraceMs, disputeMs } = LINK_LIMITS;
const OPS = { by: 'ops', what: 'all are there', at: '2026-01-01T00:00:00.000Z' };

let fleet: Fleet;
let host: Member;

beforeEach(async () => {
  fleet = new Fleet();
  host = await new Member(fleet, 'host-a').start();
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
    expect(await fleet.state()).toBe('rebuilding');
    expect(host.facts('registry')).toMatchObject([
      { state: 'rebuilding', by: 'host-a', what: expect.stringContaining(UUID) },
    ]);
    await fleet.clock.advance(takeGraceMs);
    expect(await host.admission()).toBe('rebuilding');
  });

  test('may have it back from an agent that ended before it had recorded so', async () => {
    await host.hold();
    const { value, revision } = (await fleet.registry.read(UUID)) ?? {};
    const again = await fleet.registry.write(UUID, value ?? new Uint8Array(), revision ?? 0);
    const after = { phase: 'active', revision: again.kind === 'written' ? again.revision : null };
    for (const _ of ['the first connection', 'the next one']) {
      await host.connect();
      expect(host.facts('reasserted')).toMatchObject([{ uuid: UUID, revision: after.revision }]);
    }
    expect(host.journal.device(UUID).reservation).toMatchObject(after);
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
    await fleet.takeElsewhere();
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
    expect(await fleet.state()).toBe('rebuilding');
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

describe('a server that has stood still, and has not heard what was written since,', () => {
  const ALL = [UUID, 'fleet', 'host.host-a'] as const;

  /** The registry as it is before the act is what the host is shown after it, on a new connection. */
  async function shownYesterday(...acts: readonly (() => Promise<unknown>)[]): Promise<void> {
    const yesterday = await fleet.remember(...ALL);
    for (const act of acts) await act();
    host.yesterday = yesterday;
    await host.connect();
  }

  async function expectNoLoss(): Promise<void> {
    await host.pass(LINK_LIMITS.retryDelayMsMax);
    expect(host.yesterday).toBeNull();
    expect(host.link.incarnation).not.toBeNull();
    expect(await fleet.state()).toBe('open');
    expect(host.facts('reasserted')).toEqual([]);
    expect(host.facts('registry')).toEqual([]);
  }

  test('is not believed that a hold was lost', async () => {
    await shownYesterday(() => host.hold());
    await expectNoLoss();
    expect(host.phase()).toBe('active');
  });

  test('is not believed that a UUID was not given back', async () => {
    const revision = await host.hold('releasing');
    await shownYesterday(
      () => fleet.registry.erase(UUID, revision),
      () => host.record({ kind: 'gone', v: 1, uuid: UUID, generation: { epoch: 1, sequence: 1 } }),
    );
    await expectNoLoss();
    expect(host.phase()).toBeUndefined();
  });

  test('is not believed that the host never began to speak', async () => {
    await host.stop();
    const yesterday = await fleet.remember(...ALL);
    const second = await new Member(fleet, 'host-a', host.journal.crash()).start();
    await second.stop();
    host = new Member(fleet, 'host-a', second.journal.crash());
    host.yesterday = yesterday;
    await host.start();
    await expectNoLoss();
    expect(host.link.incarnation).toBe(3);
  });

  test('is not believed about the state of the fleet', async () => {
    await openFirst(fleet.registry, OPS);
    await host.hold();
    fleet.registry.forget(1);
    await host.connect();
    const before = await fleet.remember(...ALL);
    await reopen(fleet.registry, OPS, (await fleet.registry.read('fleet'))?.revision ?? 0);
    await host.pass(proveMs);
    host.yesterday = before;
    await host.pass(proveMs);
    expect(await fleet.state()).toBe('open');
    expect(host.facts('registry').map((one) => one.state)).toEqual(['rebuilding', 'open']);
  });
});
