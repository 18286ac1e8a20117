/**
 * Records that were moved into segments are read as if they had stayed, and no end of the move, wherever it comes,
 * loses one.
 */
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { StoredRecord } from '../../../events/record.ts';
import { readExport, writeExport } from '../../../store/journal/export.ts';
import { dataFile, openFiles, STATE, summed } from '../../../store/journal/journal-files.ts';
import { verifyJournalFiles } from '../../../store/journal/probe.ts';
import { verifyRecords } from '../../../store/journal/verify.ts';
import { archive, journalIn, open, RECORDS, readAll, text, verdictOn } from './archive-fixture.ts';
import { declared, durable, keyOf, OTHER_UUID, UUID } from './journal-fixture.ts';
import { makeTempFolder } from './journal-folder.ts';

function segments(dir: string): readonly string[] {
  return readdirSync(join(dir, 'archive')).sort();
}

describe('an archived journal', () => {
  test('is the journal that it was, and goes on, and is archived again', async () => {
    const dir = makeTempFolder();
    const all = await journalIn(dir);
    const whole = await verdictOn(dir);
    expect(await archive(dir, 11)).toMatchObject({ from: 0, to: 10, bound: 'asked' });
    expect(segments(dir)).toEqual([
      '0000000001-0000000004.ndjson.gz',
      '0000000005-0000000008.ndjson.gz',
      '0000000009-0000000010.ndjson.gz',
    ]);
    expect(await verdictOn(dir)).toEqual(whole);

    const journal = await open(dir);
    expect(text(journal.read(0, 100))).toEqual(text(all));
    expect(text(journal.read(3, 9))).toEqual(text(all.slice(3, 12)));
    expect(text(journal.read(10, 1))).toEqual(text(all.slice(10, 11)));
    expect(journal.seen(OTHER_UUID, keyOf(1))).toBe(true);
    durable(await journal.append({ facts: [declared(UUID, 99)] }));
    await journal.close();

    expect(await archive(dir, 20)).toMatchObject({ from: 10, to: 19, tail: { seq: RECORDS + 1 } });
    expect(await verdictOn(dir)).toMatchObject({ kind: 'sound', tail: { seq: RECORDS + 1 } });
    expect(text(await readAll(dir)).slice(0, RECORDS)).toEqual(text(all));
    expect(await archive(dir, 20)).toMatchObject({ from: 19, to: 19 });
  });

  test('keeps the last checkpoint with its record, and what the fleet has not acknowledged', async () => {
    const dir = makeTempFolder();
    await journalIn(dir, 12);
    expect(await archive(dir, 99)).toMatchObject({ to: 12, bound: 'not-forwarded' });
    const other = makeTempFolder();
    await journalIn(other);
    expect(await archive(other, 99)).toMatchObject({ to: 25, bound: 'end' });
    expect(await verdictOn(other)).toMatchObject({ kind: 'sound', signings: [{ first: 27 }] });
  });

  test('is folded again across its segments when the fold is another one', async () => {
    const dir = makeTempFolder();
    await journalIn(dir);
    await archive(dir, 20);
    const was = await open(dir);
    const devices = [...was.devices()];
    await was.close();
    const files = openFiles(dir, false);
    const state = files.positions.get(STATE);
    if (state !== undefined) files.positions.putSync(STATE, summed({ ...state, fold: 0 }));
    files.devices.clearSync();
    files.events.clearSync();
    await files.root.close();
    const journal = await open(dir);
    expect([...journal.devices()]).toEqual(devices);
    await journal.close();
    expect(await verdictOn(dir)).toMatchObject({ kind: 'sound', projections: 'in-step' });
  });

  test('has segments that verify on their own, and as an export when they are put together', async () => {
    const dir = makeTempFolder();
    await journalIn(dir);
    await archive(dir, 11);
    const together = join(dir, 'together.ndjson.gz');
    const files = segments(dir).map((name) => join(dir, 'archive', name));
    writeFileSync(together, Buffer.concat(files.map((file) => readFileSync(file))));
    expect(await verifyRecords(readExport(together))).toMatchObject({ kind: 'sound', tail: { seq: 10 } });
  });
});

