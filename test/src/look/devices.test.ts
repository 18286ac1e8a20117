import { describe, expect, test } from 'vitest';
import type { Row } from '../../../events/row.ts';
import { shownRows } from '../../../src/look/devices.ts';
import { declaredBy, UUID, wishOf } from '../declared.ts';

function rowOf(change: Partial<Row> = {}): Row {
  return {
    uuid: UUID,
    host: 'host-a',
    parent: 'mtty',
    type: 'mtty-2',
    state: 'ready',
    reason: null,
    message: null,
    generation: { epoch: 1, sequence: 1 },
    attributes: [],
    set: 'web',
    ...change,
  };
}

describe('rows of a fleet', () => {
  test('a declaration that its host reported on is told by the host alone', () => {
    expect(shownRows([rowOf()], declaredBy(wishOf()))).toEqual([rowOf()]);
  });

  test('one that it has not reported on waits, beside what the host last said', () => {
    const newer = new Map([...declaredBy(wishOf(), wishOf())]);
    expect(shownRows([rowOf()], newer)).toMatchObject([
      { state: 'ready' },
      { state: 'waiting', reason: 'NotReported', generation: null, set: 'web', type: 'mtty-2' },
    ]);
    expect(shownRows([], declaredBy(wishOf()))).toMatchObject([{ reason: 'NotReported' }]);
  });

  test('a refused claim is a report on its declaration', () => {
    const refused = rowOf({ parent: 'other', state: 'conflict', generation: { epoch: 1, sequence: 2 } });
    const standings = declaredBy(wishOf(), wishOf({ parent: 'other' }));
    expect(shownRows([rowOf(), refused], standings)).toEqual([rowOf(), refused]);
  });

  test('sorted by host and UUID, and narrowed by host and state', () => {
    const last = UUID.replace(/1$/, '2');
    const rows = [rowOf({ host: 'b' }), rowOf({ uuid: last, state: 'failed' }), rowOf()];
    expect(shownRows(rows, new Map()).map(({ host, uuid }) => [host, uuid])).toEqual([
      ['b', UUID],
      ['host-a', UUID],
      ['host-a', last],
    ]);
    expect(shownRows(rows, new Map(), { host: 'b' })).toEqual([rows[0]]);
    expect(shownRows(rows, new Map(), { state: 'failed' })).toEqual([rows[1]]);
  });
});
