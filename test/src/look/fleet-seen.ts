/**
 * What a fleet is known to have, for tests: hosts with parents of one pool each, and what their agents say.
 */
import { sha256 } from '../../../events/digest.ts';
import type { Fact, FactOf } from '../../../events/fact.ts';
import { encodeRecord, NO_RECORD } from '../../../events/record.ts';
import type { Row } from '../../../events/row.ts';
import type { Outgoing } from '../../../events/stream.ts';
import { formatSubject, type Subject } from '../../../events/subject.ts';
import type { HostOffers } from '../../../src/declare/offers.ts';
import { formatWitness } from '../../../store/witness.ts';
import { UUID } from '../declared.ts';

const TIME = '2026-01-01T00:00:00.000Z';

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
  return { host, time: TIME, inventory };
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

/** What a host's agent forwards, as record number `seq` of its journal. */
export function forwarded(
  seq: number,
  about: Omit<Subject, 'kind'>,
  fact: Fact,
  rows?: readonly Row[],
): Outgoing {
  const { bytes } = encodeRecord({ seq, time: TIME, boot: 'boot', prev: NO_RECORD }, fact, rows);
  const id = formatWitness({ journal: `journal-${about.host}`, seq, hash: sha256(bytes) });
  return { subject: formatSubject('mdev', { kind: 'observed', ...about }), id, data: bytes };
}
