/**
 * Ids of events and journals: UUIDs of version 7, which sort by the time they were made.
 */
import { v7 } from 'uuid';

/** A new id, unlike any other. */
export function newId(): string {
  return v7();
}
