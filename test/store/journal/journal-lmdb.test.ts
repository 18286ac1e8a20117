import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { encodeRecord } from '../../../events/record.ts';
import type { Device } from '../../../store/device.ts';
import { eventMarkKey } from '../../../store/journal/draft.ts';
import type { Journal } from '../../../store/journal/journal.ts';
import { dataFile, openFiles, STATE, statsOf, summed } from '../../../store/journal/journal-files.ts';
import { type JournalOptions, openJournal } from '../../../store/journal/journal-lmdb.ts';
import { JournalRefused } from '../../../store/journal/journal-refused.ts';
import { LmdbStorage } from '../../../store/journal/lmdb-storage.ts';
import { checkJournal, verifyJournalFiles } from '../../../store/journal/probe.ts';
import { verifyJournal } from '../../../store/journal/verify.ts';
import { type JournalUnderTest, journalContract } from './journal.contract.ts';
import { declared, durable, keyOf, large, makeStamp, OTHER_UUID, OWN, UUID } from './journal-fixture.ts';
import { makeTempFolder } from './journal-folder.ts';

/** More records than the check before opening looks at. */
const BEYOND_THE_CHECK = 1100;

journalContract('LMDB', underTest, 4);

function underTest(): JournalUnderTest {
  const dir = join(makeTempFolder(), 'hosts', 'node-1.example');
  const stamp = makeStamp();
  return {
    open: (onCommit) => openJournal({ ...OWN, dir, create: 'journal-1', stamp, onCommit }),
    verify: async () => {
      const storage = new LmdbStorage(openFiles(dir, true));
      const verdict = verifyJournal(storage);
      await storage.close();
      return verdict;
    },
    setFull: (full) => limitFileSize(full ? `${statSync(dataFile(dir)).size}` : 'unlimited'),
  };
}

/** The kernel refuses this process writes beyond the limit, as a full disk does; Node ignores the signal that goes with it. */
function limitFileSize(bytes: string): void {
  execFileSync('prlimit', ['--pid', `${process.pid}`, `--fsize=${bytes}:`]);
}

function options(dir: string): JournalOptions {
  return { ...OWN, dir, create: 'journal-1', stamp: makeStamp() };
}

/** A journal of a few records, closed again. */
async function makeJournal(dir: string): Promise<void> {
  const journal = await openJournal(options(dir));
  durable(await journal.append({ facts: [1, 2, 3].map((n) => declared(UUID, n)) }));
  await journal.close();
}

function refusal(opened: Promise<Journal>): Promise<JournalRefused> {
  return opened.then(
    () => Promise.reject(new Error('it was opened')),
    (error) => (error instanceof JournalRefused ? error : Promise.reject(error)),
  );
}

describe('opening a journal in LMDB', () => {
  test('refuses to begin one unless told to', async () => {
    const dir = join(makeTempFolder(), 'journal');
    const { create: _, ...without } = options(dir);
    expect(await refusal(openJournal(without))).toMatchObject({
      reason: 'absent',
      message: expect.stringContaining(dir),
    });
    expect(existsSync(dir)).toBe(false);
  });

  test("refuses another host's, naming both", async () => {
    const dir = makeTempFolder();
    await makeJournal(dir);
    const { reason, message } = await refusal(openJournal({ ...options(dir), host: 'node-2' }));
    expect(reason).toBe('other-host');
    expect(message).toMatch(/host node-1, and this agent is host node-2/);
  });

  test.each([
    ['machine id', { machineId: 'another', product: 'product-1' }],
    ['product', { machineId: OWN.machine.machineId, product: null }],
  ])("refuses another machine's, by its %s, naming both and the way out", async (_what, machine) => {
    const dir = makeTempFolder();
    await makeJournal(dir);
    const { reason, message } = await refusal(openJournal({ ...options(dir), machine }));
    expect(reason).toBe('other-machine');
    for (const part of [OWN.machine.machineId, 'product-1', machine.machineId, 'rebind'])
      expect(message).toContain(part);
    expect(await verifyJournalFiles(dir)).toMatchObject({ kind: 'sound', tail: { seq: 4 } });
  });

  test('begins anew over a beginning that was cut short', async () => {
    const dir = makeTempFolder();
    mkdirSync(join(dir, 'beginning'));
    writeFileSync(join(dir, 'beginning', 'data.mdb'), 'half a');
    expect(await checkJournal(dir)).toEqual({ kind: 'absent' });
    await makeJournal(dir);
    expect(readdirSync(dir).sort()).toEqual(['data.mdb', 'lock.mdb']);
  });

  test('keeps its records apart from the journal of another host beside it', async () => {
    const parent = makeTempFolder();
    const journals = await Promise.all(
      ['a.example', 'b.example'].map((host) => openJournal({ ...options(join(parent, host)), host })),
    );
    for (const [index, journal] of journals.entries()) {
      durable(await journal.append({ facts: [declared(index === 0 ? UUID : OTHER_UUID, 1)] }));
    }
    expect(journals.map((journal) => [...journal.devices()].map(({ uuid }) => uuid))).toEqual([
      [UUID],
      [OTHER_UUID],
    ]);
    await Promise.all(journals.map((journal) => journal.close()));
  });
});

