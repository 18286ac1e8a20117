/**
 * For which devices the start of guests is held up, and until when.
 */
import { describe, expect, test } from 'vitest';
import type { PassEnd } from '../../../reconciler/pass.ts';
import { Restoring } from '../../../src/agent/restoring.ts';
import { type Device, type Phase, unknownDevice } from '../../../store/device.ts';

const HOST = 'host-a';
const UUID = '5d3c7e0a-2f51-4b1e-9a44-0c8a6f1e2b01';
const OTHER = '5d3c7e0a-2f51-4b1e-9a44-0c8a6f1e2b02';
const CLAIM = { host: HOST, parent: 'p', type: 't' };
const GENERATION = { epoch: 1, sequence: 1 };

const SETTLED: PassEnd = { kind: 'settled' };
const PARENT_LATE: PassEnd = { kind: 'waiting', reason: 'ParentAbsent', wake: 'parent' };
const NO_SERVER: PassEnd = { kind: 'waiting', reason: 'RegistryUnreachable', wake: 'registry' };

function held(uuid: string, phase: Phase = 'active', desired: 'present' | 'absent' = 'present'): Device {
  const reservation = {
    ...{ phase, claim: CLAIM, generation: GENERATION, revision: 1, applied: null },
    ...{ echoing: [], changed: [], identity: null, existed: true },
  };
  return {
    ...unknownDevice(HOST, uuid),
    reservation,
    desired:
      desired === 'absent'
        ? { kind: 'absent', generation: GENERATION }
        : {
            ...{ kind: 'present', generation: GENERATION, claim: CLAIM },
            ...{ attributes: [], set: null, replaces: null },
          },
  };
}

async function isDone(restoring: Restoring): Promise<boolean> {
  return Promise.race([restoring.done.then(() => true), Promise.resolve().then(() => false)]);
}

describe('nothing is waited for', () => {
  test.each([
    ['when nothing is known', []],
    ['for what is not held yet, since that takes a server', [held(UUID, 'claiming')]],
    ['for what is on its way out', [held(UUID, 'releasing', 'absent')]],
    ['for what is withdrawn, and still there', [held(UUID, 'active', 'absent')]],
    ['for what was taken away', [held(UUID, 'fenced')]],
  ])('%s', async (_what, devices) => {
    expect(await isDone(new Restoring(devices, true))).toBe(true);
  });
});

describe('after a boot', () => {
  test('each device that was held is waited for', async () => {
    const restoring = new Restoring([held(UUID), held(OTHER, 'reserved')], true);
    restoring.passEnded(UUID, SETTLED);
    expect([restoring.left, await isDone(restoring)]).toEqual([1, false]);
    restoring.passEnded(OTHER, { kind: 'terminal' });
    expect([restoring.left, await isDone(restoring)]).toEqual([0, true]);
  });

  test('a driver that is late, or a kernel that is at it, holds it up', async () => {
    const restoring = new Restoring([held(UUID)], true);
    restoring.passEnded(UUID, PARENT_LATE);
    restoring.passEnded(UUID, { kind: 'requeue', why: 'EAGAIN' });
    expect(await isDone(restoring)).toBe(false);
    restoring.passEnded(UUID, SETTLED);
    expect(await isDone(restoring)).toBe(true);
  });

  test('a server that is away, or a host that is paused, does not', async () => {
    const restoring = new Restoring([held(UUID), held(OTHER)], true);
    restoring.passEnded(UUID, NO_SERVER);
    restoring.passEnded(OTHER, { kind: 'waiting', reason: 'Paused', wake: 'command' });
    expect(await isDone(restoring)).toBe(true);
  });

  test('what is drawn back later is not waited for again', async () => {
    const restoring = new Restoring([held(UUID), held(OTHER)], true);
    restoring.passEnded(UUID, SETTLED);
    restoring.passEnded(UUID, PARENT_LATE);
    expect(restoring.left).toBe(1);
  });
});

test('where an agent is only started again, one look at each device is enough', async () => {
  const restoring = new Restoring([held(UUID)], false);
  restoring.passEnded(UUID, { kind: 'requeue', why: 'EAGAIN' });
  expect(await isDone(restoring)).toBe(false);
  restoring.passEnded(UUID, PARENT_LATE);
  expect(await isDone(restoring)).toBe(true);
});
