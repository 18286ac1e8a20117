/**
 * What a declaration does to what was desired before.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Declaration, PresentData } from '../../events/declaration.ts';
import { decide } from '../../store/decide.ts';
import { type Device, type Reservation, unknownDevice } from '../../store/device.ts';
import { evolve } from '../../store/evolve.ts';
import { anyDeviceFact } from './journal/journal-facts.ts';
import { CLAIM, HOST, UUID } from './journal/journal-fixture.ts';

const EVENT = { id: 'event-1', source: 'test', time: '2026-01-01T00:00:00Z' };
const GENERATION = { epoch: 1, sequence: 1 };
const OTHER = { parent: 'mtty', type: 'mtty-2' };
const NOTHING = unknownDevice(HOST, UUID);

function present(change: Partial<PresentData> = {}): Declaration {
  return { desired: 'present', event: EVENT, data: { uuid: UUID, ...CLAIM, ...change } };
}

const ABSENT: Declaration = { desired: 'absent', event: EVENT, data: { uuid: UUID, host: HOST } };

function outcome(device: Device, declaration: Declaration): string {
  return decide(device, declaration, GENERATION).outcome;
}

function knowing(...declarations: readonly Declaration[]): Device {
  return declarations.reduce(
    (device, one, index) => evolve(device, decide(device, one, GENERATION), index + 1),
    NOTHING,
  );
}

/** As it is once the device was whole. */
function whole(device: Device): Device {
  const reservation: Reservation = {
    phase: 'active',
    claim: CLAIM,
    generation: GENERATION,
    revision: 1,
    applied: [],
    echoing: [],
    changed: [],
    identity: null,
    existed: true,
  };
  return { ...device, reservation };
}

test('the fact has all of the declaration', () => {
  const data = {
    attributes: [{ name: 'a', value: '1' }],
    labels: { rack: '7' },
    set: 'fleet',
    replaces: { ...CLAIM, host: 'node-2' },
  };
  expect(decide(NOTHING, present(data), GENERATION)).toEqual({
    kind: 'declared',
    v: 1,
    uuid: UUID,
    generation: GENERATION,
    event: EVENT,
    desired: 'present',
    claim: CLAIM,
    ...data,
    outcome: 'claimed',
  });
  expect(decide(NOTHING, ABSENT, GENERATION)).toMatchObject({
    desired: 'absent',
    claim: null,
    attributes: [],
    outcome: 'withdrawn',
  });
});

describe('present', () => {
  test('on nothing, or on absent, is the claim', () => {
    expect(outcome(NOTHING, present())).toBe('claimed');
    expect(outcome(knowing(present(), ABSENT), present(OTHER))).toBe('claimed');
  });

  test('again changes nothing', () => {
    expect(outcome(knowing(present()), present())).toBe('unchanged');
    expect(outcome(knowing(present()), present({ labels: { rack: '7' } }))).toBe('unchanged');
  });

  test.each<[string, Partial<PresentData>]>([
    ['attributes', { attributes: [{ name: 'a', value: '1' }] }],
    ['a set', { set: 'fleet' }],
    ['a claim to replace', { replaces: { ...CLAIM, host: 'node-2' } }],
  ])('with other %s is an update', (_what, change) => {
    expect(outcome(knowing(present()), present(change))).toBe('updated');
  });

  test('with the attributes in another order is an update', () => {
    const [a, b] = [
      { name: 'a', value: '1' },
      { name: 'b', value: '2' },
    ];
    expect(outcome(knowing(present({ attributes: [a, b] })), present({ attributes: [b, a] }))).toBe(
      'updated',
    );
  });

  test('of another claim is refused once the first had a device', () => {
    expect(outcome(whole(knowing(present())), present(OTHER))).toBe('refused');
    expect(outcome(whole(knowing(present())), present({ parent: 'mdpy' }))).toBe('refused');
  });

  test('of another claim takes the place of one that never had a device', () => {
    expect(outcome(knowing(present()), present(OTHER))).toBe('replaced');
  });

  test('of another claim takes the place of the one that it names', () => {
    const device = whole(knowing(present()));
    expect(outcome(device, present({ ...OTHER, replaces: CLAIM }))).toBe('replaced');
    expect(outcome(device, present({ ...OTHER, replaces: { ...CLAIM, type: 'mtty-3' } }))).toBe('refused');
  });
});

describe('absent', () => {
  test('withdraws what is declared, and what is not known', () => {
    expect(outcome(knowing(present()), ABSENT)).toBe('withdrawn');
    expect(outcome(NOTHING, ABSENT)).toBe('withdrawn');
  });

  test('again changes nothing', () => {
    expect(outcome(knowing(present(), ABSENT), ABSENT)).toBe('unchanged');
  });
});

test('a declaration is what is desired from then on, or is refused and changes nothing else; twice is once', () => {
  const declaration = fc.constantFrom(
    present(),
    present(OTHER),
    present({ ...OTHER, replaces: CLAIM }),
    ABSENT,
  );
  fc.assert(
    fc.property(fc.array(anyDeviceFact, { maxLength: 10 }), declaration, (facts, declared) => {
      const before = facts.reduce((device, fact, index) => evolve(device, fact, index + 1), NOTHING);
      const fact = decide(before, declared, { epoch: 4, sequence: 1 });
      const now = evolve(before, fact, facts.length + 1);
      if (fact.outcome === 'refused') {
        expect(now).toEqual({ ...before, version: now.version, refused: now.refused });
        expect(now.refused?.generation).toEqual(fact.generation);
      } else {
        expect(now.desired).toMatchObject({ kind: declared.desired, generation: fact.generation });
        expect(decide(now, declared, fact.generation).outcome).toBe('unchanged');
      }
    }),
  );
});
