/**
 * What a watcher is told, from what is reported and declared.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Row } from '../../../events/row.ts';
import { keyOf, type Standing } from '../../../src/declare/diff.ts';
import { type Only, shownRows } from '../../../src/look/devices.ts';
import { type Change, Watching } from '../../../src/look/watching.ts';
import { UUID } from '../declared.ts';
import { rowOf } from './fleet-seen.ts';

const HOST = 'host-a';
const event = { id: 'id', source: 'tests', time: '2026-01-01T00:00:00.000Z' };
const data = { uuid: UUID, host: HOST, parent: 'gpu0', type: 'nvidia-222', set: 'web' };

function present(sequence: number): Standing {
  return { sequence, declaration: { desired: 'present', event, data } as Standing['declaration'] };
}

function absent(sequence: number): Standing {
  const declaration = { desired: 'absent', event, data: { uuid: UUID, host: HOST } };
  return { sequence, declaration: declaration as Standing['declaration'] };
}

/** A watcher of one device, as a list of words. */
function watcher(only: Only = {}) {
  const watching = new Watching(only);
  const words = (changes: readonly Change[]) =>
    changes.map((one) => (one.change === 'gone' ? 'gone' : `${one.change} ${one.row.state}`));
  return {
    report: (sequence: number, ...rows: readonly Row[]) =>
      words(watching.report({ host: HOST, uuid: UUID, sequence, rows })),
    declare: (standing: Standing) => words(watching.declare(HOST, UUID, standing)),
  };
}

const waiting = rowOf({ state: 'waiting', reason: 'NoCapacity', message: 'full' });
const gen = (sequence: number) => ({ generation: { epoch: 1, sequence } });

test('a device is told when it is declared, whenever its row changes, and when it is gone', () => {
  const { report, declare } = watcher();
  expect(declare(present(1))).toEqual(['shown waiting']);
  expect(report(5, { ...waiting, ...gen(1) })).toEqual(['shown waiting']);
  expect(report(6, { ...waiting, ...gen(2) })).toEqual([]);
  expect(report(7, rowOf())).toEqual(['shown ready']);
  expect(declare(absent(2))).toEqual([]);
  expect(report(8, rowOf({ state: 'releasing' }))).toEqual(['shown releasing']);
  expect(report(9)).toEqual(['gone']);
  expect(report(10)).toEqual([]);
});

test('of what was read before nothing is told again', () => {
  const { report, declare } = watcher();
  expect(report(7, rowOf(gen(3)))).toEqual(['shown ready']);
  expect(declare(present(3))).toEqual([]);
  expect(report(5, waiting)).toEqual([]);
  expect(declare(present(2))).toEqual([]);
});

test('a declaration that is withdrawn before its host reported on it is gone, and a newer one is not news', () => {
  const { declare } = watcher();
  expect(declare(present(1))).toEqual(['shown waiting']);
  expect(declare(present(2))).toEqual([]);
  expect(declare(absent(3))).toEqual(['gone']);
});

test('a device that is not asked for any more is told once, as it is', () => {
  const { report } = watcher({ state: 'waiting' });
  expect(report(1, rowOf())).toEqual([]);
  expect(report(2, waiting)).toEqual(['shown waiting']);
  expect(report(3, rowOf())).toEqual(['left ready']);
  expect(report(4, rowOf({ state: 'failed' }))).toEqual([]);
});

test('whoever keeps what he is told has what `get devices` shows', () => {
  const states = fc.constantFrom<Row['state']>('ready', 'waiting', 'failed');
  const steps = fc.array(
    fc.oneof(
      fc.record({ kind: fc.constant('declare' as const), present: fc.boolean() }),
      fc.record({ kind: fc.constant('report' as const), state: states, isLate: fc.boolean() }),
    ),
  );
  fc.assert(
    fc.property(steps, (given) => {
      const fleet = new OneDevice();
      const watching = new Watching({});
      let told: unknown[] = [];
      for (const step of given) told = toldAfter(told, fleet.step(step, watching));
      expect(told).toEqual(expect.arrayContaining([...fleet.shown()]));
      if (fleet.shown().length === 0) expect(told).toEqual([]);
    }),
  );
});

type Step =
  | { readonly kind: 'declare'; readonly present: boolean }
  | { readonly kind: 'report'; readonly state: Row['state']; readonly isLate: boolean };

/** What stands declared of the device, what its host has read of that, and what it said last. */
class OneDevice {
  #standing = absent(0);
  #read = this.#standing;
  #rows: readonly Row[] = [];
  #sequence = 0;

  step(step: Step, watching: Watching): readonly Change[] {
    const sequence = ++this.#sequence;
    if (step.kind === 'declare') {
      this.#standing = step.present ? present(sequence) : absent(sequence);
      return watching.declare(HOST, UUID, this.#standing);
    }
    if (!step.isLate) this.#read = this.#standing;
    const isThere = this.#read.declaration?.desired === 'present';
    this.#rows = isThere ? [rowOf({ state: step.state, ...gen(this.#read.sequence) })] : [];
    return watching.report({ host: HOST, uuid: UUID, sequence, rows: this.#rows });
  }

  shown(): readonly unknown[] {
    return shownRows(this.#rows, new Map([[keyOf(data), this.#standing]])).map(plain);
  }
}

function toldAfter(told: readonly unknown[], changes: readonly Change[]): unknown[] {
  const before = changes.some(({ change }) => change === 'gone') ? [] : told;
  return [...before, ...changes.flatMap((one) => (one.change === 'gone' ? [] : [plain(one.row)]))];
}

function plain({ state, reason }: Pick<Row, 'state'> & { readonly reason: string | null }) {
  return { state, reason };
}
