/** Giving a UUID back, case by case, over the registry in memory. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { Registry } from '../../../store/registry/registry.ts';
import { giveBack, markReleasing, take } from '../../../store/registry/reserve.ts';
import { A, A_WISH, B, B_WISH, faulty, Key, noAnswer, UUID } from './reserve-fixture.ts';

let key: Key;
let registry: Registry;

beforeEach(() => {
  key = new Key();
  registry = key.registry;
});

describe('markReleasing', () => {
  test('tells the fleet, and twice is once', async () => {
    await key.put({});
    expect(await markReleasing(registry, UUID, A_WISH, 1)).toEqual({ kind: 'marked', revision: 2 });
    expect(await key.standing()).toMatchObject({ claim: A, phase: 'releasing' });
    expect(await markReleasing(registry, UUID, A_WISH, 1)).toEqual({ kind: 'marked', revision: 2 });
    expect(await key.revision()).toBe(2);
  });

  test('finds our hold where it was written anew', async () => {
    await key.put({});
    await key.put({ generation: { epoch: 1, sequence: 2 } });
    expect(await markReleasing(registry, UUID, A_WISH, 1)).toEqual({ kind: 'marked', revision: 3 });
  });

  test('finds our hold when it is written anew between refusal and reading', async () => {
    await key.put({});
    await key.put({});
    const overtaken = faulty(registry, {
      at: async (uuid, revision) => {
        if (revision === 2) await key.put({});
        return registry.at(uuid, revision);
      },
    });
    expect(await markReleasing(overtaken, UUID, A_WISH, 1)).toEqual({ kind: 'marked', revision: 4 });
  });

  test.each([
    ['free', null],
    ["another's", { claim: B }],
    ['fenced', { phase: 'fenced' as const }],
    ["another's tombstone", { claim: B, phase: 'fenced' as const }],
  ])('leaves a key alone that is %s', async (_how, hold) => {
    const before = await key.put({});
    const revision = hold === null ? await key.erase() : await key.put(hold);
    expect(await markReleasing(registry, UUID, A_WISH, before)).toEqual({ kind: 'not-ours' });
    expect(await key.revision()).toBe(revision);
  });

  test('leaves a hold of a later incarnation alone', async () => {
    const before = await key.put({});
    await key.put({ incarnation: 2 });
    expect(await markReleasing(registry, UUID, A_WISH, before)).toMatchObject({ kind: 'unknown' });
    expect(await key.standing()).toMatchObject({ phase: 'held' });
  });
});

describe('giveBack', () => {
  test('frees the UUID', async () => {
    await key.put({});
    expect(await giveBack(registry, UUID, A_WISH, 1)).toEqual({ kind: 'given' });
    expect(await key.standing()).toBeNull();
    expect(await take(registry, UUID, B_WISH)).toMatchObject({ kind: 'held' });
  });

  test('finds our hold where it was marked, and twice is once', async () => {
    await key.put({});
    await markReleasing(registry, UUID, A_WISH, 1);
    expect(await giveBack(registry, UUID, A_WISH, 1)).toEqual({ kind: 'given' });
    expect(await giveBack(registry, UUID, A_WISH, 1)).toEqual({ kind: 'given' });
    expect(await key.standing()).toBeNull();
  });

  test.each([
    ["another's", { claim: B }, 'not-ours'],
    ['fenced', { phase: 'fenced' as const }, 'fenced'],
  ])('leaves a key alone that is %s, and says so', async (_how, hold, kind) => {
    const before = await key.put({});
    const revision = await key.put(hold);
    expect(await giveBack(registry, UUID, A_WISH, before)).toMatchObject({ kind });
    expect(await key.revision()).toBe(revision);
  });

  test('leaves a hold of a later incarnation alone', async () => {
    const before = await key.put({});
    await key.put({ incarnation: 2 });
    expect(await giveBack(registry, UUID, A_WISH, before)).toMatchObject({ kind: 'unknown' });
    expect(await key.standing()).toMatchObject({ incarnation: 2 });
  });

  test('a claim given up while its outcome was unknown is given back, wherever it was written', async () => {
    await key.put({ claim: B });
    await key.erase();
    await key.put({});
    expect(await giveBack(registry, UUID, A_WISH, null)).toEqual({ kind: 'given' });
    expect(await key.standing()).toBeNull();
  });

  test.each([
    ['blank', async () => undefined],
    ['free', () => key.erase()],
    ["another's tombstone", () => key.put({ claim: B, phase: 'fenced' })],
  ])('a late write of a claim that was given up changes nothing: the key was %s', async (_how, before) => {
    await before();
    let late: (() => Promise<unknown>) | undefined;
    const slow = faulty(registry, {
      write: async (uuid, value, expected) => {
        if (expected === (await key.revision())) {
          late = () => registry.write(uuid, value, expected);
          return noAnswer();
        }
        return registry.write(uuid, value, expected);
      },
    });
    expect(await take(slow, UUID, A_WISH)).toMatchObject({ kind: 'unknown' });
    const stood = await key.standing();
    expect((await giveBack(registry, UUID, A_WISH, null)).kind).not.toBe('unknown');
    expect(await late?.()).toMatchObject({ kind: 'refused' });
    expect(await key.standing()).toEqual(stood);
  });
});
