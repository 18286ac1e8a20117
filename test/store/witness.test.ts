/**
 * What the observed stream testifies of a journal.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sha256 } from '../../events/digest.ts';
import { createMemoryStreams } from '../../events/stream-memory.ts';
import { formatWitness, lastWitness, parseWitness, recordsWitnessed } from '../../store/witness.ts';

const anyJournal = fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme-ascii' });
const HASH = 'a'.repeat(64);

function streamOf(): {
  testimony: Parameters<typeof lastWitness>[0];
  tell: (journal: string, seq: number, said?: string) => Promise<void>;
} {
  const stream = createMemoryStreams({ now: () => '2026-01-01T00:00:00Z' }).observed;
  let messages = 0;
  return {
    testimony: { stream, host: 'host-1', prefix: 'mdev' },
    tell: async (journal, seq, said = `record ${seq} of ${journal}`) => {
      const hash = sha256(new TextEncoder().encode(`record ${seq} of ${journal}`));
      const data = new TextEncoder().encode(said);
      messages += 1;
      const subject = `mdev.observed.host-1.00000000-0000-4000-8000-${String(messages).padStart(12, '0')}`;
      await stream.append({ subject, id: formatWitness({ journal, seq, hash }), data });
    },
  };
}

async function seqs(
  testimony: Parameters<typeof lastWitness>[0],
  journal: string,
): Promise<readonly number[]> {
  const found: number[] = [];
  for await (const { seq, bytes, hash } of recordsWitnessed(testimony, journal)) {
    expect(sha256(bytes)).toBe(hash);
    found.push(seq);
  }
  return found;
}

describe('a message id', () => {
  test('names journal, number and hash, whatever the journal is called', () => {
    fc.assert(
      fc.property(anyJournal, fc.integer({ min: 1 }), (journal, seq) => {
        expect(parseWitness(formatWitness({ journal, seq, hash: HASH }))).toEqual({
          journal,
          seq,
          hash: HASH,
        });
      }),
    );
  });

  test.each([null, '', 'somebody event-1', `journal-0-${HASH}`, `journal-1-${HASH.slice(1)}`])(
    'that is none of ours testifies nothing: %s',
    (id) => expect(parseWitness(id)).toBeUndefined(),
  );
});

describe('the records of a journal', () => {
  test('come in order and once, past repeats and other journals', async () => {
    const { testimony, tell } = streamOf();
    const told: readonly (readonly [string, number])[] = [
      ['old', 1],
      ['a', 1],
      ['a', 2],
      ['old', 2],
      ['a', 1],
      ['a', 2],
      ['a', 3],
    ];
    for (const [journal, seq] of told) await tell(journal, seq);
    expect(await seqs(testimony, 'a')).toEqual([1, 2, 3]);
    expect(await seqs(testimony, 'old')).toEqual([1, 2]);
    expect(await lastWitness(testimony)).toMatchObject({ journal: 'a', seq: 3 });
  });

  test('end before a gap, and before a record that was changed', async () => {
    const { testimony, tell } = streamOf();
    await tell('a', 1);
    await tell('a', 2, 'something else');
    await tell('a', 3);
    await tell('b', 1);
    await tell('b', 3);
    expect(await seqs(testimony, 'a')).toEqual([1]);
    expect(await seqs(testimony, 'b')).toEqual([1]);
  });

  test('come in order where a part of a batch was stored before what it follows', async () => {
    const { testimony, tell } = streamOf();
    for (const seq of [1, 2, 4, 5, 3, 5, 6]) await tell('a', seq);
    expect(await seqs(testimony, 'a')).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('are none where nothing was told', async () => {
    const { testimony } = streamOf();
    expect(await lastWitness(testimony)).toBeUndefined();
    expect(await seqs(testimony, 'a')).toEqual([]);
  });
});
