/**
 * Journals of other versions of the program: earlier ones are upgraded, later ones are refused, and nothing is changed.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { dataFile, type JournalFiles, openFiles } from '../../../store/journal/journal-files.ts';
import { type JournalOptions, openJournal } from '../../../store/journal/journal-lmdb.ts';
import { verifyJournalFiles } from '../../../store/journal/probe.ts';
import { SCHEMA_VERSION, schemaOf, stampSchema, upgrade } from '../../../store/journal/schema.ts';
import { CLAIM, declared, durable, keyOf, makeStamp, OTHER_UUID, OWN, UUID } from './journal-fixture.ts';
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

/** A journal as another program has left it: the bytes in schemas/. */
function journalOf(program: 'first' | 'newer'): string {
  const dir = makeTempFolder();
  const bytes = readFileSync(join(import.meta.dirname, 'schemas', `${program}.mdb.gz`));
  writeFileSync(dataFile(dir), gunzipSync(bytes));
  return dir;
}

async function withFiles<T>(dir: string, work: (files: JournalFiles) => T): Promise<T> {
  const files = openFiles(dir, false);
  const answer = work(files);
  await files.root.close();
  return answer;
}

/** The last record of the journal that a program of the first schema wrote. */
const FIRST_END = { seq: 6, hash: '01c4a1c274b78cb0abce4cee3389c0eb487ef0224bca74752fb962547af38b61' };

describe('a journal that another program has left', () => {
  test('of the first schema and an older fold is opened, brought up to this one, and goes on', async () => {
    const dir = journalOf('first');
    const journal = await openJournal(options(dir));
    expect(journal.tail()).toEqual(FIRST_END);
    expect(journal.device(UUID)).toMatchObject({
      desired: { kind: 'present', claim: CLAIM },
      reservation: { phase: 'active', revision: 7 },
    });
    expect(journal.device(OTHER_UUID).unmanaged).toEqual({ parent: 'mtty', type: 'mtty-2' });
    expect(journal.seen(UUID, keyOf(1))).toBe(true);
    durable(await journal.append({ facts: [declared(UUID, 2)] }));
    await journal.close();
    expect(await withFiles(dir, schemaOf)).toBe(SCHEMA_VERSION);
    expect(await verifyJournalFiles(dir)).toMatchObject({ kind: 'sound', tail: { seq: 7 } });
  });

  test('of a schema in which nothing but its number can be read is refused as newer, and no byte is changed', async () => {
    const dir = journalOf('newer');
    const before = readFileSync(dataFile(dir));
    await expect(openJournal(options(dir))).rejects.toMatchObject({ reason: 'newer' });
    expect(readFileSync(dataFile(dir)).equals(before)).toBe(true);
  });
});

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
    const dir = await journalWith((files) => {
      stampSchema(files, 1);
      expect(() => upgrade(files, [failing])).toThrow('no room');
    });
    const journal = await openJournal(options(dir));
    expect(journal.tail().seq).toBe(2);
    await journal.close();
  });
});
