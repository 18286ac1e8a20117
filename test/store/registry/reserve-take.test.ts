/** Taking a UUID, case by case, over the registry in memory. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { Registry } from '../../../store/registry/registry.ts';
import { take } from '../../../store/registry/reserve.ts';
import { A, A_WISH, B, down, faulty, Key, noAnswer, TIME, UUID } from './reserve-fixture.ts';

let key: Key;
let registry: Registry;

beforeEach(() => {
  key = new Key();
  registry = key.registry;
});

describe('take', () => {
  test('a UUID that was never held is taken', async () => {
    expect(await take(registry, UUID, A_WISH)).toEqual({ kind: 'held', revision: 1 });
    expect(await key.standing()).toEqual({
      v: 1,
      claim: A,
      phase: 'held',
      generation: A_WISH.generation,
      incarnation: 1,
    });
  });

  test('a UUID that was given back is taken at the revision of the erasure', async () => {
    await key.put({ claim: B });
    await key.erase();
    expect(await take(registry, UUID, A_WISH)).toEqual({ kind: 'held', revision: 3 });
  });

  test('taken twice, the second finds the first and writes nothing', async () => {
    await take(registry, UUID, A_WISH);
    expect(await take(registry, UUID, A_WISH)).toEqual({ kind: 'held', revision: 1 });
    expect(await key.revision()).toBe(1);
  });

  test.each([
    ['an earlier incarnation', { incarnation: 1 }],
    ['an earlier generation', { generation: { epoch: 1, sequence: 1 } }],
    ['an earlier release', { phase: 'releasing' as const }],
  ])('our own hold from %s is ours, and is written anew', async (_from, earlier) => {
    const now = { incarnation: 2, generation: { epoch: 2, sequence: 9 } };
    const wish = { ...A_WISH, ...now };
    const revision = await key.put({ ...now, ...earlier });
    expect(await take(registry, UUID, wish)).toEqual({ kind: 'held', revision: revision + 1 });
    expect(await key.standing()).toMatchObject({
      phase: 'held',
      incarnation: 2,
      generation: { epoch: 2, sequence: 9 },
    });
  });

  test('our own hold from a later incarnation is left alone: this agent was overtaken', async () => {
    await key.put({ incarnation: 2 });
    expect(await take(registry, UUID, A_WISH)).toMatchObject({ kind: 'unknown' });
    expect(await key.revision()).toBe(1);
  });

  test('a second claim of a taken UUID is a conflict that names the holder, with no side effect', async () => {
    await key.put({ claim: B });
    const holder = { claim: B, phase: 'held', since: TIME };
    expect(await take(registry, UUID, A_WISH)).toEqual({ kind: 'taken', holder });
    expect(await key.revision()).toBe(1);
  });

  test('another parent on the same host is another claim', async () => {
    const other = { ...A, parent: 'q' };
    await key.put({ claim: other });
    expect(await take(registry, UUID, A_WISH)).toMatchObject({ kind: 'taken', holder: { claim: other } });
  });

  test('a holder that the claim replaces is waited for', async () => {
    await key.put({ claim: B });
    expect(await take(registry, UUID, { ...A_WISH, replaces: B })).toMatchObject({
      kind: 'leaving',
      holder: { claim: B },
    });
    const notB = { ...B, type: 'u' };
    expect(await take(registry, UUID, { ...A_WISH, replaces: notB })).toMatchObject({ kind: 'taken' });
  });

  test('a holder on its way out is waited for', async () => {
    await key.put({ claim: B, phase: 'releasing' });
    expect(await take(registry, UUID, A_WISH)).toMatchObject({
      kind: 'leaving',
      holder: { claim: B, phase: 'releasing' },
    });
  });

  test('a UUID taken by force from this host is fenced, under any claim of it', async () => {
    await key.put({ claim: { ...A, parent: 'q' }, phase: 'fenced' });
    expect(await take(registry, UUID, A_WISH)).toMatchObject({ kind: 'fenced', holder: { phase: 'fenced' } });
    expect(await key.revision()).toBe(1);
  });

  test('a UUID taken by force from another host is taken', async () => {
    await key.put({ claim: B, phase: 'fenced' });
    expect(await take(registry, UUID, A_WISH)).toEqual({ kind: 'held', revision: 2 });
  });

  test('an answer that was lost is found by taking again', async () => {
    const lossy = faulty(registry, {
      write: async (...write) => {
        await registry.write(...write);
        return noAnswer();
      },
    });
    expect(await take(lossy, UUID, A_WISH)).toEqual({ kind: 'unknown', cause: 'no answer' });
    expect(await take(registry, UUID, A_WISH)).toEqual({ kind: 'held', revision: 1 });
  });

  test('a key that was written again before it could be read is asked for once more', async () => {
    await key.erase();
    const overtaken = faulty(registry, {
      at: async (uuid, revision) => {
        if (revision === 1) await key.put({ claim: B });
        return registry.at(uuid, revision);
      },
    });
    expect(await take(overtaken, UUID, A_WISH)).toMatchObject({ kind: 'taken', holder: { claim: B } });
  });

  test('an unreachable registry, and a refusal without a revision, are unknown', async () => {
    await key.put({ claim: B });
    expect(await take(faulty(registry, { at: down }), UUID, A_WISH)).toMatchObject({ kind: 'unknown' });
    const silent = faulty(registry, { write: async () => ({ kind: 'refused', revision: null }) });
    expect(await take(silent, UUID, A_WISH)).toMatchObject({ kind: 'unknown' });
  });

  test('a value that is no hold is left alone', async () => {
    await registry.write(UUID, new TextEncoder().encode('{"v":2}'), 0);
    const answer = await take(registry, UUID, A_WISH);
    expect(answer).toMatchObject({ kind: 'unknown' });
    expect(String(answer.kind === 'unknown' && answer.cause)).toContain(UUID);
    expect(await key.revision()).toBe(1);
  });

  test('a key that others keep writing is left for later', async () => {
    const busy = faulty(registry, {
      write: async () => ({ kind: 'refused', revision: await key.erase() }),
    });
    expect(await take(busy, UUID, A_WISH)).toMatchObject({ kind: 'unknown' });
  });
});
