/**
 * Two threads that read a journal say what one says of it, whole or damaged; and it is two that read a whole one.
 */
import { expect, test } from 'vitest';
import { sha256 } from '../../../events/digest.ts';
import { type JournalFiles, openFiles } from '../../../store/journal/journal-files.ts';
import { openJournal } from '../../../store/journal/journal-lmdb.ts';
import type { JournalReader } from '../../../store/journal/journal-storage.ts';
import { LmdbStorage } from '../../../store/journal/lmdb-storage.ts';
import { verifyJournal } from '../../../store/journal/verify.ts';
import { readVouched } from '../../../store/journal/vouched.ts';
import { declared, durable, makeStamp, OWN, UUID } from './journal-fixture.ts';
import { makeTempFolder } from './journal-folder.ts';

/** More than are read at once, with genesis. */
const LAST = 151;
const MIDDLE = 75;

type Log = JournalFiles['log'];

async function makeJournal(): Promise<string> {
  const dir = makeTempFolder();
  const journal = await openJournal({ ...OWN, dir, create: 'journal-1', stamp: makeStamp() });
  const facts = Array.from({ length: LAST - 1 }, (_, at) => declared(UUID, at + 1));
  durable(await journal.append({ facts }));
  await journal.close();
  return dir;
}

async function change(dir: string, damage: (log: Log) => void): Promise<void> {
  const { root, log } = openFiles(dir, false);
  root.transactionSync(() => {
    damage(log);
  });
  await root.close();
}

/** What both ways say of the journal, and for each time that it was read in the one whether two threads did. */
async function compared(dir: string) {
  const files = openFiles(dir, true);
  const vouched: boolean[] = [];
  const read = (reader: JournalReader) => {
    vouched.push(reader.read(1, 1)[0]?.vouched === true);
    return verifyJournal(reader);
  };
  const inTwo = await readVouched(dir, files, read, LAST);
  const inOne = verifyJournal(new LmdbStorage(files));
  await files.root.close();
  return { inTwo, inOne, vouched };
}

function textOf(log: Log, seq: number): string {
  return new TextDecoder().decode(log.get(seq));
}

function put(log: Log, seq: number, text: string): void {
  log.putSync(seq, Buffer.from(text));
}

/** Changes a record, and then all after it, so that the chain is whole. */
function forge(log: Log, from: number, was: string, is: string): void {
  put(log, from, textOf(log, from).replace(was, is));
  for (let seq = from + 1; seq <= LAST; seq += 1)
    put(
      log,
      seq,
      textOf(log, seq).replace(/[0-9a-f]{64}"\}$/, `${sha256(log.get(seq - 1) ?? Buffer.of())}"}`),
    );
}

/** What the thread that folds finds itself. */
const IN_FACTS: Readonly<Record<string, (log: Log) => void>> = {
  'the last record changed': (log) => put(log, LAST, textOf(log, LAST).replace('event-', 'evant-')),
  'a fact of another shape in a whole chain': (log) => forge(log, MIDDLE, '"sequence":74', '"sequence":-1'),
  'a kind that nobody knows in a whole chain': (log) => forge(log, MIDDLE, '"declared"', '"declaimed"'),
};

/** What the other thread does not vouch for. */
const AROUND_FACTS: Readonly<Record<string, (log: Log) => void>> = {
  'a record changed': (log) => put(log, MIDDLE, textOf(log, MIDDLE).replace('event-', 'evant-')),
  'a record dropped': (log) => log.removeSync(MIDDLE),
  'a record that is none': (log) => put(log, MIDDLE, 'null'),
  'rows of another shape in a whole chain': (log) => forge(log, MIDDLE, '"rows":[', '"rows":[0,'),
};

const CASES = [
  ...Object.entries(IN_FACTS).map(([what, damage]) => ({ what, damage, reads: [true] })),
  ...Object.entries(AROUND_FACTS).map(([what, damage]) => ({ what, damage, reads: [true, false] })),
];

test('a whole journal is read once, by two threads', async () => {
  const { inTwo, inOne, vouched } = await compared(await makeJournal());
  expect(inOne).toMatchObject({ kind: 'sound', tail: { seq: LAST } });
  expect(inTwo).toEqual(inOne);
  expect(vouched).toEqual([true]);
});

test.each(CASES)('$what: what is said is what one thread finds', async ({ damage, reads }) => {
  const dir = await makeJournal();
  await change(dir, damage);
  const { inTwo, inOne, vouched } = await compared(dir);
  expect(inOne.kind).toBe('damaged');
  expect(inTwo).toEqual(inOne);
  expect(vouched).toEqual(reads);
});

test('a short journal is read by one thread', async () => {
  const files = openFiles(await makeJournal(), true);
  const read = (reader: JournalReader) => reader.read(1, 1)[0]?.vouched;
  expect(await readVouched('nowhere', files, read)).toBeUndefined();
  await files.root.close();
});
