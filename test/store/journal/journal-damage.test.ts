/**
 * Journals that are damaged on the disk: each is reported with a reason, refused by
 * openJournal, left as it was, and never takes the process that asks down with it.
 */
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sha256 } from '../../../events/digest.ts';
import type { StoredRecord } from '../../../events/record.ts';
import {
  dataFile,
  type JournalFiles,
  openFiles,
  STATE,
  summed,
} from '../../../store/journal/journal-files.ts';
import { type JournalOptions, openJournal } from '../../../store/journal/journal-lmdb.ts';
import { JournalRefused } from '../../../store/journal/journal-refused.ts';
import type { Tail } from '../../../store/journal/journal-storage.ts';
import { checkJournal, verifyJournalFiles } from '../../../store/journal/probe.ts';
import { declared, durable, large, makeStamp, OTHER_UUID, OWN, UUID } from './journal-fixture.ts';
import { makeTempFolder } from './journal-folder.ts';

const PAGE_BYTES = 4096;
/** Records in the sound journal: genesis, the first batch, and one with a page of its own. */
const RECORDS = 22;
/** Every other page of the sound journal. */
const SOME_PAGES = Array.from({ length: 12 }, (_, index) => 2 * index);

let sound: string;
let records: readonly StoredRecord[];
let tail: Tail;

beforeAll(async () => {
  sound = mkdtempSync(join(tmpdir(), 'mdevfleet-journal-'));
  const journal = await openJournal(options(sound));
  const facts = Array.from({ length: RECORDS - 2 }, (_, index) =>
    declared(index % 2 === 0 ? UUID : OTHER_UUID, index + 1),
  );
  durable(await journal.append({ facts }));
  durable(await journal.append({ facts: [large(PAGE_BYTES)] }));
  records = journal.read(0, RECORDS);
  tail = journal.tail();
  await journal.close();
});

afterAll(() => rmSync(sound, { recursive: true }));

function options(dir: string): JournalOptions {
  return { ...OWN, dir, create: 'journal-1', stamp: makeStamp() };
}

/** A journal of this test's own, like the sound one. */
function copy(): string {
  const dir = makeTempFolder();
  copyFileSync(dataFile(sound), dataFile(dir));
  return dir;
}

/** A journal whose databases were changed behind its back. */
async function tampered(change: (files: JournalFiles) => void): Promise<string> {
  const dir = copy();
  const files = openFiles(dir, false);
  files.root.transactionSync(() => {
    change(files);
  });
  await files.root.close();
  return dir;
}

/** Numbers of the pages that hold the record's bytes, or an older copy of them. */
function pagesOf({ bytes }: StoredRecord): readonly number[] {
  const file = readFileSync(dataFile(sound));
  const found: number[] = [];
  for (let at = file.indexOf(bytes); at !== -1; at = file.indexOf(bytes, at + 1))
    found.push(Math.floor(at / PAGE_BYTES));
  return found;
}

