/** Which agent speaks for a host. */
import { beforeEach, describe, expect, test } from 'vitest';
import {
  agree,
  confirmedBy,
  confirmHolds,
  raiseIncarnation,
  type Speaker,
  stillOurs,
  vacate,
} from '../../../store/registry/incarnation.ts';
import { RegistryUnavailable } from '../../../store/registry/registry.ts';
import { MemoryRegistry } from '../../../store/registry/registry-memory.ts';
import { down, faulty } from './reserve-fixture.ts';

const KEY = 'host.node-7.example.org';
const AGENT: Speaker = {
  host: 'node-7.example.org',
  journal: 'journal-1',
  machine: { machineId: 'machine-1', product: 'product-1' },
};

let registry: MemoryRegistry;

beforeEach(() => {
  registry = new MemoryRegistry(() => '2026-01-01T00:00:00.000Z');
});

describe('raiseIncarnation', () => {
  test('every start of the same journal on the same machine raises by one', async () => {
    expect(await raiseIncarnation(registry, AGENT, 0)).toEqual({ kind: 'raised', incarnation: 1 });
    expect(await raiseIncarnation(registry, AGENT, 1)).toEqual({ kind: 'raised', incarnation: 2 });
  });

  test('is higher than the journal and the registry know, whichever is behind', async () => {
    expect(await raiseIncarnation(registry, AGENT, 6)).toEqual({ kind: 'raised', incarnation: 7 });
    expect(await raiseIncarnation(registry, AGENT, 2)).toEqual({ kind: 'raised', incarnation: 8 });
  });

  test('a host whose key was erased begins anew from what its journal knows', async () => {
    await registry.erase(KEY, 0);
    expect(await raiseIncarnation(registry, AGENT, 4)).toEqual({ kind: 'raised', incarnation: 5 });
  });

  test.each([
    ['journal', { ...AGENT, journal: 'journal-2' }],
    ['machine', { ...AGENT, machine: { machineId: 'machine-2', product: 'product-1' } }],
    ['product', { ...AGENT, machine: { machineId: 'machine-1', product: 'product-2' } }],
  ])('another %s is refused, with both identities named', async (_what, stranger) => {
    await raiseIncarnation(registry, AGENT, 0);
    const answer = await raiseIncarnation(registry, stranger, 9);
    expect(answer).toMatchObject({ kind: 'other', identity: { journal: 'journal-1', incarnation: 1 } });
    const message = answer.kind === 'other' ? answer.message : '';
    for (const { journal, machine } of [AGENT, stranger]) {
      expect(message).toContain(`journal ${journal} on machine ${machine.machineId}`);
      expect(message).toContain(`product ${machine.product}`);
    }
    expect(await registry.read(KEY)).toMatchObject({ revision: 1 });
  });

  test('of two that start at once one is raised, and the other asks again', async () => {
    const answers = await Promise.all([
      raiseIncarnation(registry, AGENT, 0),
      raiseIncarnation(registry, AGENT, 0),
    ]);
    expect(answers.map((one) => one.kind)).toEqual(['raised', 'unknown']);
    expect(await raiseIncarnation(registry, AGENT, 0)).toEqual({ kind: 'raised', incarnation: 2 });
  });

  test('asked again after a lost answer, it raises once more', async () => {
    const lossy = faulty(registry, {
      write: async (...write) => {
        await registry.write(...write);
        return { kind: 'unknown', cause: 'no answer' };
      },
    });
    expect(await raiseIncarnation(lossy, AGENT, 0)).toEqual({ kind: 'unknown', cause: 'no answer' });
    expect(await raiseIncarnation(registry, AGENT, 0)).toEqual({ kind: 'raised', incarnation: 2 });
  });

  test('an unreachable registry, or a value that is no identity, is unknown', async () => {
    expect(await raiseIncarnation(faulty(registry, { read: down }), AGENT, 0)).toMatchObject({
      kind: 'unknown',
    });
    await registry.write(KEY, new TextEncoder().encode('?'), 0);
    const answer = await raiseIncarnation(registry, AGENT, 0);
    expect(answer).toMatchObject({ kind: 'unknown' });
    expect(String(answer.kind === 'unknown' && answer.cause)).toContain(KEY);
  });
});

