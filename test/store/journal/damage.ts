/**
 * Damage done to copies of a journal, at random from a seed: as a disk does it, and as somebody with an LMDB library.
 *
 * Each is judged by what `verify` says with the checkpoint of the journal's end at hand. What it calls sound must read
 * as the journal did before, record by record, device by device and position by position; what it calls damaged has
 * the record that it names really changed, missing or strange, if it names one.
 */
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Fact } from '../../../events/fact.ts';
import type { StoredRecord } from '../../../events/record.ts';
import {
  dataFile,
  type JournalFiles,
  openFiles,
  STATE,
  summed,
} from '../../../store/journal/journal-files.ts';
import { openJournal } from '../../../store/journal/journal-lmdb.ts';
import type { Projections, Tail } from '../../../store/journal/journal-storage.ts';
import { LmdbStorage } from '../../../store/journal/lmdb-storage.ts';
import { verifyJournalFiles } from '../../../store/journal/probe.ts';
import { recordsOf } from '../../../store/journal/replay.ts';
import { Dice } from '../../sim/dice.ts';
import { declared, durable, makeStamp, OWN } from './journal-fixture.ts';

const PAGE_BYTES = 4096;
const DEVICES = 8;
const ROUNDS = 12;

/** A journal as it was, and all that can be read of it. */
export type Sound = { readonly dir: string; readonly read: Read; close(): void };

type Read = {
  readonly records: readonly StoredRecord[];
  readonly projections: Projections;
  readonly tail: Tail;
};

/** What was done, and what came of it. `wrong` says why the verdict is; null when it is right. */
export type Trial = {
  readonly what: string;
  readonly verdict: 'sound' | 'damaged';
  readonly firstBad: number | null;
  readonly wrong: string | null;
};

type Tamper = (files: JournalFiles, last: number, dice: Dice) => number | null;

/** Makes the journal that is damaged. */
export async function makeSound(): Promise<Sound> {
  const dir = mkdtempSync(join(tmpdir(), 'mdevfleet-damage-'));
  const journal = await openJournal({
    ...OWN,
    dir: join(dir, 'sound'),
    create: 'journal-1',
    stamp: makeStamp(),
  });
  for (let round = 1; round <= ROUNDS; round += 1) durable(await journal.append({ facts: factsOf(round) }));
  durable(await journal.append({ facts: [], positions: { forwarded: 20, witnessed: 33 } }));
  await journal.close();
  const read = await readAll(join(dir, 'sound'));
  return { dir, read, close: () => rmSync(dir, { recursive: true }) };
}

function factsOf(round: number): readonly Fact[] {
  const generation = { epoch: 1, sequence: round };
  return Array.from({ length: DEVICES }, (_, at): Fact => {
    const uuid = `00000000-0000-4000-8000-00000000000${at}`;
    if (round % 3 === 0) return { kind: 'releasing', v: 1, uuid, generation, cause: 'Withdrawn' };
    return declared(uuid, round * DEVICES + at);
  });
}

async function readAll(dir: string): Promise<Read> {
  const storage = new LmdbStorage(openFiles(dir, true));
  try {
    const projections = storage.projections();
    return { records: [...recordsOf(storage)], projections, tail: projections.tail };
  } finally {
    await storage.close();
  }
}

