/**
 * A long journal, verified and folded, against a plain loop that scans it and hashes each record.
 *
 * With fewer than a million facts (`npm run bench -- --facts 100000`) starting the second thread weighs more, and the ratio is
 * lower.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256 } from '../../events/digest.ts';
import { type JournalFiles, openFiles } from '../../store/journal/journal-files.ts';
import type { JournalReader } from '../../store/journal/journal-storage.ts';
import { Replay, recordsOf } from '../../store/journal/replay.ts';
import { verifyJournal } from '../../store/journal/verify.ts';
import { readVouched } from '../../store/journal/vouched.ts';
import { writeHistory } from './history.ts';
import { inTurn, judge, printTable } from './measure.ts';
import { benchReplay } from './replay.ts';

const FACTS = 1_000_000;
const ROUNDS = 3;

export async function benchJournal(facts = FACTS): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'mdevfleet-bench-'));
  const dir = join(folder, 'journal');
  await writeHistory(dir, facts);
  const kept = [await benchReading(dir, facts), await benchReplay(dir)];
  rmSync(folder, { recursive: true });
  return kept.every(Boolean);
}

async function benchReading(dir: string, facts: number): Promise<boolean> {
  const files = openFiles(dir, true);
  const perSecond = async (work: () => unknown): Promise<number> => {
    const begin = performance.now();
    await work();
    return (facts * 1000) / (performance.now() - begin);
  };
  const rates = await inTurn(ROUNDS, {
    plain: () => perSecond(() => scan(files)),
    fold: () => perSecond(() => readVouched(dir, files, fold)),
    verify: () => perSecond(() => readVouched(dir, files, verify)),
  });
  await files.root.close();
  const of = 'scan and hash';
  const [folded, verified] = [rates.fold, rates.verify].map((one) => one.median / rates.plain.median);
  printTable(`a journal of ${facts.toLocaleString('en')} facts`, [
    { what: 'scan and hash', unit: '/s', sample: rates.plain },
    { what: 'fold', unit: '/s', sample: rates.fold, ratio: { of, times: folded ?? 0 } },
    { what: 'verify', unit: '/s', sample: rates.verify, ratio: { of, times: verified ?? 0 } },
  ]);
  return [
    judge({ name: 'the fold against scan and hash', times: folded ?? 0, atLeast: 0.4 }),
    judge({ name: 'verify against scan and hash', times: verified ?? 0, atLeast: 0.4 }),
  ].every(Boolean);
}

function scan({ log }: JournalFiles): void {
  for (const { value } of log.getRange()) sha256(value);
}

function fold(reader: JournalReader): void {
  const replay = new Replay();
  for (const record of recordsOf(reader)) replay.apply(record);
}

function verify(reader: JournalReader): void {
  const found = verifyJournal(reader);
  if (found.kind !== 'sound') throw new Error(`the journal is damaged: ${found.reason}`);
}
