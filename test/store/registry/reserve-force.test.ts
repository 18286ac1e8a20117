/** What force and loss do to a hold: tombstones, and holds that are asserted anew. */
import { beforeEach, describe, expect, test } from 'vitest';
import { forceRelease } from '../../../store/registry/force.ts';
import type { Registry } from '../../../store/registry/registry.ts';
import { giveBack, reassert, take } from '../../../store/registry/reserve.ts';
import { type Held, readHold } from '../../../store/registry/standing.ts';
import { A, A_WISH, B, B_WISH, faulty, Key, noAnswer, UUID } from './reserve-fixture.ts';

let key: Key;
let registry: Registry;

beforeEach(() => {
  key = new Key();
  registry = key.registry;
});

async function held(): Promise<Held> {
  const found = await readHold(registry, UUID);
  if (found === undefined) throw new Error('nobody holds the UUID');
  return found;
}

describe('forceRelease', () => {
  test('leaves a tombstone with the claim of the old holder, which lets any other host in', async () => {
    await key.put({});
    expect(await forceRelease(registry, UUID, await held())).toEqual({ kind: 'fenced', revision: 2 });
    expect(await key.standing()).toMatchObject({ claim: A, phase: 'fenced' });
    expect(await take(registry, UUID, B_WISH)).toEqual({ kind: 'held', revision: 3 });
  });

  test('does nothing to a hold that was not looked at', async () => {
    await key.put({});
    const looked = await held();
    await giveBack(registry, UUID, A_WISH, 1);
    await take(registry, UUID, B_WISH);
    expect(await forceRelease(registry, UUID, looked)).toEqual({ kind: 'changed' });
    expect(await key.standing()).toMatchObject({ claim: B, phase: 'held' });
  });

  test('without an answer it is not known', async () => {
    await key.put({});
    const silent = faulty(registry, { write: noAnswer });
    expect(await forceRelease(silent, UUID, await held())).toMatchObject({ kind: 'unknown' });
  });
});

describe('the old holder', () => {
  test('is kept out by its tombstone until it has heard of it, and by that one only', async () => {
    await key.put({});
    await key.put({ phase: 'fenced' });
    const kept = { kind: 'fenced', revision: 2, holder: { claim: A, phase: 'fenced' } };
    expect(await take(registry, UUID, A_WISH)).toMatchObject(kept);
    expect(await take(registry, UUID, { ...A_WISH, fence: 1 })).toMatchObject(kept);
    expect(await take(registry, UUID, { ...A_WISH, fence: 2 })).toEqual({ kind: 'held', revision: 3 });
  });
});

describe('reassert', () => {
  test.each(['held', 'releasing'] as const)('writes a lost hold anew, %s', async (phase) => {
    expect(await reassert(registry, UUID, A_WISH, phase)).toEqual({ kind: 'held', revision: 1 });
    expect(await key.standing()).toMatchObject({ claim: A, phase });
    expect(await reassert(registry, UUID, A_WISH, phase)).toEqual({ kind: 'held', revision: 1 });
  });

  test('writes over what is left of an older hold of its own, and over the tombstone of another host', async () => {
    const ours = { generation: { epoch: 1, sequence: 9 } };
    const elsewhere = { claim: { ...A, parent: 'another' } };
    for (const older of [ours, elsewhere, { claim: B, phase: 'fenced' as const }]) {
      const revision = await key.put(older);
      expect(await reassert(registry, UUID, A_WISH, 'held')).toEqual({
        kind: 'held',
        revision: revision + 1,
      });
      expect(await key.standing()).toMatchObject({ claim: A, generation: A_WISH.generation });
    }
  });

  test.each([
    ['another claim that took the UUID meanwhile', { claim: B, phase: 'held' as const }],
    ['its own tombstone', { claim: A, phase: 'fenced' as const }],
  ])('leaves %s as it is', async (_what, hold) => {
    await key.put(hold);
    const taken = { kind: 'taken', revision: 1, holder: hold };
    expect(await reassert(registry, UUID, A_WISH, 'held')).toMatchObject(taken);
    expect(await key.revision()).toBe(1);
  });

  test('leaves a hold of a later incarnation alone', async () => {
    await key.put({ incarnation: 2 });
    expect(await reassert(registry, UUID, A_WISH, 'held')).toMatchObject({ kind: 'unknown' });
    expect(await key.revision()).toBe(1);
  });
});
