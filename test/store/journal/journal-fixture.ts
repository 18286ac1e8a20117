/**
 * What the tests of the journal share: an identity, a stamp, a few facts. Programs that tests start use it too.
 */
import type { FactOf } from '../../../events/fact.ts';
import type { StoredRecord } from '../../../events/record.ts';
import type { AppendResult, Stamp } from '../../../store/journal/journal.ts';

export const HOST = 'node-1';
export const MACHINE = { machineId: '0123456789abcdef0123456789abcdef', product: 'product-1' };
export const OWN = { host: HOST, machine: MACHINE, software: 'mdevfleet test' };
export const UUID = '00000000-0000-4000-8000-000000000001';
export const OTHER_UUID = '00000000-0000-4000-8000-000000000002';
export const CLAIM = { host: HOST, parent: 'mtty', type: 'mtty-1' };

/** Times that differ from record to record, and never between runs. */
export function makeStamp(): Stamp {
  let seconds = 0;
  return () => {
    seconds += 1;
    return { time: new Date(seconds * 1000).toISOString(), boot: 'boot-1' };
  };
}

/** The n-th declaration of a device. */
export function declared(uuid: string, n: number): FactOf<'declared'> {
  return {
    kind: 'declared',
    v: 1,
    uuid,
    generation: { epoch: 1, sequence: n },
    event: { id: `event-${n}`, source: 'test', time: '2026-01-01T00:00:00Z' },
    desired: 'present',
    claim: CLAIM,
    attributes: [{ name: 'assign_adapter', value: `${n}` }],
    labels: {},
    set: null,
    replaces: null,
    outcome: n === 1 ? 'claimed' : 'updated',
  };
}

/** The eventKey of `declared`. */
export function keyOf(n: number): string {
  return `test event-${n}`;
}

/** A fact as large as a disk's last bit of room. */
export function large(bytes: number): FactOf<'fenced'> {
  return {
    kind: 'fenced',
    v: 1,
    uuid: UUID,
    generation: { epoch: 1, sequence: 1 },
    message: 'x'.repeat(bytes),
  };
}

/** The records of an append that must have been stored. */
export function durable(result: AppendResult): readonly StoredRecord[] {
  if (result.kind !== 'durable')
    throw new Error(`expected durable records, got ${result.kind}`, { cause: result });
  return result.records;
}