describe('a segment', () => {
  test('that is gone, damaged, or of other records is found, and what stays is still vouched for', async () => {
    const dir = makeTempFolder();
    await journalIn(dir);
    await archive(dir, 11);
    const second = join(dir, 'archive', '0000000005-0000000008.ndjson.gz');
    const packed = readFileSync(second);
    const stays = /Of what is not archived, records 11 to 30 are whole and follow record 10$/;

    rmSync(second);
    await expect(open(dir)).rejects.toMatchObject({ reason: 'damaged' });
    const gone = await verifyJournalFiles(dir);
    expect(gone).toMatchObject({ kind: 'damaged', firstBad: 5, reason: expect.stringMatching(stays) });

    writeFileSync(second, packed.subarray(0, packed.length / 2));
    expect(await verdictOn(dir)).toMatchObject({ kind: 'damaged', firstBad: 5 });

    rmSync(second);
    await writeExport(second, other(await recordsIn(packed, dir)));
    expect(await verdictOn(dir)).toMatchObject({ kind: 'damaged', firstBad: 6 });

    writeFileSync(second, packed);
    expect(await verdictOn(dir)).toMatchObject({ kind: 'sound' });
  });

  test('of another journal is neither overwritten nor removed, and the journal stays as it is', async () => {
    const [dir, foreign] = [makeTempFolder(), makeTempFolder()];
    await journalIn(dir);
    const strange = await open(foreign);
    durable(await strange.append({ facts: [declared(UUID, 7)] }));
    const records = strange.read(0, 10);
    await strange.close();
    mkdirSync(join(dir, 'archive'));
    const file = join(dir, 'archive', '0000000001-0000000002.ndjson.gz');
    await writeExport(file, records);
    await expect(archive(dir, 11)).rejects.toMatchObject({
      reason: 'damaged',
      message: expect.stringContaining(file),
    });
    expect(segments(dir)).toHaveLength(1);
    expect(await verdictOn(dir)).toMatchObject({ kind: 'sound' });
  });
});

/** What a crash can leave: the file as it was and some of the segments, or the new file and all of them. */
describe('a move that did not come to its end', () => {
  test.each([1, 3])('after %i segments has lost nothing, and is done by the next', async (written) => {
    const [dir, done] = [makeTempFolder(), makeTempFolder()];
    const all = await journalIn(dir);
    cpSync(dir, done, { recursive: true });
    await archive(done, 11);
    mkdirSync(join(dir, 'archive'));
    for (const name of segments(done).slice(0, written))
      copyFileSync(join(done, 'archive', name), join(dir, 'archive', name));
    writeFileSync(join(dir, 'archive', 'writing.ndjson.gz'), 'half');
    mkdirSync(join(dir, 'archiving'));
    writeFileSync(join(dir, 'archiving', 'data.mdb'), 'half');

    expect(await verdictOn(dir)).toMatchObject({ kind: 'sound' });
    expect(text(await readAll(dir))).toEqual(text(all));
    expect(await archive(dir, 10)).toMatchObject({ to: 9 });
    expect(segments(dir).at(-1)).toBe('0000000009-0000000009.ndjson.gz');
    expect(await verdictOn(dir)).toMatchObject({ kind: 'sound' });
    expect(text(await readAll(dir))).toEqual(text(all));
  });

  test('because a record is damaged changes nothing', async () => {
    const dir = makeTempFolder();
    await journalIn(dir);
    const files = openFiles(dir, false);
    files.log.putSync(3, Buffer.from('{"seq":3,'));
    await files.root.close();
    const bytes = statSync(dataFile(dir)).size;
    await expect(archive(dir, 11)).rejects.toMatchObject({ reason: 'damaged' });
    expect(statSync(dataFile(dir)).size).toBe(bytes);
    const found = openFiles(dir, true);
    expect(found.log.getCount()).toBe(RECORDS);
    await found.root.close();
  });
});

async function recordsIn(packed: Buffer, dir: string): Promise<readonly StoredRecord[]> {
  const file = join(dir, 'copy.ndjson.gz');
  writeFileSync(file, packed);
  const records: StoredRecord[] = [];
  for await (const record of readExport(file)) records.push(record);
  renameSync(file, `${file}.read`);
  return records;
}

/** The second of them is another one, which says the same of itself. */
function other(records: readonly StoredRecord[]): readonly StoredRecord[] {
  return records.map((record) => {
    if (record.seq !== 6) return record;
    const bytes = Buffer.from(Buffer.from(record.bytes).toString().replace('mtty-1', 'mtty-2'));
    return { ...record, bytes };
  });
}
