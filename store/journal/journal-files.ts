/**
 * Where a journal's bytes lie: one LMDB environment per host, four databases.
 *
 * The program that checks a journal before it is opened loads this file and little else.
 */
import { join } from 'node:path';
import { type Database, type DatabaseOptions, type Key, open, type RootDatabase } from 'lmdb';
import { sha256 } from '../../events/digest.ts';
import { NO_RECORD } from '../../events/record.ts';
import type { Device } from '../device.ts';
import type { Positions } from './journal.ts';
import type { Tail } from './journal-storage.ts';

/** Stored with every commit; the projections are in step with the log when `tail` is the log's. */
export type State = { readonly fold: number; readonly tail: Tail; readonly positions: Positions };

/** `sum` is of the rest: some of it follows from no record, so that nothing else shows when it was changed. */
export type StoredState = State & { readonly sum?: string | undefined };

/** The state with its sum. */
export function summed({ fold, tail, positions }: State): StoredState {
  return { fold, tail, positions, sum: sumOf({ fold, tail, positions }) };
}

/** True for a state as it was stored; an older program stored it without a sum. */
export function isIntact({ sum, ...state }: StoredState): boolean {
  return sum === undefined || sum === sumOf(state);
}

function sumOf(state: State): string {
  return sha256(new TextEncoder().encode(JSON.stringify(state)));
}

/** Key of the one entry of `positions`. */
export const STATE = 'state';

/** Key of the last record that was moved into segments, beside STATE; it never changes while a file is open. */
const ARCHIVED = 'archived';

export type JournalFiles = {
  readonly dir: string;
  readonly root: RootDatabase;
  /** Sequence, from 1 → the record's exact bytes. Keys are unsigned 32-bit integers. */
  readonly log: Database<Uint8Array, number>;
  /** UUID → what is known of it. */
  readonly devices: Database<Device, string>;
  /** Event key and UUID → sequence of the event's record. */
  readonly events: Database<number, string>;
  readonly positions: Database<StoredState, string>;
};

/** The file that holds everything; it exists if and only if a journal was begun. */
export function dataFile(dir: string): string {
  return join(dir, 'data.mdb');
}

/**
 * Opens the environment. A damaged file can end the process here or at any read later.
 * Without overlappingSync a commit that returned is on the disk; noSubdir is said because
 * lmdb takes a folder with a dot in its name, such as a host's, for a file.
 */
export function openFiles(dir: string, readOnly: boolean): JournalFiles {
  const root = open({ path: dir, noSubdir: false, overlappingSync: false, readOnly });
  return {
    dir,
    root,
    log: named(root, 'log', { keyEncoding: 'uint32', encoding: 'binary' }),
    devices: named(root, 'devices', { encoding: 'json' }),
    events: named(root, 'events', { encoding: 'json' }),
    positions: named(root, 'positions', { encoding: 'json' }),
  };
}

/** The last record that was moved out of the log; sequence 0 and NO_RECORD when none was. */
export function archivedIn({ positions }: JournalFiles): Tail {
  const stored: unknown = positions.get(ARCHIVED);
  return (stored as Tail | undefined) ?? { seq: 0, hash: NO_RECORD };
}

/** Says which record comes right before the log. */
export function storeArchived({ positions }: JournalFiles, tail: Tail): void {
  (positions as unknown as { putSync(key: string, value: Tail): void }).putSync(ARCHIVED, tail);
}

/** lmdb answers undefined, whatever its types say, for a database that is not there and may not be made. */
function named<V, K extends Key>(root: RootDatabase, name: string, options: DatabaseOptions): Database<V, K> {
  const found: Database<V, K> | undefined = root.openDB<V, K>(name, options);
  if (found === undefined) throw new Error(`there is no database ${name} in the environment`);
  return found;
}

type Stats = { readonly entryCount: number; readonly lastPageNumber: number; readonly pageSize: number };

/** What LMDB keeps count of: entries of the database, pages of the environment. */
export function statsOf(database: Database): Stats {
  return database.getStats() as Stats;
}
