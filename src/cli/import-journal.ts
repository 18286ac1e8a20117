/**
 * `import journal`: makes a host's journal from an exported one, in a place where there is none.
 *
 * The file is verified first. What the host had recorded after it was exported is not in it.
 */

import { hostname } from 'node:os';
import { messageOf } from '../../events/message-of.ts';
import { systemClock } from '../../reconciler/clock-system.ts';
import { readExport } from '../../store/journal/export.ts';
import { lockJournal } from '../../store/journal/lock.ts';
import { restoreJournal } from '../../store/journal/restore.ts';
import { verifyRecords } from '../../store/journal/verify.ts';
import { journalFolder, required } from '../config.ts';
import { Failure, type Outcome } from '../exit.ts';
import { guarded } from './guarded.ts';
import type { Invocation, Verb } from './verb.ts';

export const importJournal: Verb = guarded(read, () => true);

async function read({ settings, args, flags, out }: Invocation): Promise<Outcome> {
  const host = required(settings, 'host');
  const dir = journalFolder(required(settings, 'data'), host);
  const file = pathIn(args);
  await assertWhole(file, host);
  const lock = lockJournal(dir, { pid: process.pid, host: hostname(), since: systemClock.wall() });
  try {
    const made = await restoreJournal(dir, readExport(file));
    if (flags['json'] === true) out.json({ host, dir, ...made });
    else
      out.line(`made journal ${made.identity.journal} of host ${host} in ${dir}: ${made.tail.seq} records`);
    return 'ok';
  } finally {
    lock.release();
  }
}

async function assertWhole(file: string, host: string): Promise<void> {
  const found = await verifyRecords(readExport(file)).catch((cause: unknown) => {
    const message = messageOf(cause);
    throw new Failure(`reading ${file}: ${message}`, {
      outcome: 'input',
      wayOut: 'name an exported journal',
      cause,
    });
  });
  if (found.kind === 'damaged')
    throw new Failure(`importing ${file}: ${found.reason}`, {
      outcome: 'damaged',
      wayOut: 'use another copy of it',
    });
  if (found.host !== host)
    throw new Failure(`importing ${file}: it is of host ${found.host}`, {
      outcome: 'foreign',
      wayOut: `give --host ${found.host}, or a file of host ${host}`,
    });
}

function pathIn([, file]: readonly string[]): string {
  if (file !== undefined) return file;
  throw new Failure('reading the arguments: no file is named', {
    outcome: 'usage',
    wayOut: 'give the path of an exported journal',
  });
}
