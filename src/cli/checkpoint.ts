/**
 * `checkpoint`: prints a signed statement of where a host's journal ends, to be kept elsewhere, or the public key that
 * it is checked with.
 *
 * Nothing is recorded: the agent, which may be running, records its own. What is printed here is worth something once
 * it is away from the host.
 */
import { systemClock } from '../../reconciler/clock-system.ts';
import { pemOfKey, type Signer } from '../../store/journal/checkpoint.ts';
import { readIdentity } from '../../store/journal/group-commit.ts';
import { openFiles } from '../../store/journal/journal-files.ts';
import { LmdbStorage } from '../../store/journal/lmdb-storage.ts';
import { checkJournal } from '../../store/journal/probe.ts';
import { readSigningKey, signingKeyFile } from '../../store/journal/signing-key.ts';
import { journalFolder, required } from '../config.ts';
import { Failure, type Outcome } from '../exit.ts';
import { guarded } from './guarded.ts';
import type { Invocation, Verb } from './verb.ts';

export const checkpoint: Verb = guarded(printCheckpoint, ({ flags }) => flags['publicKey'] !== true);

async function printCheckpoint({ settings, flags, out }: Invocation): Promise<Outcome> {
  const dir = journalFolder(required(settings, 'data'), required(settings, 'host'));
  const signer = signerIn(dir);
  await out.raw([flags['publicKey'] === true ? pemOfKey(signer.publicKey) : await noteOn(dir, signer)]);
  return 'ok';
}

function signerIn(dir: string): Signer {
  const signer = readSigningKey(dir);
  if (signer !== undefined) return signer;
  throw new Failure(`reading the key in ${signingKeyFile(dir)}: there is none`, {
    outcome: 'usage',
    wayOut: 'check --host and --data; the agent makes a key when it starts',
  });
}

/** What is signed is looked at first, since it cannot be taken back. */
async function noteOn(dir: string, signer: Signer): Promise<string> {
  const found = await checkJournal(dir);
  if (found.kind === 'absent') throw failed(dir, 'there is none', 'usage', 'check --host and --data');
  if (found.kind === 'damaged') {
    throw failed(dir, found.reason, 'damaged', 'see what `mdevfleet verify` says of it; nothing was signed');
  }
  const storage = new LmdbStorage(openFiles(dir, true));
  try {
    const { host, journal } = readIdentity(storage);
    return signer.sign({ host, journal, ...found.tail, time: systemClock.wall() });
  } finally {
    await storage.close();
  }
}

function failed(dir: string, what: string, outcome: Failure['outcome'], wayOut: string): Failure {
  return new Failure(`signing where the journal in ${dir} ends: ${what}`, { outcome, wayOut });
}
