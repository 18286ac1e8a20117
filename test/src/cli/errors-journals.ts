/**
 * Journals that are whole, cut short, damaged, locked, of a newer program or of another machine, and files made of them.
 */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openFleetPorts } from '../../../src/agent/fleet-ports.ts';
import { SIMULATED_IDENTITY } from '../../../src/simulated.ts';
import { Forwarder } from '../../../store/forward.ts';
import { pemOfKey, type Signer } from '../../../store/journal/checkpoint.ts';
import { writeExport } from '../../../store/journal/export.ts';
import type { Journal } from '../../../store/journal/journal.ts';
import { dataFile, type JournalFiles, openFiles } from '../../../store/journal/journal-files.ts';
import { openJournal } from '../../../store/journal/journal-lmdb.ts';
import { lockJournal } from '../../../store/journal/lock.ts';
import { restoreJournal } from '../../../store/journal/restore.ts';
import { stampSchema } from '../../../store/journal/schema.ts';
import { openSigningKey } from '../../../store/journal/signing-key.ts';
import { declared, durable, HOST, makeStamp, OWN, UUID } from '../../store/journal/journal-fixture.ts';
import { chain } from '../../store/past/chain.ts';
import { runInProcess } from './in-process.ts';
import { A } from './past-fleet.ts';

const NEWER = 99;

/** Makes them all; the answer unlocks the one that is locked. */
export async function makeErrorsJournals(): Promise<() => void> {
  await makeOwn();
  await makeRolledBack();
  const records = chain('host-a', 'ja', A);
  const gap = records.filter(({ seq }) => seq !== 5);
  await writeExport('gap.ndjson', gap);
  await restore('gap', (files) => files.log.removeSync(5));
  await restore('headless', (files) => files.log.putSync(1, new TextEncoder().encode('{}')));
  await restore('newer', (files) => stampSchema(files, NEWER));
  await restore('misnamed', () => undefined, 'host-b');
  await restore('locked', () => undefined);
  keyIn(join('gap', 'hosts', 'host-a'));
  keyIn(join('keyed', 'hosts', 'host-a'));
  const lock = lockJournal('locked/hosts/host-a', { pid: 4711, host: 'this machine', since: 'just now' });
  return () => lock.release();
}

/** A journal of host-a below `data`, and what is done to its files. */
async function restore(
  data: string,
  change: (files: JournalFiles) => unknown,
  name = 'host-a',
): Promise<void> {
  const dir = join(data, 'hosts', name);
  await restoreJournal(dir, given(chain('host-a', 'ja', A)));
  const files = openFiles(dir, false);
  change(files);
  await files.root.close();
}

async function* given<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

/** A journal with its key and a checkpoint; the fleet was told all of it, and an export lacks its end. */
async function makeOwn(): Promise<void> {
  const dir = join('own', 'hosts', HOST);
  const journal = await openJournal({ ...OWN, dir, create: 'journal-1', stamp: makeStamp() });
  const { publicKey } = keyIn(dir);
  durable(await journal.append({ facts: [{ kind: 'incarnated', v: 1, incarnation: 1 }] }));
  for (const n of [1, 2, 3]) durable(await journal.append({ facts: [declared(UUID, n)] }));
  await exported('short.ndjson');
  durable(await journal.append({ facts: [declared(UUID, 4)] }));
  await forwarded(journal, 'own');
  await journal.close();
  await exported('own.ndjson');
  const { stdout } = await runInProcess(['checkpoint', '--host', HOST, '--data', 'own']);
  writeFileSync('own.note', stdout);
  writeFileSync('own.pem', pemOfKey(publicKey));
  writeFileSync('other.pem', pemOfKey(keyIn('other').publicKey));
  const lines = readFileSync('own.ndjson', 'utf8').split('\n');
  writeFileSync('changed.ndjson', lines.with(2, (lines[2] ?? '').replace('boot-1', 'boot-2')).join('\n'));
}

function keyIn(dir: string): Signer {
  mkdirSync(dir, { recursive: true });
  return openSigningKey(dir);
}

/** A journal of which the fleet was told more than it has now. */
async function makeRolledBack(): Promise<void> {
  const options = {
    ...OWN,
    machine: SIMULATED_IDENTITY,
    dir: join('rolled', 'hosts', HOST),
    stamp: makeStamp(),
  };
  const first = await openJournal({ ...options, create: 'journal-1' });
  await first.close();
  copyFileSync(dataFile(options.dir), 'older.mdb');
  const journal = await openJournal(options);
  durable(await journal.append({ facts: [declared(UUID, 1)] }));
  await forwarded(journal, 'rolled');
  await journal.close();
  copyFileSync('older.mdb', dataFile(options.dir));
}

async function forwarded(journal: Journal, data: string): Promise<void> {
  const fleet = await openFleetPorts({ kind: 'embedded', data, prefix: 'mdev', pollMs: 1_000 }, 'test');
  const forwarder = new Forwarder({ journal, stream: fleet.streams.observed, host: HOST, prefix: 'mdev' });
  await forwarder.flush();
  await fleet.close();
}

async function exported(file: string): Promise<void> {
  const { status, stderr } = await runInProcess(['export', 'journal', file, '--host', HOST, '--data', 'own']);
  if (status !== 0) throw new Error(stderr);
}