test('a second writer cannot move what it did not see', async () => {
  const dir = makeTempFolder();
  await makeJournal(dir);
  const storage = new LmdbStorage(openFiles(dir, false));
  const { tail, positions } = storage.projections();
  const stale = { after: { ...tail, seq: 1 }, tail, records: [], devices: [], events: [] };
  expect(() => storage.commit({ ...stale, positions: { ...positions, forwarded: 2 } })).toThrow(
    /another process/,
  );
  expect(storage.projections()).toMatchObject({ tail, positions });
  await storage.close();
});

describe('a journal from another version', () => {
  test('keeps records of kinds it does not know, and goes on after them', async () => {
    const dir = makeTempFolder();
    await makeJournal(dir);
    const storage = new LmdbStorage(openFiles(dir, false));
    const { tail, positions } = storage.projections();
    const later = { kind: 'blessed', v: 7, uuid: UUID, by: 'a newer program' } as never;
    const record = encodeRecord({ seq: tail.seq + 1, time: 't', boot: 'b', prev: tail.hash }, later, []);
    storage.commit({ after: tail, tail: record, records: [record], devices: [], events: [], positions });
    await storage.close();

    const journal = await openJournal(options(dir));
    expect(journal.latest(UUID).version).toBe(4);
    expect(durable(await journal.append({ facts: [declared(UUID, 4)] }))[0]?.seq).toBe(6);
    await journal.close();
    expect(await verifyJournalFiles(dir)).toMatchObject({ kind: 'sound', unknown: 1, tail: { seq: 6 } });
  });

  test('has its projections made again when they are of another fold', async () => {
    const dir = makeTempFolder();
    const journal = await openJournal(options(dir));
    const [, before] = durable(
      await journal.append({
        facts: [declared(UUID, 1), { kind: 'incarnated', v: 1, incarnation: 2 }],
        positions: { forwarded: 1 },
      }),
    );
    const device = journal.device(UUID);
    await journal.close();

    const files = openFiles(dir, false);
    const state = files.positions.get(STATE);
    if (state === undefined) throw new Error('no state was stored');
    files.root.transactionSync(() => {
      const positions = { ...state.positions, incarnation: 0 };
      files.positions.putSync(STATE, summed({ ...state, fold: 0, positions }));
      files.devices.putSync(UUID, { ...device, waiting: 'of old' } as unknown as Device);
      files.devices.putSync(OTHER_UUID, { ...device, uuid: OTHER_UUID });
      files.events.removeSync(eventMarkKey(UUID, keyOf(1)));
      files.events.putSync(eventMarkKey(UUID, keyOf(9)), 2);
    });
    await files.root.close();
    expect(await verifyJournalFiles(dir)).toMatchObject({ kind: 'sound', projections: 'other-version' });

    const again = await openJournal(options(dir));
    expect([...again.devices()]).toEqual([device]);
    expect(again.positions()).toMatchObject({ forwarded: 1, incarnation: 2 });
    expect([1, 9].map((n) => again.seen(UUID, keyOf(n)))).toEqual([true, false]);
    expect(again.tail().hash).toBe(before?.hash);
    await again.close();
    expect(await verifyJournalFiles(dir)).toMatchObject({ kind: 'sound', projections: 'in-step' });
  });
});

test('projections cannot be made again from a log that is damaged', async () => {
  const dir = makeTempFolder();
  const journal = await openJournal(options(dir));
  const turns = Array.from({ length: BEYOND_THE_CHECK }, (_, index) => ({
    facts: [declared(UUID, index + 1)],
  }));
  await Promise.all(turns.map((turn) => journal.append(turn)));
  await journal.close();

  const files = openFiles(dir, false);
  const state = files.positions.get(STATE);
  if (state === undefined) throw new Error('no state was stored');
  files.root.transactionSync(() => {
    files.positions.putSync(STATE, summed({ ...state, fold: 0 }));
    files.log.putSync(2, Buffer.from('{}'));
  });
  await files.root.close();
  expect(await checkJournal(dir)).toMatchObject({ kind: 'sound' });
  const { reason, message } = await refusal(openJournal(options(dir)));
  expect(reason).toBe('damaged');
  expect(message).toContain('record 2');
});

test('the file always reaches to the last page that LMDB counts', async () => {
  const dir = makeTempFolder();
  const journal = await openJournal(options(dir));
  for (let n = 1; n <= 60; n += 1) {
    const facts = [declared(n % 2 === 0 ? UUID : OTHER_UUID, n), large((n * 977) % 9000)];
    durable(await journal.append({ facts, positions: { forwarded: n } }));
    const files = openFiles(dir, true);
    const { lastPageNumber, pageSize } = statsOf(files.root);
    expect(statSync(dataFile(dir)).size).toBeGreaterThanOrEqual((lastPageNumber + 1) * pageSize);
    await files.root.close();
  }
  await journal.close();
});
