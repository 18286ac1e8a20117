/**
 * Every shape that a record was ever written in, read for ever.
 *
 * shapes/every-shape.ndjson is a journal as it was exported: each kind in each version, with and without what was
 * added to it later, and two records of a newer program. Lines are only ever added at its end: a kind, a
 * version or an optional member that is new gets one, and END follows.
 */
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { facts } from '../../events/fact.ts';
import { type DecodedRecord, decodeRecord, type StoredRecord } from '../../events/record.ts';
import { lineOf } from '../../src/past/line.ts';
import { readExport } from '../../store/journal/export.ts';
import { Replay } from '../../store/journal/replay.ts';
import { rowsOf } from '../../store/rows.ts';

const FILE = join(import.meta.dirname, 'shapes', 'every-shape.ndjson');
/** The chain ends so as long as no line was changed. */
const END = { seq: 56, hash: 'e5a91aa9758784b541c94885fe2951a3de60d8e8b8aac8458948278a6632454a' };
/** Of a newer program. */
const UNKNOWN = ['teleported v1', 'waiting v2'];

const records: StoredRecord[] = [];
let decoded: readonly DecodedRecord[] = [];
beforeAll(async () => {
  for await (const record of readExport(FILE)) records.push(record);
  decoded = records.map(({ bytes }) => decodeRecord(bytes));
});

test('every record of old is read, and folds; a newer one is kept', () => {
  const replay = new Replay();
  for (const record of records) replay.apply(record);
  expect(replay.tail).toEqual(END);
  expect(replay.unknown).toBe(UNKNOWN.length);
  const unknown = decoded.filter(({ fact }) => fact === null);
  expect(unknown.map(({ envelope: { kind, v } }) => `${kind} v${v}`)).toEqual(UNKNOWN);
  expect([...replay.devices.values()].flatMap(rowsOf).map(({ state }) => state)).toEqual(['conflict']);
});

test('every kind in every version has a line', () => {
  const written = new Set(decoded.map(({ envelope: { kind, v } }) => `${kind} v${v}`));
  const known = Object.entries(facts).flatMap(([kind, { shape }]) =>
    [...shape.v.values].map((v) => `${kind} v${v}`),
  );
  expect(known.filter((one) => !written.has(one))).toEqual([]);
});

test('every member that may be missing is there in one line, and missing in another', () => {
  const halves = Object.entries(facts).flatMap(([kind, { shape }]) =>
    Object.entries(shape)
      .filter(([, schema]) => schema.safeParse(undefined).success)
      .filter(([member]) => {
        const same = decoded.filter(({ fact }) => fact?.kind === kind).map(({ fact }) => fact ?? {});
        return !same.some((one) => member in one) || same.every((one) => member in one);
      })
      .map(([member]) => `${kind}.${member}`),
  );
  expect(halves).toEqual([]);
});

test('every one is shown as a line', () => {
  for (const record of records) {
    const line = lineOf({ host: 'host-a', journal: 'j', record });
    expect(line).toMatchObject({ seq: record.seq, time: expect.stringMatching(/^2026-/) });
    expect(line.why).not.toBe('');
  }
  const shown = records.map((record) => lineOf({ host: 'host-a', journal: 'j', record }).why);
  expect(shown.filter((why) => why.includes('of a newer program'))).toEqual([
    expect.stringContaining('host-c'),
    expect.stringContaining('Eclipse'),
  ]);
});
