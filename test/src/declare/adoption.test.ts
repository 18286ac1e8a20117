/**
 * Only what stands there and is declared nowhere can be adopted.
 */
import { expect, test } from 'vitest';
import type { Row } from '../../../events/row.ts';
import { adoption } from '../../../src/declare/adoption.ts';
import { declaredBy, UUID, wishOf } from '../declared.ts';

const OTHER = '5d3c7e0a-2f51-4b1e-9a44-0c8a6f1e2b02';
const NEAR = '5d3c7e0a-2f51-4b1e-9a44-0c8a6f1e2b11';

function rowOf(change: Partial<Row> = {}): Row {
  return {
    ...{ uuid: UUID, host: 'host-a', parent: 'mtty', type: 'mtty-2', state: 'unmanaged' },
    ...{ reason: null, message: null, generation: null, attributes: [], set: null },
    ...change,
  };
}

test('without names everything is chosen that nobody declared, as far as it is where and what is asked for', () => {
  const rows = [rowOf(), rowOf({ uuid: OTHER, host: 'host-b', parent: 'gpu0' }), rowOf({ state: 'ready' })];
  const chosen = (wanted: object) =>
    adoption(rows, new Map(), { uuids: [], ...wanted }).rows.map(({ uuid }) => uuid);
  expect(chosen({})).toEqual([UUID, OTHER]);
  expect(chosen({ host: 'host-b' })).toEqual([OTHER]);
  expect(chosen({ parent: 'mtty' })).toEqual([UUID]);
  expect(chosen({ type: 'mtty-1' })).toEqual([]);
});

test('what is declared anywhere is left alone, and told', () => {
  const standings = declaredBy(wishOf({ host: 'host-b' }));
  expect(adoption([rowOf(), rowOf({ uuid: OTHER })], standings, { uuids: [] })).toMatchObject({
    rows: [{ uuid: OTHER }],
    left: [`${UUID} is declared on host-b`],
    refused: [],
  });
});

test.each([
  ['is declared', [rowOf()], declaredBy(wishOf({ host: 'host-b' })), {}, 'is declared on host-b'],
  [
    'stands on two hosts',
    [rowOf(), rowOf({ host: 'host-b' })],
    new Map(),
    {},
    'host-a and host-b; choose one',
  ],
  ['is elsewhere', [rowOf()], new Map(), { host: 'host-b' }, 'is a mtty-2 on mtty of host host-a'],
  ['is on its way out', [rowOf({ state: 'releasing' })], new Map(), {}, 'is releasing on host-a'],
  ['is mistyped', [rowOf({ uuid: NEAR })], new Map(), {}, `was reported by no host; did you mean ${NEAR}?`],
] as const)('a UUID that was named and %s is refused', (_, rows, standings, wanted, why) => {
  const { rows: chosen, refused } = adoption(rows, standings, { uuids: [UUID], ...wanted });
  expect(chosen).toEqual([]);
  expect(refused).toEqual([expect.stringContaining(why)]);
});

test('of two hosts with the same device one can be chosen', () => {
  const rows = [rowOf(), rowOf({ host: 'host-b' })];
  expect(adoption(rows, new Map(), { uuids: [UUID], host: 'host-b' })).toMatchObject({
    rows: [{ host: 'host-b' }],
    refused: [],
  });
});
