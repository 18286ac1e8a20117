import { expect, test } from 'vitest';
import { Output } from '../../../src/cli/output.ts';
import { progressText } from '../../../src/cli/progress.ts';
import type { Verdict } from '../../../src/declare/settle.ts';

function of(count: number, state: Verdict['state'], reason: Verdict['reason'] = null): readonly Verdict[] {
  return Array.from({ length: count }, () => ({ host: 'a', uuid: 'u', state, reason, message: null }));
}

test.each<[string, readonly Verdict[], number, string]>([
  ['nothing', [], 0, '[########################] 0 of 0 settled, 0:00 left'],
  [
    'half',
    [...of(1, 'settled'), ...of(1, 'waiting')],
    61_000,
    '[############............] 1 of 2 settled, 1:01 left, 1 under way',
  ],
  [
    'some that cannot be',
    [...of(1, 'terminal'), ...of(1, 'settled')],
    1,
    '[########################] 1 of 2 settled, 1 cannot be, 0:01 left',
  ],
  [
    'the reasons of most devices',
    [
      ...of(1, 'waiting', 'InUse'),
      ...of(3, 'waiting', 'NoCapacity'),
      ...of(1, 'waiting', 'Busy'),
      ...of(2, 'waiting', 'HolderLeaving'),
    ],
    0,
    '[........................] 0 of 7 settled, 0:00 left, 3 NoCapacity, 2 HolderLeaving, 1 InUse',
  ],
])('%s', (_, found, leftMs, text) => {
  expect(progressText(found, leftMs)).toBe(text);
});

test('a narrow terminal is shown one line, others none', () => {
  const said: string[] = [];
  const sink = (more: object) => ({ write: (text: string) => said.push(text), ...more });
  new Output(sink({}), sink({ isTTY: true, columns: 10 })).progress('0123456789 and more');
  new Output(sink({ isTTY: true }), sink({})).progress('not seen');
  expect(said).toEqual(['\r\u001b[2K012345678']);
});
