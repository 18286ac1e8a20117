/**
 * `verify`: the whole of a host's journal against itself, in a process of its own.
 */
import { verifyJournalFiles } from '../../store/journal/probe.ts';
import { journalFolder, required } from '../config.ts';
import { Failure, type Outcome } from '../exit.ts';
import type { Invocation } from './verb.ts';

export async function verify({ settings, flags, out }: Invocation): Promise<Outcome> {
  const host = required(settings, 'host');
  const dir = journalFolder(required(settings, 'data'), host);
  const found = await verifyJournalFiles(dir);
  if (found.kind === 'absent') {
    throw new Failure(`verifying the journal of host ${host}: there is none in ${dir}`, {
      outcome: 'usage',
      wayOut: 'check --host and --data',
    });
  }
  if (flags['json'] === true) out.json({ host, dir, ...found });
  if (found.kind === 'damaged') {
    throw new Failure(`verifying the journal of host ${host} in ${dir}: ${found.reason}`, {
      outcome: 'damaged',
      wayOut:
        'stop the agent of this host, keep the folder aside as it is, and restore the journal from a backup',
    });
  }
  if (flags['json'] !== true) {
    const { tail, devices, unknown } = found;
    const newer = unknown === 0 ? '' : `, ${unknown} records of a newer program`;
    out.line(`the journal of host ${host} is whole: ${tail.seq} records, ${devices} devices${newer}`);
    out.line(`last record ${tail.hash}`);
  }
  return 'ok';
}
