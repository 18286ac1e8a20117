/** The reservation protocol, case by case, over the registry in memory. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { Claim } from '../../events/names.ts';
import { decodeHold, encodeValue, type Hold } from '../../store/hold.ts';
import { type Registry, RegistryUnavailable } from '../../store/registry.ts';
import { MemoryRegistry } from '../../store/registry-memory.ts';
import { checkHold, giveBack, markReleasing, readHold, take } from '../../store/reserve.ts';

const UUID = '00000000-0000-4000-8000-000000000001';
const TIME = '2026-01-01T00:00:00.000Z';
const A: Claim = { host: 'a', parent: 'p', type: 't' };
const B: Claim = { host: 'b', parent: 'p', type: 't' };
const GENERATION = { epoch: 1, sequence: 1 };
const A_WISH = { claim: A, generation: GENERATION, incarnation: 1, replaces: null };
const B_WISH = { claim: B, generation: GENERATION, incarnation: 1, replaces: null };

let registry: MemoryRegistry;

beforeEach(() => {
  registry = new MemoryRegistry(() => TIME);
});

/** Puts a hold there as it stands; answers its revision. */
async function put(hold: Partial<Hold>): Promise<number> {
  const whole: Hold = { v: 1, claim: A, phase: 'held', generation: GENERATION, incarnation: 1, ...hold };
  const last = (await registry.read(UUID))?.revision ?? 0;
  const written = await registry.write(UUID, encodeValue(whole), last);
  if (written.kind !== 'written') throw new Error('the test could not write');
  return written.revision;
}

async function erase(): Promise<number> {
  const last = (await registry.read(UUID))?.revision ?? 0;
  const erased = await registry.erase(UUID, last);
  if (erased.kind !== 'written') throw new Error('the test could not erase');
  return erased.revision;
}

async function lastRevision(): Promise<number | undefined> {
  return (await registry.read(UUID))?.revision;
}

async function standing(): Promise<Hold | null> {
  const value = (await registry.read(UUID))?.value ?? null;
  return value === null ? null : decodeHold(value);
}

/** The registry with some of its functions replaced. */
function faulty(faults: Partial<Registry>): Registry {
  const whole: Registry = {
    read: (key) => registry.read(key),
    at: (key, revision) => registry.at(key, revision),
    write: (key, value, expected) => registry.write(key, value, expected),
    erase: (key, expected) => registry.erase(key, expected),
    close: () => registry.close(),
  };
  return { ...whole, ...faults };
}

async function down(): Promise<never> {
  throw new RegistryUnavailable('down');
}

async function noAnswer(): Promise<{ kind: 'unknown'; cause: unknown }> {
  return { kind: 'unknown', cause: 'no answer' };
}

