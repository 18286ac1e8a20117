/**
 * An agent's link to its fleet: who speaks for a host, when UUIDs are taken, and what force does to a hold.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { LINK_LIMITS } from '../../../src/agent/link.ts';
import { MemoryDisk } from '../../../store/journal/journal-memory.ts';
import { forceRelease } from '../../../store/registry/force.ts';
import { readHold } from '../../../store/registry/standing.ts';
import { Fleet, Member, UUID } from './link-world.ts';

const { proveMs, holdsMs, takeGraceMs, joinMsMax, disputeMs } = LINK_LIMITS;

let fleet: Fleet;
let host: Member;

beforeEach(async () => {
  fleet = new Fleet();
  host = await new Member(fleet, 'host-a').start();
});

async function force(): Promise<void> {
  const held = await readHold(fleet.registry, UUID);
  if (held === undefined) throw new Error('nobody holds the UUID');
  await forceRelease(fleet.registry, UUID, held);
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
      expect(await fleet.state()).toBe('open');
    },
  );

  test('is fenced soon where its host is told of it, though it is told before', async () => {
    await host.hold();
    await host.announceForce();
    await host.pass(disputeMs);
    expect(host.facts('commanded')).toMatchObject([{ command: 'release', why: 'burnt down' }]);
    expect(host.phase()).toBe('active');
    await force();
    await host.pass(disputeMs);
    expect(host.phase()).toBe('fenced');
  });

  test('is fenced by and by while the connection stays, and says who has it since', async () => {
    await host.hold();
    await force();
    await fleet.takeElsewhere();
    await host.pass(holdsMs + proveMs);
    expect(host.facts('fenced')).toMatchObject([{ message: expect.stringContaining('held by host host-b') }]);
    expect(await fleet.hold()).toBe('host-b held');
  });

  test('was given back before, which the journal does not know yet: nothing is recorded', async () => {
    const revision = await host.hold('releasing');
    await fleet.registry.erase(UUID, revision);
    await host.connect();
    await fleet.takeElsewhere();
    await host.connect();
    expect(host.phase()).toBe('releasing');
    expect(host.recorded).toEqual([]);
    expect(await fleet.state()).toBe('open');
  });
});
