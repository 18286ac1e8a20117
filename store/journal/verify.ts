/**
 * The whole journal against itself: every record, the chain from genesis, the checkpoints, and the fold of
 * the log against the projections that are stored beside it.
 *
 * Works on any storage and holds one chunk of records and the devices in memory. A damaged
 * LMDB file can end the process that reads it: the CLI runs this by way of probe.ts.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Cursor } from '../../events/fact.ts';
import { decodeRecord, type StoredRecord } from '../../events/record.ts';
import type { Positions } from './journal.ts';
import {
  type EventMark,
  FOLD_VERSION,
  type JournalReader,
  type Projections,
  type Tail,
} from './journal-storage.ts';
import { LogCheck, type LogIdentity, type Signing } from './log-check.ts';
import { BrokenChain, Misfit, type Replay, recordsOf } from './replay.ts';

/** What is true of every log in which everything fits. */
export type VerifiedLog = LogIdentity & {
  readonly kind: 'sound';
  readonly tail: Tail;
  readonly devices: number;
  /** Records of a newer program, kept and not folded. */
  readonly unknown: number;
  /** The keys that signed checkpoints in it, in the order of their first. */
  readonly signings: readonly Signing[];
};

/** A journal in which everything fits. */
export type Verified = VerifiedLog & {
  /** 'other-version': made by another version of the fold, rebuilt when an agent opens the journal. */
  readonly projections: 'in-step' | 'other-version';
  /** The last record that the fleet acknowledged; what comes after it is nowhere else. */
  readonly forwarded: number;
};

/** `firstBad` is the first record that does not fit; null when the log is whole and a projection is not. */
export type Damaged = { readonly kind: 'damaged'; readonly reason: string; readonly firstBad: number | null };

/** Checks everything, also that the `expected` records are in it; damage is an answer, not an error. */
export function verifyJournal(reader: JournalReader, expected: readonly Tail[] = []): Verified | Damaged {
  try {
    return verify(reader, expected);
  } catch (error) {
    return damage(error);
  }
}

/** The same for the records alone, from the first one on, wherever they were kept. Throws what reading them throws. */
export async function verifyRecords(
  records: AsyncIterable<StoredRecord>,
  expected: readonly Tail[] = [],
): Promise<VerifiedLog | Damaged> {
  const log = new LogCheck(expected);
  const all = records[Symbol.asyncIterator]();
  try {
    for (let at = await all.next(); at.done !== true; at = await all.next()) {
      try {
        log.apply(at.value);
      } catch (error) {
        throw error instanceof BrokenChain ? culprit(at.value, (await all.next()).value) : error;
      }
    }
    log.end();
    if (log.replay.tail.seq === 0) throw new Misfit('there is no record', { seq: 1 });
    return verified(log);
  } catch (error) {
    return damage(error);
  } finally {
    await all.return?.();
  }
}

function damage(error: unknown): Damaged {
  if (!(error instanceof Misfit)) throw error;
  return { kind: 'damaged', reason: error.message, firstBad: error.seq };
}

function verified(log: LogCheck): VerifiedLog {
  const { tail, devices, unknown } = log.replay;
  const { identity, signings } = log;
  return { kind: 'sound', ...identity, tail, devices: devices.size, unknown, signings };
}

function verify(reader: JournalReader, expected: readonly Tail[]): Verified {
  const stored = reader.projections();
  const current = stored.fold === FOLD_VERSION;
  const log = new LogCheck(expected);
  const events = readLog(reader, log, stored.tail, current);
  assertTail(log.replay.tail, stored.tail);
  log.end();
  if (current) {
    assertDevices(log.replay, stored);
    assertPositions(log.replay.positions, stored.positions, stored.tail);
    assertEvents(events, reader.eventCount());
  }
  const projections = current ? 'in-step' : 'other-version';
  return { ...verified(log), projections, forwarded: stored.positions.forwarded };
}

/** Counts the entries of the event index, if it is to be in step, that records account for. */
function readLog(reader: JournalReader, log: LogCheck, end: Tail, current: boolean): number {
  let events = 0;
  for (const record of recordsOf(reader)) {
    try {
      const event = log.apply(record);
      if (current && event !== undefined && isIndexed(reader, event)) events += 1;
    } catch (error) {
      if (!(error instanceof BrokenChain)) throw error;
      const [next] = reader.read(record.seq, 1);
      throw culprit(record, next, end);
    }
  }
  return events;
}

/** True when the index leads from the event to this very record; a repeated event leads to its first. */
function isIndexed(reader: JournalReader, { uuid, key, seq }: EventMark): boolean {
  const indexed = reader.eventSeq(uuid, key);
  if (indexed !== undefined && indexed <= seq) return indexed === seq;
  throw new Misfit(`the event of record ${seq} is not in the index of events`, { seq });
}

/** Which of two records that do not chain was changed: the later one is whole if what follows it says so. */
function culprit(record: StoredRecord, next: StoredRecord | undefined, end?: Tail): Misfit {
  const whole = record.hash === (next === undefined ? end?.hash : prevOf(next));
  const seq = whole ? Math.max(1, record.seq - 1) : record.seq;
  return new Misfit(`record ${seq} was changed: the chain breaks there`, { seq });
}

function prevOf(record: StoredRecord): string | undefined {
  try {
    return decodeRecord(record.bytes).envelope.prev;
  } catch {
    return undefined;
  }
}

function assertTail(log: Tail, stored: Tail): void {
  if (log.seq === stored.seq && log.hash === stored.hash) return;
  if (log.seq === stored.seq) throw new Misfit(`record ${log.seq}, the last, was changed`, { seq: log.seq });
  const seq = Math.min(log.seq, stored.seq) + 1;
  throw new Misfit(`the log ends at record ${log.seq}, its projections at ${stored.seq}`, { seq });
}

function assertDevices(replay: Replay, stored: Projections): void {
  for (const uuid of new Set([...replay.devices.keys(), ...stored.devices.keys()])) {
    if (isDeepStrictEqual(replay.devices.get(uuid), stored.devices.get(uuid))) continue;
    throw new Misfit(`the projection of ${uuid} is not what the log folds to`);
  }
}

function assertPositions(folded: Positions, stored: Positions, tail: Tail): void {
  if (folded.incarnation !== stored.incarnation) {
    throw new Misfit(`the stored incarnation is ${stored.incarnation}, the log says ${folded.incarnation}`);
  }
  for (const name of ['paused', 'cordons', 'registry', 'inventory'] as const) {
    if (!isDeepStrictEqual(folded[name], stored[name]))
      throw new Misfit(`the stored position "${name}" is not what the log says`);
  }
  if (stored.forwarded > tail.seq) {
    throw new Misfit(`forwarded up to ${stored.forwarded}, but the log ends at ${tail.seq}`);
  }
  assertCursor('desired', folded.desired, stored.desired);
  assertCursor('command', folded.command, stored.command);
}

/** A cursor moves without facts too, but never behind the last epoch fact. */
function assertCursor(stream: string, folded: Cursor | null, stored: Cursor | null): void {
  if (folded === null) return;
  const behind =
    stored === null ||
    stored.epoch < folded.epoch ||
    (stored.epoch === folded.epoch && stored.sequence < folded.sequence);
  if (behind) throw new Misfit(`the cursor of stream ${stream} is behind what the log says`);
}

function assertEvents(folded: number, stored: number): void {
  if (folded === stored) return;
  throw new Misfit(`the index of events has ${stored} entries, the log has ${folded} events`);
}
