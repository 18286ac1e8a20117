/**
 * A journal against the devices that are there.
 */
import { expect, test } from 'vitest';
import type { Surveyed } from '../../../reconciler/host.ts';
import { sysfsDifferences } from '../../../src/past/past-check.ts';
import { type Device, type Phase, unknownDevice } from '../../../store/device.ts';

const UUID = '5d3c7e0a-2f51-4b1e-9a44-0c8a6f1e2b01';
const CLAIM = { host: 'host-a', parent: 'mtty', type: 'mtty-1' };
const HERE: Surveyed = { uuid: UUID, parent: 'mtty', type: 'mtty-1' };
const ELSEWHERE: Surveyed = { ...HERE, parent: 'matrix' };
const BEING_MADE: Surveyed = { ...HERE, type: null };

function held(phase: Phase): Partial<Device> {
  const generation = { epoch: 1, sequence: 1 };
  const rest = { revision: 1, applied: null, echoing: [], changed: [], identity: null, existed: false };
  return { reservation: { phase, claim: CLAIM, generation, ...rest } };
}

const UNMANAGED = { unmanaged: { parent: 'mtty', type: 'mtty-1' } };

test.each<[string, Partial<Device> | null, Surveyed | null, string | null]>([
  ['active and there', held('active'), HERE, null],
  ['active and gone', held('active'), null, 'no device'],
  ['active and elsewhere', held('active'), ELSEWHERE, 'mtty-1 on matrix'],
  ['active and just being made', held('active'), BEING_MADE, null],
  ['reserved and not made yet', held('reserved'), null, null],
  ['on its way out', held('releasing'), HERE, null],
  ['unmanaged and there', UNMANAGED, HERE, null],
  ['unmanaged and gone', UNMANAGED, null, 'no device'],
  ['given back and there again', {}, HERE, 'mtty-1 on mtty'],
  ['never heard of', null, HERE, 'mtty-1 on mtty'],
  ['never heard of and being made', null, BEING_MADE, null],
])('%s', (_, known, found, differs) => {
  const device = { ...unknownDevice('host-a', UUID), ...known };
  const devices = new Map(known === null ? [] : [[UUID, device]]);
  const differences = [...sysfsDifferences(devices, found === null ? [] : [found])];
  expect(differences.map((one) => one.found)).toEqual(differs === null ? [] : [differs]);
});
