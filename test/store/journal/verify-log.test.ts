/**
 * What the verification of records alone finds, wherever they were kept: the chain, the checkpoints, the cut end.
 */
import { describe, expect, test } from 'vitest';
import type { Fact } from '../../../events/fact.ts';
import type { StoredRecord } from '../../../events/record.ts';
import { verifyRecords } from '../../../store/journal/verify.ts';
import { declared, OTHER_UUID, UUID } from './journal-fixture.ts';
import { chainOf, checkpointOf, rewritten } from './record-chain.ts';
import { newSigner } from './signer.ts';

const signer = newSigner();
const other = newSigner();

/** Two keys sign: records 4 and 6, then 8. */
const RECORDS = chainOf([
  declared(UUID, 1),
  declared(OTHER_UUID, 2),
  checkpointOf(signer),
  declared(UUID, 3),
  checkpointOf(signer),
  declared(UUID, 4),
  checkpointOf(other),
  declared(UUID, 5),
]);
const SEQS = RECORDS.map(({ seq }) => seq);

async function* streamed(records: readonly StoredRecord[]): AsyncGenerator<StoredRecord> {
  yield* records;
}

function verified(records: readonly StoredRecord[], expected: Parameters<typeof verifyRecords>[1] = []) {
  return verifyRecords(streamed(records), expected);
}

function tailOf(seq: number): { readonly seq: number; readonly hash: string } {
  const { hash = '' } = RECORDS[seq - 1] ?? {};
  return { seq, hash };
}

test('a log in which everything fits says whose it is, and who signed how far', async () => {
  expect(await verified(RECORDS, [tailOf(3), tailOf(9)])).toEqual({
    kind: 'sound',
    host: 'node-1',
    journal: 'the-journal',
    tail: tailOf(9),
    devices: 2,
    unknown: 0,
    signings: [
      { publicKey: signer.publicKey, first: 4, last: 6 },
      { publicKey: other.publicKey, first: 8, last: 8 },
    ],
  });
});

describe('the first record that does not fit is named', () => {
  test.each(SEQS.slice(0, -1))('record %i with other content', async (seq) => {
    const changed = RECORDS.map((one) => (one.seq === seq ? rewritten(one) : one));
    const bad = await verified(changed);
    // Nothing comes after the record that tells of the change in the last but one.
    expect(bad).toMatchObject({ kind: 'damaged', firstBad: seq === SEQS.length - 1 ? seq + 1 : seq });
  });

  test.each(SEQS.slice(0, -1))('record %i missing', async (seq) => {
    expect(await verified(RECORDS.filter((one) => one.seq !== seq))).toMatchObject({
      kind: 'damaged',
      firstBad: seq,
    });
  });

  test.each(SEQS)('record %i twice', async (seq) => {
    const twice = RECORDS.flatMap((one) => (one.seq === seq ? [one, one] : [one]));
    expect(await verified(twice)).toMatchObject({ kind: 'damaged', firstBad: seq + 1 });
  });

  test('no record at all', async () => {
    expect(await verified([])).toMatchObject({ kind: 'damaged', firstBad: 1 });
  });
});

describe('what a chain alone does not show', () => {
  test('an end that was cut off is found by a checkpoint that was kept', async () => {
    const cut = RECORDS.slice(0, 5);
    expect(await verified(cut)).toMatchObject({ kind: 'sound' });
    expect(await verified(cut, [tailOf(5)])).toMatchObject({ kind: 'sound' });
    expect(await verified(cut, [tailOf(7)])).toMatchObject({ kind: 'damaged', firstBad: 6 });
  });

  test('a past that was written anew is found by a checkpoint that was kept', async () => {
    const anew = chainOf([declared(UUID, 9), declared(OTHER_UUID, 2), checkpointOf(newSigner())]);
    expect(await verified(anew)).toMatchObject({ kind: 'sound' });
    expect(await verified(anew, [tailOf(3)])).toMatchObject({ kind: 'damaged', firstBad: 3 });
  });
});

describe('a checkpoint in the log that does not fit is damage', () => {
  const signed = (change: (fact: Extract<Fact, { kind: 'checkpoint' }>) => Fact): Promise<unknown> =>
    verified(chainOf([declared(UUID, 1), (head) => change(checkpointOf(signer)(head))]));

  test('as it is when nothing is changed', async () => {
    expect(await signed((fact) => fact)).toMatchObject({ kind: 'sound' });
  });

  test.each<[string, (fact: Extract<Fact, { kind: 'checkpoint' }>) => Fact]>([
    ['another key', (fact) => ({ ...fact, publicKey: other.publicKey })],
    ['no key', (fact) => ({ ...fact, publicKey: '' })],
    ['another time', (fact) => ({ ...fact, note: fact.note.replace('time 1970', 'time 1971') })],
    ['no note', (fact) => ({ ...fact, note: '' })],
    [
      'of another record',
      () => checkpointOf(signer)({ ...tailOf(1), time: 't', host: 'node-1', journal: 'the-journal' }),
    ],
    [
      'of another journal',
      (fact) => ({
        ...fact,
        note: signer.sign({ ...tailOf(2), host: 'node-1', journal: 'another', time: 't' }),
      }),
    ],
    [
      'of another host',
      (fact) => ({
        ...fact,
        note: signer.sign({ ...tailOf(2), host: 'node-2', journal: 'the-journal', time: 't' }),
      }),
    ],
  ])('%s', async (_what, change) => {
    expect(await signed(change)).toMatchObject({ kind: 'damaged', firstBad: 3 });
  });
});