describe('stillOurs', () => {
  beforeEach(() => raiseIncarnation(registry, AGENT, 0));

  test('says so until a later start', async () => {
    expect(await stillOurs(registry, AGENT, 1)).toEqual({ kind: 'ours' });
    await raiseIncarnation(registry, AGENT, 1);
    expect(await stillOurs(registry, AGENT, 1)).toEqual({ kind: 'overtaken', incarnation: 2 });
  });

  test('another journal that speaks for the host is named', async () => {
    const stranger = { ...AGENT, journal: 'journal-2' };
    expect(await stillOurs(registry, stranger, 1)).toMatchObject({
      kind: 'other',
      identity: { journal: 'journal-1' },
    });
  });

  test('what was acknowledged and is not there was lost', async () => {
    expect(await stillOurs(registry, AGENT, 2)).toEqual({ kind: 'lost' });
    await registry.erase(KEY, 1);
    expect(await stillOurs(registry, AGENT, 1)).toEqual({ kind: 'lost' });
  });

  test('an unreachable registry is unknown', async () => {
    expect(await stillOurs(faulty(registry, { read: down }), AGENT, 1)).toMatchObject({ kind: 'unknown' });
  });
});

describe('agree', () => {
  const value = async () => (await registry.read(KEY))?.value ?? null;

  test.each(['never written', 'raised', 'erased'])('writes what stands there once more: %s', async (how) => {
    if (how !== 'never written') await raiseIncarnation(registry, AGENT, 0);
    if (how === 'erased') await registry.erase(KEY, 1);
    const [before, revision] = [await value(), registry.revision];
    expect(await agree(registry, AGENT.host)).toEqual({ kind: 'agreed' });
    expect(await value()).toEqual(before);
    expect(registry.revision).toBe(revision + 1);
  });

  test('is not had from a server that shows what was before, nor without an answer', async () => {
    const before = await registry.read(KEY);
    await raiseIncarnation(registry, AGENT, 0);
    const stale = { read: async () => before };
    expect(await agree(faulty(registry, stale), AGENT.host)).toMatchObject({ kind: 'unknown' });
    const shown = await registry.read(KEY);
    const still = { read: async () => shown };
    const answer = await agree(faulty(registry, still), AGENT.host);
    expect(answer.kind === 'unknown' && answer.cause).toBeInstanceOf(RegistryUnavailable);
    expect(await agree(faulty(registry, { read: down }), AGENT.host)).toMatchObject({ kind: 'unknown' });
    const silent = { write: async () => ({ kind: 'unknown', cause: 'no answer' }) as const };
    expect(await agree(faulty(registry, silent), AGENT.host)).toMatchObject({ kind: 'unknown' });
  });
});

