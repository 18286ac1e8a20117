/** The fleet's own state: who sets it, who ends it, and what nobody overwrites. */
import { beforeEach, describe, expect, test } from 'vitest';
import { beginRebuilding, openFirst, readFleet, reopen } from '../../../store/registry/fleet.ts';
import { RegistryUnavailable } from '../../../store/registry/registry.ts';
import { MemoryRegistry } from '../../../store/registry/registry-memory.ts';
import { down, faulty, noAnswer } from './reserve-fixture.ts';

const AT = '2026-01-01T00:00:00.000Z';
const LOSS = { by: 'host-a', what: 'a hold is missing', at: AT };
const ACT = { by: 'ops', what: 'all hosts have confirmed', at: AT };

let registry: MemoryRegistry;

beforeEach(() => {
  registry = new MemoryRegistry(() => AT);
});

test('a fleet that never had the key is open', async () => {
  expect(await readFleet(registry)).toEqual({ kind: 'fleet', state: 'open', revision: 0, value: null });
});

describe('beginRebuilding', () => {
  test('says who noticed what, and when', async () => {
    await beginRebuilding(registry, LOSS);
    expect(await readFleet(registry)).toEqual({
      kind: 'fleet',
      state: 'rebuilding',
      revision: 1,
      value: { v: 1, state: 'rebuilding', ...LOSS },
    });
  });

  test('leaves the first notice as it is', async () => {
    await beginRebuilding(registry, LOSS);
    expect(await beginRebuilding(registry, { ...LOSS, by: 'host-b' })).toMatchObject({
      revision: 1,
      value: { by: 'host-a' },
    });
  });

  test('of many that notice at once one is first, and all are answered alike', async () => {
    const hosts = ['a', 'b', 'c', 'd'];
    const answers = await Promise.all(hosts.map((by) => beginRebuilding(registry, { ...LOSS, by })));
    expect(new Set(answers.map((one) => JSON.stringify(one))).size).toBe(1);
    expect(answers[0]).toMatchObject({ state: 'rebuilding', revision: 1 });
  });

  test('without an answer nothing is known', async () => {
    expect(await beginRebuilding(faulty(registry, { read: down }), LOSS)).toMatchObject({ kind: 'unknown' });
    expect(await beginRebuilding(faulty(registry, { write: noAnswer }), LOSS)).toMatchObject({
      kind: 'unknown',
    });
  });
});

describe('reopen', () => {
  test('ends the rebuilding that was looked at', async () => {
    await beginRebuilding(registry, LOSS);
    expect(await reopen(registry, ACT, 1)).toMatchObject({ state: 'open', revision: 2, value: ACT });
    expect(await reopen(registry, ACT, 1)).toMatchObject({ state: 'open', revision: 2 });
  });

  test('does not end another one, of which nobody has been told', async () => {
    await beginRebuilding(registry, LOSS);
    await reopen(registry, ACT, 1);
    await beginRebuilding(registry, LOSS);
    expect(await reopen(registry, ACT, 1)).toMatchObject({ state: 'rebuilding', revision: 3 });
  });
});

test('openFirst makes the key once, and opens nothing', async () => {
  expect(await openFirst(registry, ACT)).toMatchObject({ state: 'open', revision: 1 });
  expect(await openFirst(registry, ACT)).toMatchObject({ state: 'open', revision: 1 });
  await beginRebuilding(registry, LOSS);
  expect(await openFirst(registry, ACT)).toMatchObject({ state: 'rebuilding', revision: 2 });
});

test('a value that is no state is not taken for one', async () => {
  await registry.write('fleet', new TextEncoder().encode('?'), 0);
  const answer = await readFleet(registry);
  expect(answer).toMatchObject({ kind: 'unknown' });
  expect(answer.kind === 'unknown' && answer.cause).toBeInstanceOf(RegistryUnavailable);
});