describe('take', () => {
  test('a UUID that was never held is taken', async () => {
    expect(await take(registry, UUID, A_WISH)).toEqual({ kind: 'held', revision: 1 });
    expect(await standing()).toEqual({
      v: 1,
      claim: A,
      phase: 'held',
      generation: GENERATION,
      incarnation: 1,
    });
  });

  test('a UUID that was given back is taken at the revision of the erasure', async () => {
    await put({ claim: B });
    await erase();
    expect(await take(registry, UUID, A_WISH)).toEqual({ kind: 'held', revision: 3 });
  });

  test('taken twice, the second finds the first and writes nothing', async () => {
    await take(registry, UUID, A_WISH);
    expect(await take(registry, UUID, A_WISH)).toEqual({ kind: 'held', revision: 1 });
    expect(await lastRevision()).toBe(1);
  });

  test.each([
    ['an earlier incarnation', { incarnation: 1 }],
    ['an earlier generation', { generation: { epoch: 1, sequence: 1 } }],
    ['an earlier release', { phase: 'releasing' as const }],
  ])('our own hold from %s is ours, and is written anew', async (_from, earlier) => {
    const wish = { ...A_WISH, incarnation: 2, generation: { epoch: 2, sequence: 9 } };
    const revision = await put({ ...wish, ...earlier, claim: A });
    expect(await take(registry, UUID, wish)).toEqual({ kind: 'held', revision: revision + 1 });
    expect(await standing()).toMatchObject({
      phase: 'held',
      incarnation: 2,
      generation: { epoch: 2, sequence: 9 },
    });
  });

  test('our own hold from a later incarnation is left alone: this agent was overtaken', async () => {
    await put({ incarnation: 2 });
    expect(await take(registry, UUID, A_WISH)).toMatchObject({ kind: 'unknown' });
    expect(await lastRevision()).toBe(1);
  });

  test('a second claim of a taken UUID is a conflict that names the holder, with no side effect', async () => {
    await put({ claim: B });
    const holder = { claim: B, phase: 'held', since: TIME };
    expect(await take(registry, UUID, A_WISH)).toEqual({ kind: 'taken', holder });
    expect(await lastRevision()).toBe(1);
  });

  test('another parent on the same host is another claim', async () => {
    const other = { ...A, parent: 'q' };
    await put({ claim: other });
    expect(await take(registry, UUID, A_WISH)).toMatchObject({ kind: 'taken', holder: { claim: other } });
  });

  test('a holder that the claim replaces is waited for', async () => {
    await put({ claim: B });
    expect(await take(registry, UUID, { ...A_WISH, replaces: B })).toMatchObject({
      kind: 'leaving',
      holder: { claim: B },
    });
    const notB = { ...B, type: 'u' };
    expect(await take(registry, UUID, { ...A_WISH, replaces: notB })).toMatchObject({ kind: 'taken' });
  });

  test('a holder on its way out is waited for', async () => {
    await put({ claim: B, phase: 'releasing' });
    expect(await take(registry, UUID, A_WISH)).toMatchObject({
      kind: 'leaving',
      holder: { claim: B, phase: 'releasing' },
    });
  });

  test('a UUID taken by force from this host is fenced, under any claim of it', async () => {
    await put({ claim: { ...A, parent: 'q' }, phase: 'fenced' });
    expect(await take(registry, UUID, A_WISH)).toMatchObject({ kind: 'fenced', holder: { phase: 'fenced' } });
    expect(await lastRevision()).toBe(1);
  });

  test('a UUID taken by force from another host is taken', async () => {
    await put({ claim: B, phase: 'fenced' });
    expect(await take(registry, UUID, A_WISH)).toEqual({ kind: 'held', revision: 2 });
  });

  test('an answer that was lost is found by taking again', async () => {
    const lossy = faulty({
      write: async (...write) => {
        await registry.write(...write);
        return noAnswer();
      },
    });
    expect(await take(lossy, UUID, A_WISH)).toEqual({ kind: 'unknown', cause: 'no answer' });
    expect(await take(registry, UUID, A_WISH)).toEqual({ kind: 'held', revision: 1 });
  });

  test('a key that was written again before it could be read is asked for once more', async () => {
    await erase();
    const overtaken = faulty({
      at: async (key, revision) => {
        if (revision === 1) await put({ claim: B });
        return registry.at(key, revision);
      },
    });
    expect(await take(overtaken, UUID, A_WISH)).toMatchObject({ kind: 'taken', holder: { claim: B } });
  });

  test('an unreachable registry, and a refusal without a revision, are unknown', async () => {
    await put({ claim: B });
    expect(await take(faulty({ at: down }), UUID, A_WISH)).toMatchObject({ kind: 'unknown' });
    const silent = faulty({ write: async () => ({ kind: 'refused', revision: null }) });
    expect(await take(silent, UUID, A_WISH)).toMatchObject({ kind: 'unknown' });
  });

  test('a value that is no hold is left alone', async () => {
    await registry.write(UUID, new TextEncoder().encode('{"v":2}'), 0);
    const answer = await take(registry, UUID, A_WISH);
    expect(answer).toMatchObject({ kind: 'unknown' });
    expect(String(answer.kind === 'unknown' && answer.cause)).toContain(UUID);
    expect(await lastRevision()).toBe(1);
  });

  test('a key that others keep writing is left for later', async () => {
    const busy = faulty({
      write: async () => ({ kind: 'refused', revision: await erase() }),
    });
    expect(await take(busy, UUID, A_WISH)).toMatchObject({ kind: 'unknown' });
  });
});

describe('markReleasing', () => {
  test('tells the fleet, and twice is once', async () => {
    await put({});
    expect(await markReleasing(registry, UUID, A_WISH, 1)).toEqual({ kind: 'marked', revision: 2 });
    expect(await standing()).toMatchObject({ claim: A, phase: 'releasing' });
    expect(await markReleasing(registry, UUID, A_WISH, 1)).toEqual({ kind: 'marked', revision: 2 });
    expect(await lastRevision()).toBe(2);
  });

  test('finds our hold where it was written anew', async () => {
    await put({});
    await put({ generation: { epoch: 1, sequence: 2 } });
    expect(await markReleasing(registry, UUID, A_WISH, 1)).toEqual({ kind: 'marked', revision: 3 });
  });

  test.each([
    ['free', null],
    ["another's", { claim: B }],
    ['fenced', { phase: 'fenced' as const }],
    ["another's tombstone", { claim: B, phase: 'fenced' as const }],
  ])('leaves a key alone that is %s', async (_how, hold) => {
    const before = await put({});
    const revision = hold === null ? await erase() : await put(hold);
    expect(await markReleasing(registry, UUID, A_WISH, before)).toEqual({ kind: 'not-ours' });
    expect(await lastRevision()).toBe(revision);
  });

  test('leaves a hold of a later incarnation alone', async () => {
    const before = await put({});
    await put({ incarnation: 2 });
    expect(await markReleasing(registry, UUID, A_WISH, before)).toMatchObject({ kind: 'unknown' });
    expect(await standing()).toMatchObject({ phase: 'held' });
  });
});

