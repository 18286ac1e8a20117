/**
 * A moment in the middle of a long journal, by way of snapshots, against folding the whole of it.
 *
 * The moment is as far behind a snapshot as one can be, and the snapshots were made by a reading before.
 */
import { readFileSync } from 'node:fs';
import { openFiles } from '../../store/journal/journal-files.ts';
import { LmdbStorage } from '../../store/journal/lmdb-storage.ts';
import { recordsOf } from '../../store/journal/replay.ts';
import { journalPast, snapshotFolder } from '../../store/past/journal-past.ts';
import type { End } from '../../store/past/moment.ts';
import { Snapshots } from '../../store/past/snapshots.ts';
import { inTurn, judge, printTable } from './measure.ts';

const ROUNDS = 3;
/** Records between two snapshots, as store/past/snapshots.ts has it for so few devices. */
const SPACING = 25_000;
const NOW: End = { kind: 'now' };

/** Measures the journal in `dir`, and says whether the bound is kept. */
export async function benchReplay(dir: string): Promise<boolean> {
  const storage = new LmdbStorage(openFiles(dir, true));
  const reader = { recordsAfter: (seq: number) => recordsOf(storage, seq) };
  const folder = snapshotFolder(dir);
  const { seq } = storage.projections().tail;
  const middle: End = { kind: 'seq', seq: middleOf(seq), here: true };
  journalPast(reader, [NOW], new Snapshots(folder));
  const { whole, moment } = await inTurn(ROUNDS, {
    whole: () => msOf(() => journalPast(reader, [NOW], null)),
    moment: () => msOf(() => journalPast(reader, [middle], new Snapshots(folder))),
  });
  const memoryMb = ownMemoryMb();
  await storage.close();
  const times = moment.median / whole.median;
  printTable(`a moment in the middle of ${seq.toLocaleString('en')} facts`, [
    { what: 'fold all of them', unit: 'ms', sample: whole },
    { what: 'the moment, by snapshots', unit: 'ms', sample: moment, ratio: { of: 'the whole fold', times } },
    {
      what: 'memory beside the mapped file',
      unit: 'MB',
      sample: { median: memoryMb, least: memoryMb, most: memoryMb },
    },
  ]);
  // In a short journal most of it lies between two snapshots.
  const atMost = Math.max(0.1, (2 * SPACING) / seq);
  return judge({ name: 'a moment in the middle against the whole fold', times, atMost });
}

/** Right before where a snapshot stands. */
function middleOf(seq: number): number {
  return Math.max(1, Math.floor(seq / 2 / SPACING) * SPACING + SPACING - 1);
}

/** What the process holds itself; the journal's file, which is mapped, is the kernel's to keep or drop. */
function ownMemoryMb(): number {
  const [, kb = '0'] = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return Number(kb) / 1024;
}

async function msOf(work: () => unknown): Promise<number> {
  const begin = performance.now();
  work();
  return performance.now() - begin;
}
