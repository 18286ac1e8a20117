/**
 * A journal as it lies on the disk, when its agent has stopped.
 */
import { join } from 'node:path';
import type { HostId } from '../../events/names.ts';
import { openFiles } from '../../store/journal/journal-files.ts';
import { LmdbStorage } from '../../store/journal/lmdb-storage.ts';
import { recordsOf } from '../../store/journal/replay.ts';

/** Reads the journal of the host in a data folder. */
export async function withJournal<T>(
  data: string,
  host: HostId,
  read: (storage: LmdbStorage) => T | Promise<T>,
): Promise<T> {
  const storage = new LmdbStorage(openFiles(join(data, 'hosts', host), true));
  try {
    return await read(storage);
  } finally {
    await storage.close();
  }
}

/** Number and hash of each record. */
export function hashesOf(storage: LmdbStorage): readonly { readonly seq: number; readonly hash: string }[] {
  return [...recordsOf(storage)].map(({ seq, hash }) => ({ seq, hash }));
}
