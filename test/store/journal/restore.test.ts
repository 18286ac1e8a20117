/**
 * A journal that is put back from records kept elsewhere is the journal that it was.
 */
import { cpSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Fact } from '../../../events/fact.ts';
import type { StoredRecord } from '../../../events/record.ts';
import type { Journal } from '../../../store/journal/journal.ts';
import { openJournal } from '../../../store/journal/journal-lmdb.ts';
import { verifyJournalFiles } from '../../../store/journal/probe.ts';
import { restoreJournal } from '../../../store/journal/restore.ts';
import { declared, durable, makeStamp, OTHER_UUID, OWN, UUID } from './journal-fixture.ts';
import { makeTempFolder } from './journal-folder.ts';
import { chainOf, checkpointOf } from './record-chain.ts';
import { newSigner } from './signer.ts';

const EVENT = { id: 'stop', source: 'test', time: '2026-01-01T00:00:00Z' };
const CURSOR = { epoch: 1, created: '2026-01-01T00:00:00Z', sequence: 4, digest: 'c'.repeat(64) };
const FACTS: readonly Fact[] = [
  { kind: 'incarnated', v: 1, incarnation: 2 },
  { kind: 'epoch', v: 1, stream: 'desired', cause: 'First', cursor: CURSOR },
  declared(UUID, 1),
  declared(OTHER_UUID, 2),
  { kind: 'steered', v: 1, sequence: 1, event: EVENT, command: 'pause' },
];

function open(dir: string, create?: string): Promise<Journal> {
  return openJournal({ ...OWN, dir, create, stamp: makeStamp() });
}

/** A journal with the facts; its records are answered. */
async function written(dir: string, facts: readonly Fact[] = FACTS): Promise<readonly StoredRecord[]> {
  const journal = await open(dir, 'the-journal');
  durable(await journal.append({ facts }));
  const records = journal.read(0, 100);
  await journal.close();
  return records;
}

async function* streamed<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

describe('a journal put back', () => {
  test('has the same records, devices, events and positions, and goes on from there', async () => {
    const folder = makeTempFolder();
    const [dir, again] = [join(folder, 'lost'), join(folder, 'again')];
    const records = await written(dir);
    const restored = await restoreJournal(again, streamed(records));
    expect(restored).toMatchObject({ tail: { seq: 6 }, devices: 2, aside: null });
    expect(await verifyJournalFiles(again)).toMatchObject({
      kind: 'sound',
      devices: 2,
      projections: 'in-step',
    });
    const [was, is] = [await open(dir), await open(again)];
    expect(is.read(0, 100)).toEqual(was.read(0, 100));
    expect([...is.devices()]).toEqual([...was.devices()]);
    expect(is.seen(UUID, 'test event-1')).toBe(true);
    expect(is.positions()).toEqual({ ...was.positions(), forwarded: 0, witnessed: 0, madeAgain: true });
    expect(is.positions()).toMatchObject({ incarnation: 2, paused: EVENT, desired: CURSOR });
    durable(await is.append({ facts: [declared(UUID, 3)] }));
    await Promise.all([was.close(), is.close()]);
    expect(await verifyJournalFiles(again)).toMatchObject({ kind: 'sound' });
  });

  test('takes the place of one that was begun in vain, which is kept', async () => {
    const folder = makeTempFolder();
    const [dir, place] = [join(folder, 'lost'), join(folder, 'place')];
    const records = await written(dir);
    await (await open(place, 'in-vain')).close();
    const { aside } = await restoreJournal(place, streamed(records));
    expect(aside).toBe(join(place, 'unused-in-vain.mdb'));
    expect(existsSync(String(aside))).toBe(true);
    const journal = await open(place);
    expect(journal.identity.journal).toBe('the-journal');
    await journal.close();
  });

  test('never takes the place of one that spoke for its host', async () => {
    const folder = makeTempFolder();
    const [dir, place] = [join(folder, 'lost'), join(folder, 'place')];
    const records = await written(dir);
    cpSync(dir, place, { recursive: true });
    const before = readdirSync(place);
    await expect(restoreJournal(place, streamed(records))).rejects.toMatchObject({ reason: 'taken' });
    expect(readdirSync(place)).toEqual(before);
  });

  test.each([
    { what: 'with a gap', break: (records: readonly StoredRecord[]) => records.toSpliced(2, 1) },
    { what: 'without its beginning', break: (records: readonly StoredRecord[]) => records.slice(1) },
    { what: 'in which one was changed', break: changed },
    { what: 'that are none', break: () => [] },
  ])('is not made of records $what', async ({ break: spoil }) => {
    const folder = makeTempFolder();
    const records = await written(join(folder, 'lost'));
    const place = join(folder, 'place');
    await expect(restoreJournal(place, streamed(spoil(records)))).rejects.toMatchObject({
      reason: 'damaged',
    });
    expect(await verifyJournalFiles(place)).toEqual({ kind: 'absent' });
  });

  test('keeps its checkpoints, and is not made of records whose checkpoints do not fit', async () => {
    const folder = makeTempFolder();
    const [signer, other] = [newSigner(), newSigner()];
    const fitting = chainOf([declared(UUID, 1), checkpointOf(signer)]);
    expect(await restoreJournal(join(folder, 'whole'), streamed(fitting))).toMatchObject({
      tail: { seq: 3 },
      signings: [{ publicKey: signer.publicKey, first: 3, last: 3 }],
    });
    const { publicKey } = other;
    const forged = chainOf([declared(UUID, 1), (head) => ({ ...checkpointOf(signer)(head), publicKey })]);
    const place = join(folder, 'place');
    await expect(restoreJournal(place, streamed(forged))).rejects.toMatchObject({ reason: 'damaged' });
    expect(await verifyJournalFiles(place)).toEqual({ kind: 'absent' });
  });
});

function changed(records: readonly StoredRecord[]): readonly StoredRecord[] {
  return records.map((record) => {
    if (record.seq !== 4) return record;
    const text = new TextDecoder().decode(record.bytes).replace('mtty-1', 'mtty-2');
    return { ...record, bytes: new TextEncoder().encode(text) };
  });
}
