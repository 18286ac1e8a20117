/**
 * The rows that `get devices` shows for what is known of a UUID.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { row } from '../../events/row.ts';
import {
  type Desired,
  type Device,
  type Phase,
  type Reservation,
  type Terminal,
  unknownDevice,
} from '../../store/device.ts';
import { evolve } from '../../store/evolve.ts';
import { rowsOf } from '../../store/rows.ts';
import { anyDeviceFact } from './journal/journal-facts.ts';
import { CLAIM, HOST, UUID } from './journal/journal-fixture.ts';

const GENERATION = { epoch: 1, sequence: 5 };
const ATTRIBUTES = [{ name: 'assign_adapter', value: '5' }];
const PRESENT: Desired = {
  kind: 'present',
  generation: GENERATION,
  claim: CLAIM,
  attributes: ATTRIBUTES,
  set: 'fleet',
  replaces: null,
};
const ABSENT: Desired = { kind: 'absent', generation: GENERATION };
const OTHER_CLAIM = { ...CLAIM, type: 'mtty-2' };
const WAITING = { reason: 'InUse', message: 'a machine runs' } as const;
const CONFLICT: Terminal = {
  generation: GENERATION,
  kind: 'conflict',
  claim: CLAIM,
  reason: 'UuidHeld',
  message: 'taken',
  holder: null,
};

function held(phase: Phase, change: Partial<Reservation> = {}): Reservation {
  return {
    phase,
    claim: CLAIM,
    generation: GENERATION,
    revision: 1,
    applied: ATTRIBUTES,
    echoing: [],
    changed: [],
    identity: null,
    existed: true,
    ...change,
  };
}

function rows(change: Partial<Device>): ReturnType<typeof rowsOf> {
  return rowsOf({ ...unknownDevice(HOST, UUID), ...change });
}

test.each<[string, Partial<Device>]>([
  ['nothing is known', {}],
  ['it is withdrawn and gone', { desired: ABSENT }],
  ['it is withdrawn, gone, and ended once', { desired: ABSENT, terminal: CONFLICT }],
])('no row when %s', (_what, device) => {
  expect(rows(device)).toEqual([]);
});

test('a row says all of what is declared', () => {
  expect(rows({ desired: PRESENT, reservation: held('active') })).toEqual([
    {
      uuid: UUID,
      host: HOST,
      parent: CLAIM.parent,
      type: CLAIM.type,
      state: 'ready',
      reason: null,
      message: null,
      generation: GENERATION,
      attributes: ATTRIBUTES,
      set: 'fleet',
    },
  ]);
});

test.each<[string, string, Partial<Device>]>([
  ['waiting', 'nothing is held yet', { desired: PRESENT }],
  ['waiting', 'the registry was asked', { desired: PRESENT, reservation: held('claiming') }],
  ['waiting', 'it is held and not whole', { desired: PRESENT, reservation: held('reserved') }],
  ['waiting', 'it waits for something', { desired: PRESENT, reservation: held('active'), waiting: WAITING }],
  [
    'waiting',
    'other attributes are declared',
    { desired: PRESENT, reservation: held('active', { applied: [] }) },
  ],
  [
    'waiting',
    'somebody changed an attribute',
    { desired: PRESENT, reservation: held('active', { changed: ['a'] }) },
  ],
  [
    'waiting',
    'another claim still stands',
    { desired: PRESENT, reservation: held('active', { claim: OTHER_CLAIM }) },
  ],
  ['waiting', 'it is declared again while it leaves', { desired: PRESENT, reservation: held('releasing') }],
  [
    'waiting',
    'an older generation ended',
    { desired: PRESENT, terminal: { ...CONFLICT, generation: { epoch: 1, sequence: 4 } } },
  ],
  ['conflict', 'its generation ended so', { desired: PRESENT, terminal: CONFLICT }],
  [
    'failed',
    'its generation ended so',
    { desired: PRESENT, terminal: { ...CONFLICT, kind: 'failed', reason: 'InvalidArgument' } },
  ],
  [
    'conflict',
    'it ended while it is held',
    { desired: PRESENT, reservation: held('active'), terminal: CONFLICT },
  ],
  ['releasing', 'it is withdrawn and still held', { desired: ABSENT, reservation: held('releasing') }],
  [
    'releasing',
    'it is withdrawn and in use',
    { desired: ABSENT, reservation: held('active'), waiting: WAITING },
  ],
  ['unmanaged', 'nobody declared it', { unmanaged: { parent: 'mtty', type: 'mtty-1' } }],
])('%s when %s', (state, _what, device) => {
  expect(rows(device).map((one) => one.state)).toEqual([state]);
});

test('reason and message are those of the wait, or of the end', () => {
  expect(rows({ desired: PRESENT, waiting: WAITING })).toMatchObject([
    { reason: 'InUse', message: 'a machine runs' },
  ]);
  expect(rows({ desired: ABSENT, reservation: held('active'), waiting: WAITING })).toMatchObject([
    { reason: 'InUse' },
  ]);
  expect(rows({ desired: PRESENT, terminal: CONFLICT })).toMatchObject([
    { reason: 'UuidHeld', message: 'taken' },
  ]);
});

test('a device on its way out shows the claim and the attributes that it has', () => {
  const reservation = held('releasing', { claim: OTHER_CLAIM, applied: null });
  expect(rows({ desired: ABSENT, reservation })).toMatchObject([
    { type: OTHER_CLAIM.type, attributes: [], set: null, generation: GENERATION },
  ]);
});

test('an unmanaged device has no generation', () => {
  expect(rows({ unmanaged: { parent: 'mtty', type: 'mtty-1' } })).toMatchObject([
    { generation: null, set: null, parent: 'mtty' },
  ]);
});

test('a refused claim has a row of its own after the one that holds', () => {
  const refused = {
    ...CONFLICT,
    claim: OTHER_CLAIM,
    reason: 'ClaimDiffers',
    generation: { epoch: 1, sequence: 6 },
  } as const;
  expect(rows({ desired: PRESENT, reservation: held('active'), refused })).toMatchObject([
    { state: 'ready', type: CLAIM.type, generation: GENERATION },
    {
      state: 'conflict',
      reason: 'ClaimDiffers',
      type: OTHER_CLAIM.type,
      generation: refused.generation,
      attributes: [],
    },
  ]);
});

test('whatever happened, rows are as events may carry them', () => {
  fc.assert(
    fc.property(fc.array(anyDeviceFact, { maxLength: 12 }), (facts) => {
      const device = facts.reduce(
        (before, fact, index) => evolve(before, fact, index + 1),
        unknownDevice(HOST, UUID),
      );
      const shown = rowsOf(device);
      expect(shown.length).toBeLessThanOrEqual(2);
      for (const one of shown) expect(row.parse(one)).toEqual(one);
    }),
    { numRuns: 300 },
  );
});
