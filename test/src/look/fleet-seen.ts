/**
 * What a fleet is known to have, for tests of pools and plans: hosts with parents of one pool each.
 */
import type { FactOf } from '../../../events/fact.ts';
import type { Row } from '../../../events/row.ts';
import type { HostOffers } from '../../../src/declare/offers.ts';
import { UUID } from '../declared.ts';

const TYPES = [
  { id: 'nvidia-222', capacity: 4 },
  { id: 'nvidia-223', capacity: 2 },
];

/** A host with these parents, each with room for four small devices or two big ones. */
export function offersOf(host: string, parents: readonly string[], labels = {}): HostOffers {
  const inventory: FactOf<'inventory'> = {
    ...{ kind: 'inventory', v: 1, kernel: '6.12', labels, omitted: 0 },
    types: [
      { id: 'nvidia-222', name: 'NVIDIA T4-1B', api: 'vfio-pci' },
      { id: 'nvidia-223', name: 'NVIDIA T4-2B', api: 'vfio-pci' },
    ],
    parents: parents.map((name) => ({ name, driver: 'nvidia', types: TYPES })),
  };
  return { host, time: '2026-01-01T00:00:00.000Z', inventory };
}

export function rowOf(change: Partial<Row> = {}): Row {
  return {
    ...{ uuid: UUID, host: 'host-a', parent: 'gpu0', type: 'nvidia-222', state: 'ready', reason: null },
    ...{ message: null, generation: { epoch: 1, sequence: 1 }, attributes: [], set: 'web' },
    ...change,
  };
}

/** The host's offers with a parent that somebody keeps new devices from. */
export function cordonedOn(offers: HostOffers, parent: string): HostOffers {
  const parents = offers.inventory.parents.map((one) =>
    one.name === parent ? { ...one, cordoned: 'alice' } : one,
  );
  return { ...offers, inventory: { ...offers.inventory, parents } };
}
