/**
 * The past of the fleet that the tests of `history`, `log` and `replay` ask about, and how they ask.
 */
import { expect } from 'vitest';
import type { Fact } from '../../../events/fact.ts';
import { EXIT } from '../../../src/exit.ts';
import { chain, type Timed, timeAt } from '../../store/past/chain.ts';
import { runInProcess } from './in-process.ts';
import { type HostJournal, makePast, type PastWorld } from './past-world.ts';

export const UUID = '5d3c7e0a-2f51-4b1e-9a44-000000000001';
export const OTHER = '5d3c7e0a-2f51-4b1e-9a44-000000000002';
const ESCAPE = '\u001b[2J';

function event(n: number, source: string) {
  return { id: `event-${n}`, source, time: timeAt(n) };
}

export function claim(host: string) {
  return { host, parent: 'mtty', type: 'mtty-1' };
}

function declared(host: string, n: number, source: string, more: object = {}): Fact {
  return {
    ...{ kind: 'declared', v: 1, uuid: UUID, generation: { epoch: 1, sequence: n }, event: event(n, source) },
    ...{ desired: 'present', claim: claim(host), attributes: [], labels: { team: 'blue' }, set: 'desktops' },
    ...{ replaces: null, outcome: 'claimed', ...more },
  } as Fact;
}

const at = (n: number) => ({ v: 1, uuid: UUID, generation: { epoch: 1, sequence: n } }) as const;

export const A: readonly Timed[] = [
  [10, { kind: 'started', v: 1, software: 'test', kernel: '6.1' }],
  [20, declared('host-a', 1, 'alice')],
  [21, { kind: 'claiming', ...at(1), claim: claim('host-a') }],
  [22, { kind: 'reserved', ...at(1), revision: 5 }],
  [23, { kind: 'waiting', ...at(1), reason: 'NoCapacity', message: `no ${ESCAPE}room`, errno: 28 }],
  [24, { kind: 'active', ...at(1), how: 'created' }],
  [
    50,
    {
      ...declared('host-a', 9, 'alice', {
        outcome: 'withdrawn',
        desired: 'absent',
        claim: null,
        labels: {},
        set: null,
      }),
    },
  ],
  [51, { kind: 'teleported', v: 7, uuid: UUID, to: 'elsewhere' } as unknown as Fact],
  [52, { kind: 'releasing', ...at(9), cause: 'Withdrawn' }],
];

const B: readonly Timed[] = [
  [11, { kind: 'started', v: 1, software: 'test', kernel: '6.1' }],
  [30, declared('host-b', 2, 'bob', { set: null })],
  [
    31,
    {
      ...{
        kind: 'conflict',
        ...at(2),
        claim: claim('host-b'),
        reason: 'UuidHeld',
        message: 'held by host-a',
      },
      holder: { claim: claim('host-a'), phase: 'held', since: timeAt(22) },
    },
  ],
  [40, { ...declared('host-b', 3, 'carol'), uuid: OTHER } as Fact],
];

export const JOURNALS: readonly HostJournal[] = [
  { host: 'host-a', journal: 'ja', records: chain('host-a', 'ja', A) },
  { host: 'host-b', journal: 'jb', records: chain('host-b', 'jb', B) },
];

/** The fleet; a declaration for host-c was read by nobody. */
export function makeFleet(): Promise<PastWorld> {
  const data = { uuid: UUID, host: 'host-c', parent: 'mtty', type: 'mtty-2' };
  return makePast(JOURNALS, [{ desired: 'present', event: event(60, 'dave'), data }]);
}

/** The flags of each place where the past is. */
function places(world: PastWorld): readonly (readonly string[])[] {
  const files = JOURNALS.flatMap(({ host }) => ['--from', world.exportOf(host)]);
  return [['--data', world.data], ['--data', world.data, '--from', 'journal'], files];
}

/** What the program printed at each place, as lines. */
export async function everywhere(
  world: PastWorld,
  args: readonly string[],
): Promise<readonly (readonly string[])[]> {
  const answers: (readonly string[])[] = [];
  for (const place of places(world)) {
    const { status, stdout, stderr } = await runInProcess([...args, ...place]);
    expect({ status, stderr }).toEqual({ status: EXIT.ok, stderr: '' });
    answers.push(stdout.split('\n').slice(0, -1));
  }
  return answers;
}
