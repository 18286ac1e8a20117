/** Reading a hold back: what the registry says of it against what the journal says. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { Registry } from '../../../store/registry/registry.ts';
import { checkHold, readHold } from '../../../store/registry/standing.ts';
import { A, A_WISH, B, down, faulty, Key, UUID } from './reserve-fixture.ts';

let key: Key;
let registry: Registry;

beforeEach(() => {
  key = new Key();
  registry = key.registry;
});

describe('checkHold', () => {
  test('a hold at its revision, or written anew by us, is ours', async () => {
    await key.put({});
    expect(await checkHold(registry, UUID, A_WISH, 1)).toEqual({ kind: 'ours', revision: 1 });
    await key.put({ phase: 'releasing' });
    expect(await checkHold(registry, UUID, A_WISH, 1)).toEqual({ kind: 'ours', revision: 2 });
  });

  test('one that is missing was lost: missing never means fenced', async () => {
    expect(await checkHold(registry, UUID, A_WISH, 1)).toEqual({
      kind: 'lost',
      revision: 0,
      holder: null,
    });
  });

  test('one that was taken by force is fenced, also once whoever got it has given it back', async () => {
    await key.put({});
    await key.put({ phase: 'fenced' });
    await key.put({ claim: B });
    await key.erase();
    expect(await checkHold(registry, UUID, A_WISH, 1)).toEqual({ kind: 'fenced', revision: 4, holder: null });
  });

  test('one that is older than its revision was lost, whoever stands there', async () => {
    await key.put({});
    expect(await checkHold(registry, UUID, A_WISH, 5)).toMatchObject({
      kind: 'lost',
      holder: { claim: A },
    });
    await key.put({ claim: B });
    expect(await checkHold(registry, UUID, A_WISH, 5)).toMatchObject({
      kind: 'lost',
      holder: { claim: B },
    });
  });

  test('one that was taken by force is fenced, also once another holds the UUID', async () => {
    await key.put({});
    await key.put({ phase: 'fenced' });
    expect(await checkHold(registry, UUID, A_WISH, 1)).toMatchObject({
      kind: 'fenced',
      holder: { claim: A, phase: 'fenced' },
    });
    await key.put({ claim: B });
    expect(await checkHold(registry, UUID, A_WISH, 1)).toMatchObject({
      kind: 'fenced',
      holder: { claim: B, phase: 'held' },
    });
  });

  test('nothing is known of a hold by a later incarnation, nor of an unreachable registry', async () => {
    await key.put({ incarnation: 2 });
    expect(await checkHold(registry, UUID, A_WISH, 1)).toMatchObject({ kind: 'unknown' });
    expect(await checkHold(faulty(registry, { read: down }), UUID, A_WISH, 1)).toMatchObject({
      kind: 'unknown',
    });
  });
});

test('readHold tells who stands there, for a host that has lost its journal', async () => {
  expect(await readHold(registry, UUID)).toBeUndefined();
  await key.put({ incarnation: 3 });
  expect(await readHold(registry, UUID)).toMatchObject({ revision: 1, hold: { claim: A, incarnation: 3 } });
  await key.erase();
  expect(await readHold(registry, UUID)).toBeUndefined();
});
