/**
 * Ids of events and journals: UUIDs of version 7, which sort by the time they were made. Devices of pools have UUIDs
 * of version 5, which are the same wherever and whenever they are made.
 */
import { v5, v7 } from 'uuid';
import type { Uuid } from '../events/names.ts';

/** What tells UUIDs of pools from all others of version 5. It never changes. */
const POOLS = '3f6d9c1e-8a54-4d27-9b0e-6c2f71d85ae4';

/** A new id, unlike any other. */
export function newId(): string {
  return v7();
}

/** The UUID of the device with this number in a pool of a set. */
export function poolUuid(set: string, pool: string, index: number): Uuid {
  return v5(JSON.stringify([set, pool, index]), POOLS);
}