describe('giveBack', () => {
  test('frees the UUID', async () => {
    await put({});
    expect(await giveBack(registry, UUID, A_WISH, 1)).toEqual({ kind: 'given' });
    expect(await standing()).toBeNull();
    expect(await take(registry, UUID, B_WISH)).toMatchObject({ kind: 'held' });
  });

  test('finds our hold where it was marked, and twice is once', async () => {
    await put({});
    await markReleasing(registry, UUID, A_WISH, 1);
    expect(await giveBack(registry, UUID, A_WISH, 1)).toEqual({ kind: 'given' });
    expect(await giveBack(registry, UUID, A_WISH, 1)).toEqual({ kind: 'given' });
    expect(await standing()).toBeNull();
  });

  test.each([
    ["another's", { claim: B }],
    ['fenced', { phase: 'fenced' as const }],
  ])('leaves a key alone that is %s', async (_how, hold) => {
    const before = await put({});
    const revision = await put(hold);
    expect(await giveBack(registry, UUID, A_WISH, before)).toEqual({ kind: 'not-ours' });
    expect(await lastRevision()).toBe(revision);
  });

  test('leaves a hold of a later incarnation alone', async () => {
    const before = await put({});
    await put({ incarnation: 2 });
    expect(await giveBack(registry, UUID, A_WISH, before)).toMatchObject({ kind: 'unknown' });
    expect(await standing()).toMatchObject({ incarnation: 2 });
  });

  test('a claim given up while its outcome was unknown is given back, wherever it was written', async () => {
    await put({ claim: B });
    await erase();
    await put({});
    expect(await giveBack(registry, UUID, A_WISH, null)).toEqual({ kind: 'given' });
    expect(await standing()).toBeNull();
  });

  test.each([
    ['blank', async () => undefined],
    ['free', erase],
    ["another's tombstone", () => put({ claim: B, phase: 'fenced' })],
  ])('a late write of a claim that was given up changes nothing: the key was %s', async (_how, before) => {
    await before();
    let late: (() => Promise<unknown>) | undefined;
    const slow = faulty({
      write: async (key, value, expected) => {
        if (expected === ((await lastRevision()) ?? 0)) {
          late = () => registry.write(key, value, expected);
          return noAnswer();
        }
        return registry.write(key, value, expected);
      },
    });
    expect(await take(slow, UUID, A_WISH)).toMatchObject({ kind: 'unknown' });
    const stood = await standing();
    expect((await giveBack(registry, UUID, A_WISH, null)).kind).not.toBe('unknown');
    expect(await late?.()).toMatchObject({ kind: 'refused' });
    expect(await standing()).toEqual(stood);
  });
});

describe('checkHold', () => {
  test('a hold at its revision, or written anew by us, is ours', async () => {
    await put({});
    expect(await checkHold(registry, UUID, A_WISH, 1)).toEqual({ kind: 'ours', revision: 1 });
    await put({ phase: 'releasing' });
    expect(await checkHold(registry, UUID, A_WISH, 1)).toEqual({ kind: 'ours', revision: 2 });
  });

  test('one that is missing was lost: missing never means fenced', async () => {
    expect(await checkHold(registry, UUID, A_WISH, 1)).toEqual({ kind: 'lost', holder: null });
    await put({});
    await erase();
    expect(await checkHold(registry, UUID, A_WISH, 1)).toEqual({ kind: 'lost', holder: null });
  });

  test('one that is older than its revision was lost, whoever stands there', async () => {
    await put({});
    expect(await checkHold(registry, UUID, A_WISH, 5)).toMatchObject({
      kind: 'lost',
      holder: { claim: A },
    });
    await put({ claim: B });
    expect(await checkHold(registry, UUID, A_WISH, 5)).toMatchObject({
      kind: 'lost',
      holder: { claim: B },
    });
  });

  test('one that was taken by force is fenced, also once another holds the UUID', async () => {
    await put({});
    await put({ phase: 'fenced' });
    expect(await checkHold(registry, UUID, A_WISH, 1)).toMatchObject({
      kind: 'fenced',
      holder: { claim: A, phase: 'fenced' },
    });
    await put({ claim: B });
    expect(await checkHold(registry, UUID, A_WISH, 1)).toMatchObject({
      kind: 'fenced',
      holder: { claim: B, phase: 'held' },
    });
  });

  test('nothing is known of a hold by a later incarnation, nor of an unreachable registry', async () => {
    await put({ incarnation: 2 });
    expect(await checkHold(registry, UUID, A_WISH, 1)).toMatchObject({ kind: 'unknown' });
    expect(await checkHold(faulty({ read: down }), UUID, A_WISH, 1)).toMatchObject({ kind: 'unknown' });
  });
});

test('readHold tells who stands there, for a host that has lost its journal', async () => {
  expect(await readHold(registry, UUID)).toBeUndefined();
  await put({ incarnation: 3 });
  expect(await readHold(registry, UUID)).toMatchObject({ revision: 1, hold: { claim: A, incarnation: 3 } });
  await erase();
  expect(await readHold(registry, UUID)).toBeUndefined();
});