describe('vacate', () => {
  const BY = { by: 'ops', why: 'burnt down', at: '2026-01-01T00:00:00.000Z' };
  const NEXT = { ...AGENT, journal: 'journal-2', machine: { machineId: 'machine-2', product: null } };
  const raised = (speaker: Speaker, last = 0) => raiseIncarnation(registry, speaker, last);

  test('of a host for which nobody ever spoke does nothing', async () => {
    expect(await vacate(registry, AGENT.host, { as: 'forgotten', ...BY })).toEqual({ kind: 'never' });
    expect(registry.revision).toBe(0);
  });

  test('for good keeps everybody out, and tells who did it, why, and the way back', async () => {
    await raised(AGENT);
    expect(await vacate(registry, AGENT.host, { as: 'forgotten', ...BY })).toEqual({ kind: 'done' });
    for (const answer of [await stillOurs(registry, AGENT, 1), await raised(AGENT, 1), await raised(NEXT)]) {
      expect(answer.kind).toBe('other');
      const message = answer.kind === 'other' ? answer.message : '';
      for (const part of ['ops', 'burnt down', `rebind ${AGENT.host}`]) expect(message).toContain(part);
    }
    const { revision } = registry;
    expect(await vacate(registry, AGENT.host, { as: 'forgotten', ...BY })).toEqual({ kind: 'done' });
    expect(registry.revision).toBe(revision);
  });

  test.each(['forgotten', 'open'] as const)(
    'lets whoever comes next speak, and nobody after: %s',
    async (as) => {
      await raised(AGENT);
      await vacate(registry, AGENT.host, { as, ...BY });
      await vacate(registry, AGENT.host, { as: 'open', ...BY });
      const { incarnation } = { incarnation: 0, ...(await raised(NEXT)) };
      expect(incarnation).toBeGreaterThan(1);
      expect(await stillOurs(registry, NEXT, incarnation)).toEqual({ kind: 'ours' });
      expect(await raised(AGENT, 1)).toMatchObject({ kind: 'other', identity: { journal: 'journal-2' } });
    },
  );

  test('overtakes the agent that speaks', async () => {
    await raised(AGENT);
    await vacate(registry, AGENT.host, { as: 'open', ...BY });
    expect(await stillOurs(registry, AGENT, 1)).toMatchObject({ kind: 'overtaken' });
    expect(await confirmHolds(registry, AGENT, 1, 7)).toMatchObject({ kind: 'unknown' });
  });

  test('is not known to be done when another agent has just started, or nobody answers', async () => {
    await raised(AGENT);
    const silent = { write: async () => ({ kind: 'unknown', cause: 'no answer' }) as const };
    const racing = { write: async () => ({ kind: 'refused', revision: 9 }) as const };
    for (const faults of [silent, racing, { read: down }]) {
      const answer = await vacate(faulty(registry, faults), AGENT.host, { as: 'open', ...BY });
      expect(answer.kind).toBe('unknown');
    }
  });

  test('other refusals name rebind as a way out', async () => {
    await raised(AGENT);
    for (const stranger of [NEXT, { ...AGENT, journal: 'journal-2' }]) {
      const answer = await raised(stranger);
      expect(answer.kind === 'other' && answer.message).toContain(`rebind ${AGENT.host}`);
    }
  });
});

describe('confirmHolds', () => {
  beforeEach(() => raiseIncarnation(registry, AGENT, 0));

  test('is written once for each state of the fleet, and told to whoever asks', async () => {
    expect(await confirmedBy(registry, AGENT.host)).toBeNull();
    expect(await confirmHolds(registry, AGENT, 1, 7)).toEqual({ kind: 'confirmed' });
    expect(await confirmHolds(registry, AGENT, 1, 7)).toEqual({ kind: 'confirmed' });
    expect(await confirmedBy(registry, AGENT.host)).toBe(7);
    expect(await registry.read(KEY)).toMatchObject({ revision: 2 });
    expect(await confirmHolds(registry, AGENT, 1, 9)).toEqual({ kind: 'confirmed' });
    expect(await confirmedBy(registry, AGENT.host)).toBe(9);
    expect(await stillOurs(registry, AGENT, 1)).toEqual({ kind: 'ours' });
  });

  test('a new start has confirmed nothing yet', async () => {
    await confirmHolds(registry, AGENT, 1, 7);
    await raiseIncarnation(registry, AGENT, 1);
    expect(await confirmedBy(registry, AGENT.host)).toBeNull();
  });

  test('is not said for an agent that does not speak for the host any more', async () => {
    expect(await confirmHolds(registry, AGENT, 2, 7)).toEqual({ kind: 'lost' });
    await raiseIncarnation(registry, AGENT, 1);
    expect(await confirmHolds(registry, AGENT, 1, 7)).toMatchObject({ kind: 'unknown' });
    expect(await confirmHolds(registry, { ...AGENT, journal: 'journal-2' }, 2, 7)).toMatchObject({
      kind: 'unknown',
    });
    expect(await confirmedBy(registry, AGENT.host)).toBeNull();
    expect(await confirmedBy(registry, 'node-8.example.org')).toBeNull();
  });
});
