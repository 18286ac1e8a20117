/**
 * The records of a journal that was found whole, while its agent may go on writing.
 */
import type { StoredRecord } from '../../events/record.ts';
import { openFiles } from '../../store/journal/journal-files.ts';
import { LmdbStorage } from '../../store/journal/lmdb-storage.ts';
import { recordsOf } from '../../store/journal/replay.ts';

/** All of them, up to the one that is the last when the end is reached. */
export async function* recordsIn(dir: string): AsyncGenerator<StoredRecord> {
  const storage = new LmdbStorage(openFiles(dir, true));
  try {
    yield* recordsOf(storage);
  } finally {
    await storage.close();
  }
}
