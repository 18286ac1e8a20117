/**
 * What each fact makes of what was known of its UUID.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DeviceFact, FactOf } from '../../events/fact.ts';
import type { Device } from '../../store/device.ts';
import { unknownDevice } from '../../store/device.ts';
import { describe as describeClaim, evolve } from '../../store/evolve.ts';
import { anyDeviceFact } from './journal/journal-facts.ts';
import { CLAIM, declared, HOST, UUID } from './journal/journal-fixture.ts';

const GENERATION = { epoch: 1, sequence: 1 };
const LATER = { epoch: 1, sequence: 2 };
const ABOUT = { v: 1, uuid: UUID, generation: GENERATION } as const;
const OTHER_CLAIM = { ...CLAIM, type: 'mtty-2' };
const NOTHING = unknownDevice(HOST, UUID);

const CLAIMING: DeviceFact = { kind: 'claiming', ...ABOUT, claim: CLAIM };
const RESERVED: DeviceFact = { kind: 'reserved', ...ABOUT, revision: 7 };
const CONFIGURED: DeviceFact = { kind: 'configured', ...ABOUT, attributes: [{ name: 'a', value: '1' }] };
const ACTIVE: DeviceFact = { kind: 'active', ...ABOUT, how: 'created' };
const DRIFT: DeviceFact = { kind: 'drift', ...ABOUT, cause: 'Rebooted' };
const WAITING: DeviceFact = {
  kind: 'waiting',
  ...ABOUT,
  reason: 'ParentAbsent',
  message: 'no mtty',
  errno: null,
};
const RELEASING: DeviceFact = { kind: 'releasing', ...ABOUT, cause: 'Withdrawn' };
const GONE: DeviceFact = { kind: 'gone', ...ABOUT };
const FAILED: DeviceFact = {
  kind: 'failed',
  ...ABOUT,
  reason: 'InvalidArgument',
  message: 'EINVAL',
  errno: 22,
};
const CONFLICT: DeviceFact = {
  kind: 'conflict',
  ...ABOUT,
  claim: CLAIM,
  reason: 'UuidHeld',
  message: 'taken',
  holder: null,
};
const RETRY: DeviceFact = {
  kind: 'commanded',
  v: 1,
  uuid: UUID,
  sequence: 1,
  event: { id: 'r', source: 's', time: 't' },
  command: 'retry',
};

const MADE = [declared(UUID, 1), CLAIMING, RESERVED, CONFIGURED, ACTIVE];

function fold(...facts: readonly DeviceFact[]): Device {
  return facts.reduce((device, fact, index) => evolve(device, fact, index + 1), NOTHING);
}

function declaration(
  outcome: FactOf<'declared'>['outcome'],
  change: Partial<FactOf<'declared'>> = {},
): FactOf<'declared'> {
  return { ...declared(UUID, 1), generation: LATER, outcome, ...change };
}

test('a device is made, step by step', () => {
  expect(fold(...MADE)).toEqual({
    ...NOTHING,
    version: 5,
    desired: {
      kind: 'present',
      generation: GENERATION,
      claim: CLAIM,
      attributes: [{ name: 'assign_adapter', value: '1' }],
      set: null,
      replaces: null,
    },
    reservation: {
      phase: 'active',
      claim: CLAIM,
      generation: GENERATION,
      revision: 7,
      applied: [{ name: 'a', value: '1' }],
      echoing: [],
      changed: [],
      identity: null,
      existed: true,
    },
  });
  expect(fold(...MADE.slice(0, 2)).reservation).toEqual({
    phase: 'claiming',
    claim: CLAIM,
    generation: GENERATION,
    revision: null,
    applied: null,
    echoing: [],
    changed: [],
    identity: null,
    existed: false,
  });
});

test('a device that went away is reserved still, and no attribute of it counts', () => {
  expect(fold(...MADE, DRIFT).reservation).toMatchObject({
    phase: 'reserved',
    applied: null,
    identity: null,
    existed: true,
    revision: 7,
  });
});

test('attributes that somebody changed are known until they were written again, and so is what is watched', () => {
  const attributes = [
    { name: 'a', value: '1' },
    { name: 'b', value: '2' },
  ];
  const written: DeviceFact = { kind: 'configured', ...ABOUT, attributes, echoing: ['a', 'b'] };
  const changed: DeviceFact = { kind: 'drift', ...ABOUT, cause: 'AttributesChanged', attributes: ['b'] };
  const drifted = fold(...MADE, written, changed);
  const whole = { phase: 'active', applied: attributes, echoing: ['a', 'b'] };
  expect(drifted.reservation).toMatchObject({ ...whole, changed: ['b'] });
  expect(evolve(drifted, written, 9).reservation).toMatchObject({ ...whole, changed: [] });
  expect(evolve(drifted, DRIFT, 9).reservation).toMatchObject({ echoing: [], changed: [] });
});

test('a device that is given back holds its UUID until it is gone', () => {
  const withdrawn = declaration('withdrawn', { desired: 'absent', claim: null });
  const leaving = fold(...MADE, withdrawn, RELEASING);
  expect(leaving.desired).toEqual({ kind: 'absent', generation: LATER });
  expect(leaving.reservation).toMatchObject({ phase: 'releasing', claim: CLAIM });
  expect(evolve(leaving, GONE, 8).reservation).toBeNull();
});

test('a host that was fenced knows it', () => {
  expect(fold(...MADE, { kind: 'fenced', ...ABOUT, message: 'forced' }).reservation?.phase).toBe('fenced');
});

test('a reason to wait stays until something happens', () => {
  const waiting = fold(...MADE.slice(0, 3), WAITING);
  expect(waiting.waiting).toEqual({ reason: 'ParentAbsent', message: 'no mtty' });
  for (const fact of [
    ACTIVE,
    { kind: 'settled', ...ABOUT } as const,
    FAILED,
    RELEASING,
    RETRY,
    declaration('updated'),
  ]) {
    expect(evolve(waiting, fact, 5).waiting).toBeNull();
  }
  expect(evolve(waiting, CONFIGURED, 5).waiting).toEqual(waiting.waiting);
});

describe('an end of a generation', () => {
  const ended = fold(...MADE, FAILED);

  test('keeps what is held', () => {
    expect(ended.terminal).toMatchObject({
      kind: 'failed',
      generation: GENERATION,
      claim: CLAIM,
      holder: null,
    });
    expect(ended.reservation?.phase).toBe('active');
  });

  test('drops a claim that never held anything', () => {
    const { terminal, reservation } = fold(declared(UUID, 1), CLAIMING, CONFLICT);
    expect(terminal).toMatchObject({ kind: 'conflict', claim: CLAIM, reason: 'UuidHeld' });
    expect(reservation).toBeNull();
  });

  test('moves on with the same declaration, and is over with another one or a retry', () => {
    expect(evolve(ended, declaration('unchanged'), 7).terminal).toEqual({
      ...ended.terminal,
      generation: LATER,
    });
    expect(evolve(ended, declaration('updated'), 7).terminal).toBeNull();
    expect(evolve(ended, RETRY, 7).terminal).toBeNull();
  });

  test('of nothing known is nothing', () => {
    expect(fold(FAILED).terminal).toBeNull();
  });
});

test('a refused second claim stands beside the first, at its own generation', () => {
  const first = fold(...MADE);
  const both = evolve(first, declaration('refused', { claim: OTHER_CLAIM }), 6);
  expect(both).toEqual({
    ...first,
    version: 6,
    refused: expect.objectContaining({ generation: LATER, claim: OTHER_CLAIM, reason: 'ClaimDiffers' }),
  });
  expect(both.refused?.message).toContain(describeClaim(CLAIM));
  for (const after of [
    declaration('unchanged'),
    declaration('withdrawn', { desired: 'absent', claim: null }),
  ]) {
    expect(evolve(both, after, 7).refused).toBeNull();
  }
  expect(evolve(both, RETRY, 7).refused).toBe(both.refused);
});

test('a device that nobody declared is known until it is gone or declared', () => {
  const device = { parent: 'mtty', type: 'mtty-1' };
  const unmanaged = fold({ kind: 'unmanaged', v: 1, uuid: UUID, device });
  expect(unmanaged.unmanaged).toEqual(device);
  expect(evolve(unmanaged, { kind: 'unmanaged', v: 1, uuid: UUID, device: null }, 2).unmanaged).toBeNull();
  expect(evolve(unmanaged, declared(UUID, 1), 2).unmanaged).toBeNull();
});

test('whatever happens, a device keeps its name, and its version is the last fact', () => {
  fc.assert(
    fc.property(fc.array(anyDeviceFact, { minLength: 1 }), (facts) => {
      const device = fold(...facts);
      expect(device).toMatchObject({ uuid: UUID, host: HOST, version: facts.length });
      expect(JSON.parse(JSON.stringify(device))).toEqual(device);
    }),
  );
});

describe('a hold that was taken away', () => {
  const FENCED: DeviceFact = { kind: 'fenced', ...ABOUT, message: 'held by host b', revision: 9 };
  const fenced = fold(...MADE, FENCED);

  test('says who has it, and is remembered after it was forgotten', () => {
    expect(fenced.reservation).toMatchObject({ phase: 'fenced', claim: CLAIM });
    expect(fenced.fence).toEqual({ revision: 9, message: 'held by host b' });
    expect(evolve(fenced, GONE, 7)).toMatchObject({ reservation: null, fence: { revision: 9 } });
  });

  test('is over when the UUID is taken again', () => {
    expect(fold(...MADE, FENCED, GONE, CLAIMING).fence).not.toBeNull();
    expect(fold(...MADE, FENCED, GONE, CLAIMING, RESERVED).fence).toBeNull();
  });

  test('of which an earlier program wrote less has no revision', () => {
    expect(fold(...MADE, { kind: 'fenced', ...ABOUT, message: 'm' }).fence?.revision).toBeNull();
  });
});

test('a hold that is asserted anew stays what it was, at another revision', () => {
  for (const facts of [[...MADE], [...MADE, RELEASING]]) {
    const before = fold(...facts);
    const after = evolve(before, { kind: 'reasserted', ...ABOUT, revision: 12 }, 9);
    expect(after).toEqual({ ...before, version: 9, reservation: { ...before.reservation, revision: 12 } });
  }
});
