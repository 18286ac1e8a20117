/**
 * `export journal`: writes a host's journal into a file, one record a line, for an auditor or as a copy.
 *
 * Damage is not handed on: the journal is verified first. The agent may be running.
 */
import { existsSync } from 'node:fs';
import { writeExport } from '../../store/journal/export.ts';
import { verifyJournalFiles } from '../../store/journal/probe.ts';
import { journalFolder, required } from '../config.ts';
import { Failure, type Outcome } from '../exit.ts';
import { guarded } from './guarded.ts';
import { recordsIn } from './journal-records.ts';
import type { Invocation, Verb } from './verb.ts';

export const exportJournal: Verb = guarded(write, () => true);

async function write({ settings, args, out }: Invocation): Promise<Outcome> {
  const host = required(settings, 'host');
  const dir = journalFolder(required(settings, 'data'), host);
  const file = pathIn(args);
  if (existsSync(file))
    throw failed(host, `${file} is there already`, 'refused', 'name a file that is not there yet');
  const found = await verifyJournalFiles(dir);
  if (found.kind === 'absent')
    throw failed(host, `there is none in ${dir}`, 'usage', 'check --host and --data');
  if (found.kind === 'damaged')
    throw failed(
      host,
      found.reason,
      'damaged',
      'keep the folder aside as it is; `rebuild` makes it again from the fleet',
    );
  await writeExport(file, recordsIn(dir));
  out.line(`wrote the journal of host ${host} into ${file}: ${found.tail.seq} records or more`);
  out.line(`record ${found.tail.seq} is ${found.tail.hash}`);
  return 'ok';
}

function pathIn([, file]: readonly string[]): string {
  if (file !== undefined) return file;
  throw new Failure('reading the arguments: no file is named', {
    outcome: 'usage',
    wayOut: 'give the path of the file to write; one that ends in .gz is packed',
  });
}

function failed(host: string, what: string, outcome: Failure['outcome'], wayOut: string): Failure {
  return new Failure(`exporting the journal of host ${host}: ${what}`, { outcome, wayOut });
}
