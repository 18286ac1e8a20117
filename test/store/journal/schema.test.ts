/**
 * Journals of other versions of the program: earlier ones are upgraded, later ones are refused, and nothing is changed.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { dataFile, type JournalFiles, openFiles } from '../../../store/journal/journal-files.ts';
import { type JournalOptions, openJournal } from '../../../store/journal/journal-lmdb.ts';
import { verifyJournalFiles } from '../../../store/journal/probe.ts';
import { SCHEMA_VERSION, schemaOf, stampSchema, upgrade } from '../../../store/journal/schema.ts';
import { declared, durable, makeStamp, OWN, UUID } from './journal-fixture.ts';
import { makeTempFolder } from './journal-folder.ts';

function options(dir: string): JournalOptions {
  return { ...OWN, dir, create: 'journal-1', stamp: makeStamp() };
}

/** A journal with one device, closed, and then what is done to its files. */
async function journalWith(change: (files: JournalFiles) => unknown): Promise<string> {
  const dir = makeTempFolder();
  const journal = await openJournal(options(dir));
  durable(await journal.append({ facts: [declared(UUID, 1)] }));
  await journal.close();
  await withFiles(dir, change);
  return dir;
}

async function withFiles<T>(dir: string, work: (files: JournalFiles) => T): Promise<T> {
  const files = openFiles(dir, false);
  const answer = work(files);
  await files.root.close();
  return answer;
}

describe('the schema of a journal', () => {
  test('is the one of the program that began it', async () => {
    const dir = await journalWith(() => undefined);
    expect(await withFiles(dir, schemaOf)).toBe(SCHEMA_VERSION);
  });

  test('of a newer program is refused, by agents and by verify, with the way out, and no byte is changed', async () => {
    const dir = await journalWith((files) => stampSchema(files, SCHEMA_VERSION + 1));
    const before = readFileSync(dataFile(dir));
    const refusal = {
      reason: 'newer',
      message: expect.stringMatching(/newer program \(schema \d+.*rebuild/),
    };
    await expect(openJournal(options(dir))).rejects.toMatchObject(refusal);
    await expect(verifyJournalFiles(dir)).rejects.toMatchObject(refusal);
    expect(readFileSync(dataFile(dir)).equals(before)).toBe(true);
  });

  test('is the first where none was written down, and such a journal is opened', async () => {
    const dir = await journalWith(({ positions }) => positions.removeSync('schema'));
    expect(await withFiles(dir, schemaOf)).toBe(1);
    const journal = await openJournal(options(dir));
    expect(journal.device(UUID).desired).toMatchObject({ kind: 'present' });
    await journal.close();
  });

  test('is brought up step by step, each once and in order, from wherever it is', async () => {
    const done: number[] = [];
    const steps = [1, 2, 3].map((from) => () => void done.push(from));
    const dir = await journalWith((files) => stampSchema(files, 2));
    const after = await withFiles(dir, (files) => {
      upgrade(files, steps);
      upgrade(files, steps);
      return schemaOf(files);
    });
    expect(done).toEqual([2, 3]);
    expect(after).toBe(4);
  });

  test('stays as it was when a step fails', async () => {
    const failing = ({ positions }: JournalFiles) => {
      positions.removeSync('state');
      throw new Error('no room');
    };
    const dir = await journalWith((files) => expect(() => upgrade(files, [failing])).toThrow('no room'));
    const journal = await openJournal(options(dir));
    expect(journal.tail().seq).toBe(2);
    await journal.close();
  });
});
