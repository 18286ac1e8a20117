/**
 * An exported journal is its records' very bytes, packed or not, and reads back as what it was.
 */
import { appendFileSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { StoredRecord } from '../../../events/record.ts';
import { readExport, writeExport } from '../../../store/journal/export.ts';
import { Misfit } from '../../../store/journal/replay.ts';
import { declared, large, UUID } from './journal-fixture.ts';
import { makeTempFolder } from './journal-folder.ts';
import { chainOf } from './record-chain.ts';

/** Large enough that lines reach over the end of a chunk. */
const RECORDS = chainOf([declared(UUID, 1), large(300_000), declared(UUID, 2), large(10), declared(UUID, 3)]);

async function read(path: string): Promise<readonly StoredRecord[]> {
  const records: StoredRecord[] = [];
  for await (const { seq, bytes, hash } of readExport(path)) {
    records.push({ seq, bytes: Uint8Array.from(bytes), hash });
  }
  return records;
}

async function exported(name: string): Promise<string> {
  const path = join(makeTempFolder(), name);
  await writeExport(path, RECORDS);
  return path;
}

const lines = RECORDS.map(({ bytes }) => `${Buffer.from(bytes).toString()}\n`).join('');

describe.each(['journal.ndjson', 'journal.ndjson.gz'])('%s', (name) => {
  test('has each record as it is stored, one a line, and reads back as the same', async () => {
    const path = await exported(name);
    const file = readFileSync(path);
    expect((name.endsWith('.gz') ? gunzipSync(file) : file).toString()).toBe(lines);
    expect(await read(path)).toEqual(RECORDS);
  });

  test('is never written over', async () => {
    const path = await exported(name);
    await expect(writeExport(path, [])).rejects.toMatchObject({ code: 'EEXIST' });
    expect(await read(path)).toEqual(RECORDS);
  });
});

test('a file of no records has none', async () => {
  const path = join(makeTempFolder(), 'empty.ndjson');
  writeFileSync(path, '');
  expect(await read(path)).toEqual([]);
});

test('a line that is no record has the number that is due, and its own hash', async () => {
  const path = await exported('journal.ndjson');
  appendFileSync(path, '\nnonsense');
  const rest = (await read(path)).slice(RECORDS.length);
  expect(rest.map(({ seq, bytes }) => [seq, bytes.length])).toEqual([
    [RECORDS.length + 1, 0],
    [RECORDS.length + 2, 8],
  ]);
});

test('a packed file that was cut is told, with the record that cannot be read', async () => {
  const path = await exported('journal.ndjson.gz');
  truncateSync(path, statSync(path).size - 20);
  await expect(read(path)).rejects.toThrow(Misfit);
});

test('what cannot be opened throws as it is', async () => {
  await expect(read(join(makeTempFolder(), 'none.ndjson'))).rejects.toMatchObject({ code: 'ENOENT' });
});
