/**
 * A host's journal in LMDB: begun once, checked before every opening, refused when it is
 * damaged or somebody else's.
 *
 * A journal is begun beside its place and moved there whole, so that a data file that
 * exists always holds a genesis record: an empty or broken one is damage, never a fresh start.
 */
import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Machine } from '../../events/fact.ts';
import type { HostId } from '../../events/names.ts';
import { makeFolder, syncFolder } from './directory.ts';
import { genesis } from './draft.ts';
import { GroupCommitJournal, type GroupCommitOptions, readIdentity } from './group-commit.ts';
import type { Journal } from './journal.ts';
import { dataFile, openFiles } from './journal-files.ts';
import { assertOwn, JournalRefused } from './journal-refused.ts';
import { FOLD_VERSION } from './journal-storage.ts';
import { LmdbStorage } from './lmdb-storage.ts';
import { checkJournal } from './probe.ts';
import { Misfit } from './replay.ts';
import { stampSchema, upgrade } from './schema.ts';

export type JournalOptions = Omit<GroupCommitOptions, 'schedule'> & {
  readonly dir: string;
  readonly host: HostId;
  readonly machine: Machine;
  readonly software: string;
  /** Id for a journal that is begun here if there is none; without it, an absent journal is refused. */
  readonly create?: string | undefined;
};

/**
 * Opens the journal in `dir`; one commit per turn of the event loop. Whoever calls holds the lock (lock.ts).
 * Throws JournalRefused when there is none to open, it is damaged, or not this host's on this machine.
 */
export async function openJournal(options: JournalOptions): Promise<Journal> {
  const { dir, create } = options;
  const found = await checkJournal(dir);
  if (found.kind === 'damaged') throw damaged(dir, found.reason);
  if (found.kind === 'absent') {
    if (create === undefined) throw new JournalRefused('absent', `there is no journal in ${dir}`);
    await begin(options, create);
  }
  const files = openFiles(dir, false);
  const storage = new LmdbStorage(files);
  try {
    upgrade(files);
    return open(storage, options);
  } catch (error) {
    await storage.close();
    throw error instanceof Misfit ? damaged(dir, error.message, { cause: error }) : error;
  }
}

function open(storage: LmdbStorage, options: JournalOptions): Journal {
  assertOwn(options.dir, readIdentity(storage), options);
  if (storage.projections().fold !== FOLD_VERSION) storage.rebuild();
  return new GroupCommitJournal(storage, { ...options, schedule: setImmediate });
}

async function begin(options: JournalOptions, journal: string): Promise<void> {
  const { dir, host, machine, software, stamp } = options;
  const beside = join(dir, 'beginning');
  rmSync(beside, { recursive: true, force: true });
  makeFolder(beside);
  const files = openFiles(beside, false);
  stampSchema(files);
  const storage = new LmdbStorage(files);
  storage.commit(genesis({ journal, host, machine }, software, stamp));
  await storage.close();
  renameSync(dataFile(beside), dataFile(dir));
  syncFolder(dir);
  rmSync(beside, { recursive: true });
}

function damaged(dir: string, reason: string, options?: ErrorOptions): JournalRefused {
  const message =
    `the journal in ${dir} is damaged: ${reason}. Nothing was changed. ` +
    `Restore ${dataFile(dir)} from a backup, or move it away to have the host begin a new journal`;
  return new JournalRefused('damaged', message, options);
}
