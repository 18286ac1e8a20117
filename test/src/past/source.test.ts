/**
 * Following the past as it goes on.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { StoredRecord } from '../../../events/record.ts';
import { createMemoryStreams } from '../../../events/stream-memory.ts';
import {
  type Follower,
  JournalSource,
  journalsIn,
  type Source,
  streamSource,
} from '../../../src/past/source.ts';
import { openJournal } from '../../../store/journal/journal-lmdb.ts';
import { formatWitness } from '../../../store/witness.ts';
import { declared, durable, HOST, makeStamp, OWN, UUID } from '../../store/journal/journal-fixture.ts';
import { chain } from '../../store/past/chain.ts';

/** The numbers of the facts that are told, where something happens between each look and the next. */
async function followed(source: Source, happenings: readonly (() => Promise<unknown>)[]): Promise<number[]> {
  const left = [...happenings];
  const follower: Follower = {
    async again() {
      const next = left.shift();
      await next?.();
      return next !== undefined;
    },
  };
  const seqs: number[] = [];
  for await (const { record } of source.facts({}, follower)) seqs.push(record.seq);
  return seqs;
}

test('the stream, as hosts forward', async () => {
  const stream = createMemoryStreams({ now: () => '2026-01-01T00:00:00Z' }).observed;
  const records = chain(HOST, 'j', [
    [1, declared(UUID, 1)],
    [2, declared(UUID, 2)],
  ]);
  const forward = async ({ seq, hash, bytes }: StoredRecord): Promise<void> => {
    const id = formatWitness({ journal: 'j', seq, hash });
    await stream.append({ subject: `mdev.observed.${HOST}._`, id, data: bytes });
  };
  const forwarded = (seq: number) => async () => forward(records[seq - 1] as StoredRecord);
  const source = streamSource({ stream, prefix: 'mdev' });
  expect(await followed(source, [1, 3, 2, 2].map(forwarded))).toEqual([1, 3, 2]);
});

test('a stream in which a record is missing is told up to it, and that it is', async () => {
  const stream = createMemoryStreams({ now: () => '2026-01-01T00:00:00Z' }).observed;
  const records = chain(HOST, 'j', [
    [1, declared(UUID, 1)],
    [2, declared(UUID, 2)],
    [3, declared(UUID, 3)],
  ]);
  for (const { seq, hash, bytes } of records) {
    const id = formatWitness({ journal: 'j', seq, hash });
    const data = seq === 3 ? new TextEncoder().encode('changed on its way') : bytes;
    await stream.append({ subject: `mdev.observed.${HOST}._`, id, data });
  }
  const past = await streamSource({ stream, prefix: 'mdev' }).past({ endsOf: () => [{ kind: 'now' }] });
  expect(past.get(HOST)).toMatchObject([{ seq: 2, fault: 'record 3 is missing, later ones are there' }]);
});

test('a journal, while its agent writes', async () => {
  const data = mkdtempSync(join(tmpdir(), 'mdevfleet-follow-'));
  const journal = await openJournal({
    ...OWN,
    dir: join(data, 'hosts', HOST),
    create: 'j',
    stamp: makeStamp(),
  });
  const source = new JournalSource(journalsIn(data, undefined));
  const append = (n: number) => async () => durable(await journal.append({ facts: [declared(UUID, n)] }));
  expect(await followed(source, [append(1), append(2)])).toEqual([1, 2, 3]);
  await source.close();
  await journal.close();
  rmSync(data, { recursive: true });
});
