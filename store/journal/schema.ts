/**
 * The version of how a journal lies on disk: its databases, their keys and encodings, and what surrounds a record.
 *
 * A program opens journals of its own version and of every earlier one, which it upgrades; a later one is refused,
 * unread and unchanged. Whatever else changes, the number stays where it is. Kinds of facts that a program does not
 * know need no new version: they are kept, and left out of the fold until a program knows them.
 */
import type { JournalFiles } from './journal-files.ts';
import { JournalRefused } from './journal-refused.ts';

/** Brings a journal from one version to the next; all of it, or nothing when it throws. */
export type Upgrade = (files: JournalFiles) => void;

/** The n-th, from 1, brings a journal from version n to n + 1. */
const UPGRADES: readonly Upgrade[] = [mayBeArchived];

/** The version that this program writes. */
export const SCHEMA_VERSION = UPGRADES.length + 1;

/** Nothing that is there changes; but a program of version 1 would take a journal of which records were archived for damaged. */
function mayBeArchived(): void {}

const KEY = 'schema';
/** Journals that were begun before there was a number have this version. */
const FIRST = 1;

/** The version in which a journal is kept. */
export function schemaOf({ positions }: JournalFiles): number {
  const stored: unknown = positions.get(KEY);
  return typeof stored === 'number' ? stored : FIRST;
}

/** Says that a journal which was begun just now is of this program's version. */
export function stampSchema({ positions }: JournalFiles, schema: number = SCHEMA_VERSION): void {
  (positions as unknown as { putSync(key: string, value: number): void }).putSync(KEY, schema);
}

/** Brings a journal of an earlier version to this program's, in one commit for each step. */
export function upgrade(files: JournalFiles, upgrades: readonly Upgrade[] = UPGRADES): void {
  for (const [at, step] of upgrades.entries()) {
    const from = at + FIRST;
    if (schemaOf(files) !== from) continue;
    files.root.transactionSync(() => {
      step(files);
      stampSchema(files, from + 1);
    });
  }
}

/** Why a journal of a later version is not opened. */
export function newer(dir: string, schema: number): JournalRefused {
  const message =
    `the journal in ${dir} was written by a newer program (schema ${schema}; this program knows ${SCHEMA_VERSION} ` +
    'and earlier). Nothing was changed. Run the newer program again; or move the journal away and make it again ' +
    'with this program by `mdevfleet rebuild`, which loses what was not forwarded';
  return new JournalRefused('newer', message);
}
