import { describe, expect, test } from 'vitest';
import { MemoryDisk, openMemoryJournal } from '../../../store/journal/journal-memory.ts';
import { JournalRefused } from '../../../store/journal/journal-refused.ts';
import { verifyJournal } from '../../../store/journal/verify.ts';
import { type JournalUnderTest, journalContract } from './journal.contract.ts';
import { declared, durable, makeStamp, OTHER_UUID, OWN, UUID } from './journal-fixture.ts';

journalContract('memory', underTest, 100);

function underTest(): JournalUnderTest {
  const disk = new MemoryDisk();
  const stamp = makeStamp();
  return {
    open: async (onCommit) =>
      openMemoryJournal({ ...OWN, disk, journal: 'journal-1', stamp, schedule: setImmediate, onCommit }),
    verify: async () => verifyJournal(disk),
    setFull: (full) => {
      disk.full = full;
    },
  };
}

/** A journal whose commits happen when the test says so. */
function manual() {
  const pending: (() => void)[] = [];
  const options = {
    ...OWN,
    journal: 'journal-1',
    stamp: makeStamp(),
    schedule: (run: () => void) => pending.push(run),
  };
  const commit = () => {
    for (const run of pending.splice(0)) run();
  };
  return { options, commit };
}

describe('a crash in memory', () => {
  test('keeps what was durable, and drops and never answers the rest', async () => {
    const { options, commit } = manual();
    const journal = openMemoryJournal({ ...options, disk: new MemoryDisk() });
    const first = journal.append({ facts: [declared(UUID, 1)] });
    commit();
    durable(await first);
    let answered = false;
    void journal.append({ facts: [declared(OTHER_UUID, 2)] }).then(() => {
      answered = true;
    });

    const disk = journal.crash();
    commit();
    void journal.append({ facts: [declared(OTHER_UUID, 3)] });
    commit();
    await journal.close();

    const after = openMemoryJournal({ ...options, disk });
    expect(after.tail().seq).toBe(2);
    expect(after.latest(UUID).version).toBe(2);
    expect(after.latest(OTHER_UUID).version).toBe(0);
    const next = after.append({ facts: [declared(OTHER_UUID, 4)] });
    commit();
    expect(durable(await next).map(({ seq }) => seq)).toEqual([3]);
    expect(answered).toBe(false);
    expect(verifyJournal(disk)).toMatchObject({ kind: 'sound', tail: { seq: 3 } });
  });

  test('asks for one commit a turn of whoever schedules them', () => {
    const scheduled: (() => void)[] = [];
    const schedule = (run: () => void) => scheduled.push(run);
    const journal = openMemoryJournal({ ...manual().options, disk: new MemoryDisk(), schedule });
    void journal.append({ facts: [declared(UUID, 1)] });
    void journal.append({ facts: [declared(UUID, 2)] });
    expect(scheduled).toHaveLength(1);
    scheduled[0]?.();
    void journal.append({ facts: [declared(UUID, 3)] });
    expect(scheduled).toHaveLength(2);
  });
});

test('a disk of another host is refused', () => {
  const { options } = manual();
  const disk = openMemoryJournal({ ...options, disk: new MemoryDisk() }).crash();
  expect(() => openMemoryJournal({ ...options, disk, host: 'node-2' })).toThrow(JournalRefused);
});

test('two journals on one disk cannot both write it', async () => {
  const { options, commit } = manual();
  const disk = new MemoryDisk();
  const one = openMemoryJournal({ ...options, disk });
  const other = openMemoryJournal({ ...options, disk });
  const results = [one, other].map((journal) => journal.append({ facts: [declared(UUID, 1)] }));
  commit();
  expect((await Promise.all(results)).map(({ kind }) => kind)).toEqual(['durable', 'failed']);
  expect(verifyJournal(disk).kind).toBe('sound');
});