/** Damages a copy, has it verified, and judges the verdict. */
export async function tryDamage(sound: Sound, seed: number): Promise<Trial> {
  const dice = new Dice(seed);
  const dir = join(sound.dir, `copy-${seed}`);
  mkdirSync(dir);
  copyFileSync(dataFile(join(sound.dir, 'sound')), dataFile(dir));
  try {
    const [what, damage] = dice.pick(Object.entries(DAMAGES));
    const expected = await damage(dir, sound.read, dice);
    const verdict = await verifyJournalFiles(dir, [sound.read.tail]);
    if (verdict.kind === 'absent')
      return { what, verdict: 'damaged', firstBad: null, wrong: 'it is said to be absent' };
    if (verdict.kind === 'sound')
      return { what, verdict: 'sound', firstBad: null, wrong: await difference(dir, sound.read, expected) };
    return {
      what,
      verdict: 'damaged',
      firstBad: verdict.firstBad,
      wrong: misnamed(verdict.firstBad, expected),
    };
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** Null for a journal that reads as the sound one does. */
async function difference(dir: string, was: Read, expected: number | null): Promise<string | null> {
  if (expected !== null) return `record ${expected} was damaged, and nothing said`;
  const is = await readAll(dir);
  const text = ({ records, projections: { devices, ...rest } }: Read) =>
    JSON.stringify([records.map(({ bytes }) => Buffer.from(bytes).toString('base64')), [...devices], rest]);
  return text(is) === text(was) ? null : 'it reads otherwise, and nothing was said';
}

/** A disk's damage may hit anything; what was tampered with is known. */
function misnamed(firstBad: number | null, expected: number | null): string | null {
  return expected === null || firstBad === expected
    ? null
    : `record ${expected} is the first that does not fit`;
}

type Damage = (dir: string, was: Read, dice: Dice) => Promise<number | null>;

/** Changes the file's bytes. */
function onDisk(change: (bytes: Buffer, dice: Dice) => void): Damage {
  return async (dir, _was, dice) => {
    const bytes = readFileSync(dataFile(dir));
    change(bytes, dice);
    writeFileSync(dataFile(dir), bytes);
    return null;
  };
}

/** Changes the databases; answers with the first record that does not fit then, null when it is none. */
function inside(tamper: Tamper): Damage {
  return async (dir, { tail }, dice) => {
    const files = openFiles(dir, false);
    let firstBad: number | null = null;
    files.root.transactionSync(() => {
      firstBad = tamper(files, tail.seq, dice);
    });
    await files.root.close();
    return firstBad;
  };
}

const DAMAGES: Readonly<Record<string, Damage>> = {
  'a bit flipped': onDisk((bytes, dice) => {
    const at = dice.between(0, bytes.length - 1);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << dice.between(0, 7));
  }),
  'a page zeroed': onDisk((bytes, dice) => {
    const page = dice.between(0, Math.floor(bytes.length / PAGE_BYTES) - 1);
    bytes.fill(0, page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
  }),
  'a page in the place of another': onDisk((bytes, dice) => {
    const pages = Math.floor(bytes.length / PAGE_BYTES);
    const [from, to] = [dice.between(0, pages - 1), dice.between(0, pages - 1)];
    bytes.copyWithin(to * PAGE_BYTES, from * PAGE_BYTES, (from + 1) * PAGE_BYTES);
  }),
  'the file cut short': async (dir, _was, dice) => {
    const { length } = readFileSync(dataFile(dir));
    truncateSync(dataFile(dir), dice.between(0, length - 1));
    return null;
  },
  'a record dropped': inside(({ log }, last, dice) => {
    const seq = dice.between(1, last);
    log.removeSync(seq);
    return seq;
  }),
  'two records swapped': inside(({ log }, last, dice) => {
    const [one, other] = [dice.between(2, last - 2), dice.between(2, last - 2)].sort((a, b) => a - b);
    if (one === undefined || other === undefined || one === other) return null;
    const [a, b] = [Buffer.from(log.get(one) ?? []), Buffer.from(log.get(other) ?? [])];
    log.putSync(one, b);
    log.putSync(other, a);
    return one;
  }),
  'a record inserted': inside(({ log }, last, dice) => {
    const seq = dice.between(1, last);
    for (let at = last; at >= seq; at -= 1) log.putSync(at + 1, Buffer.from(log.get(at) ?? []));
    return seq + 1;
  }),
  'the tail cut, with all that tells of it': inside((files, last, dice) => {
    const end = dice.between(1, last - 1);
    for (let seq = end + 1; seq <= last; seq += 1) files.log.removeSync(seq);
    const state = files.positions.get(STATE);
    if (state === undefined) throw new Error('no state was stored');
    files.positions.putSync(STATE, summed({ ...state, fold: 0, tail: { ...state.tail, seq: end } }));
    return null;
  }),
  'a device changed': inside(({ devices }, _last, dice) => {
    const { key, value } = dice.pick([...devices.getRange()]);
    if (dice.chance(0.3)) devices.removeSync(key);
    else devices.putSync(key, { ...value, version: dice.between(1, value.version - 1) });
    return null;
  }),
  'an event forgotten': inside(({ events }, _last, dice) => {
    events.removeSync(dice.pick([...events.getKeys()]));
    return null;
  }),
  'a position changed': inside(({ positions }, last, dice) => {
    const state = positions.get(STATE);
    if (state === undefined) throw new Error('no state was stored');
    const forwarded = dice.between(21, last);
    positions.putSync(STATE, { ...state, positions: { ...state.positions, forwarded } });
    return null;
  }),
};