/** A journal with every bit of these pages turned over. */
function flipped(pages: readonly number[]): string {
  const dir = copy();
  const file = readFileSync(dataFile(dir));
  for (const page of pages) {
    const bytes = file.subarray(page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
    bytes.set(bytes.map((byte) => byte ^ 0xff));
  }
  writeFileSync(dataFile(dir), file);
  return dir;
}

async function expectRefused(dir: string): Promise<void> {
  const before = sha256(readFileSync(dataFile(dir)));
  const refused = await openJournal(options(dir)).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(JournalRefused);
  expect(refused).toMatchObject({ reason: 'damaged', message: expect.stringContaining(dir) });
  expect(sha256(readFileSync(dataFile(dir)))).toBe(before);
}

test('the journal that the other tests damage is sound', async () => {
  expect(await checkJournal(sound)).toEqual({ kind: 'sound', tail });
  expect(await verifyJournalFiles(sound)).toMatchObject({ kind: 'sound', tail, devices: 2 });
  expect(tail.seq).toBe(RECORDS);
});

describe('a file that was cut short', () => {
  test.each([1, PAGE_BYTES, 2 * PAGE_BYTES, 3 * PAGE_BYTES + 17])('to %i bytes', async (bytes) => {
    const dir = copy();
    truncateSync(dataFile(dir), bytes);
    expect(await checkJournal(dir)).toMatchObject({ kind: 'damaged' });
    expect(await verifyJournalFiles(dir)).toMatchObject({ kind: 'damaged' });
    await expectRefused(dir);
  });

  test('to nothing is damage, not a journal that was never begun', async () => {
    const dir = copy();
    truncateSync(dataFile(dir));
    expect(await checkJournal(dir)).toMatchObject({
      kind: 'damaged',
      reason: expect.stringContaining('empty'),
    });
    await expectRefused(dir);
  });

  test('by its last page', async () => {
    const dir = copy();
    truncateSync(dataFile(dir), statSync(dataFile(dir)).size - 1);
    expect(await checkJournal(dir)).toMatchObject({
      kind: 'damaged',
      reason: expect.stringContaining('cut short'),
    });
    await expectRefused(dir);
  });
});

describe('a file that holds something else', () => {
  test.each([
    ['zeros', Buffer.alloc(8 * PAGE_BYTES)],
    ['text', Buffer.from('not a journal\n'.repeat(4000))],
  ])('%s', async (_what, content) => {
    const dir = makeTempFolder();
    writeFileSync(dataFile(dir), content);
    expect(await checkJournal(dir)).toMatchObject({ kind: 'damaged' });
    await expectRefused(dir);
  });

  test('a folder', async () => {
    const dir = makeTempFolder();
    mkdirSync(dataFile(dir));
    expect(await checkJournal(dir)).toMatchObject({ kind: 'damaged' });
  });
});

describe('a page that was flipped', () => {
  test('at the end of the log is found before the journal is opened', async () => {
    const last = records.at(-1);
    if (last === undefined) throw new Error('no records');
    const pages = pagesOf(last);
    expect(pages.length).toBeGreaterThan(0);
    const dir = flipped(pages);
    expect(await checkJournal(dir)).toMatchObject({ kind: 'damaged' });
    await expectRefused(dir);
  });

  test.each(SOME_PAGES)('anywhere is found, or nothing of the journal was in it: page %i', async (page) => {
    const verdict = await verifyJournalFiles(flipped([page]));
    const whole = { kind: 'sound', tail, devices: 2, unknown: 0, projections: 'in-step' };
    const damaged = { kind: 'damaged', reason: expect.stringMatching(/./) };
    expect(verdict).toMatchObject(verdict.kind === 'sound' ? whole : damaged);
  });
});

describe('a record that is missing', () => {
  test.each([1, 11, RECORDS])('record %i', async (seq) => {
    const dir = await tampered(({ log }) => log.removeSync(seq));
    expect(await checkJournal(dir)).toMatchObject({ kind: 'damaged', firstBad: seq });
    expect(await verifyJournalFiles(dir)).toMatchObject({ kind: 'damaged', firstBad: seq });
    await expectRefused(dir);
  });
});

describe('a record that was changed', () => {
  test.each([1, 11, RECORDS])('record %i', async (seq) => {
    const dir = await tampered(({ log }) => {
      const text = Buffer.from(log.get(seq) ?? []).toString();
      log.putSync(seq, Buffer.from(text.replace('boot-1', 'boot-2')));
    });
    expect(await checkJournal(dir)).toMatchObject({ kind: 'damaged', firstBad: seq });
    expect(await verifyJournalFiles(dir)).toMatchObject({ kind: 'damaged', firstBad: seq });
    await expectRefused(dir);
  });
});

describe('projections that are not in step', () => {
  test('a device that was changed is found by the verification', async () => {
    const dir = await tampered(({ devices }) => {
      const device = devices.get(UUID);
      if (device !== undefined) devices.putSync(UUID, { ...device, reservation: null, desired: null });
    });
    const verdict = { kind: 'damaged', reason: expect.stringContaining(UUID), firstBad: null };
    expect(await verifyJournalFiles(dir)).toEqual(verdict);
  });

  test('a device of a record that is not there', async () => {
    const dir = await tampered(({ devices }) => {
      const device = devices.get(UUID);
      if (device !== undefined) devices.putSync(UUID, { ...device, version: RECORDS + 1 });
    });
    expect(await checkJournal(dir)).toMatchObject({ kind: 'damaged' });
    await expectRefused(dir);
  });

  test('a log that goes on after them', async () => {
    const dir = await tampered(({ positions }) => {
      const state = positions.get(STATE);
      if (state !== undefined)
        positions.putSync(STATE, summed({ ...state, tail: { ...state.tail, seq: RECORDS - 1 } }));
    });
    expect(await checkJournal(dir)).toMatchObject({ kind: 'damaged', firstBad: RECORDS + 1 });
    await expectRefused(dir);
  });

  test('positions that follow from no record', async () => {
    const dir = await tampered(({ positions }) => {
      const state = positions.get(STATE);
      if (state !== undefined)
        positions.putSync(STATE, { ...state, positions: { ...state.positions, forwarded: 7 } });
    });
    expect(await verifyJournalFiles(dir)).toMatchObject({ kind: 'damaged', firstBad: null });
    await expectRefused(dir);
  });

  test('none at all', async () => {
    const dir = await tampered(({ positions }) => positions.removeSync(STATE));
    expect(await checkJournal(dir)).toMatchObject({ kind: 'damaged' });
    await expectRefused(dir);
  });
});

describe('what is not damage', () => {
  test('no journal at all', async () => {
    const dir = join(makeTempFolder(), 'nothing');
    expect(await checkJournal(dir)).toEqual({ kind: 'absent' });
    expect(await verifyJournalFiles(dir)).toEqual({ kind: 'absent' });
  });

  test('a journal that cannot be looked at', async () => {
    const dir = join(makeTempFolder(), 'journal');
    symlinkSync(dir, dir);
    await expect(checkJournal(dir)).rejects.toThrow(/ELOOP/);
  });
});
