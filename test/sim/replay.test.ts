/**
 * The past is what it was: against what the simulation saw at the time, and the same from wherever it is read.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openEmbedded } from '../../events/embedded/embedded.ts';
import { openEmbeddedStreams } from '../../events/embedded/streams-embedded.ts';
import type { HostId } from '../../events/names.ts';
import { decodeRecord } from '../../events/record.ts';
import { systemClock } from '../../reconciler/clock-system.ts';
import { hostsAt } from '../../src/past/moments.ts';
import { statesAt } from '../../src/past/past-rows.ts';
import { exportSource, JournalSource, journalsIn, type Source, streamSource } from '../../src/past/source.ts';
import { writeExport } from '../../store/journal/export.ts';
import type { MemoryDisk } from '../../store/journal/journal-memory.ts';
import { recordsOf } from '../../store/journal/replay.ts';
import { restoreJournal } from '../../store/journal/restore.ts';
import { journalPast } from '../../store/past/journal-past.ts';
import { type Moment, msOf } from '../../store/past/moment.ts';
import { Dice } from './dice.ts';
import { PREFIX } from './inventory.ts';
import { type RememberedRun, remember } from './remembered.ts';

const SEEDS = [2, 3, 5, 7];
const MOMENTS = 200;

describe('every state that the simulation saw is replayed', () => {
  test.each(SEEDS)('seed %i', async (seed) => {
    const { states, disks } = await remember(seed);
    for (const [host, disk] of disks) {
      const seen = states.filter((one) => one.host === host);
      expect(seen.length).toBeGreaterThan(20);
      const ends = seen.map(({ seq }) => ({ kind: 'seq', seq, here: true }) as const);
      const replayed = journalPast(readerOf(disk), ends, null);
      for (const [at, { seq, devices }] of seen.entries()) {
        expect(replayed[at]).toMatchObject({ host, seq, fault: null });
        expect(replayed[at]?.devices).toEqual(devices);
      }
    }
  });
});

function readerOf(disk: MemoryDisk) {
  return { recordsAfter: (seq: number) => recordsOf(disk, seq) };
}

describe('the same moments', () => {
  let run: RememberedRun;
  let folder: string;
  const sources: Source[] = [];
  const closing: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    run = await remember(42);
    folder = mkdtempSync(join(tmpdir(), 'mdevfleet-moments-'));
    const files: string[] = [];
    for (const [host, disk] of run.disks) {
      await restoreJournal(join(folder, 'hosts', host), streamed(recordsOf(disk)));
      files.push(join(folder, `${host}.ndjson.gz`));
      await writeExport(join(folder, `${host}.ndjson.gz`), recordsOf(disk));
    }
    const embedded = await openEmbedded(folder, { after: systemClock.after, now: systemClock.wall });
    const { observed } = await openEmbeddedStreams(embedded, PREFIX);
    await observed.appendAll(run.cast.server.observed.all().map((one) => ({ ...one, id: one.id ?? '' })));
    const journals = new JournalSource(journalsIn(folder, undefined));
    closing.push(
      () => journals.close(),
      () => embedded.close(),
    );
    sources.push(journals, streamSource({ stream: observed, prefix: PREFIX }), exportSource(files));
  });

  afterAll(async () => {
    for (const close of closing) await close();
    rmSync(folder, { recursive: true });
  });

  test(`${MOMENTS} of them are told alike by journals, the stream and exports`, async () => {
    const asked = momentsOf(run);
    let told = 0;
    let devices = 0;
    for (const [host, moments] of asked) {
      const answers = await Promise.all(sources.map((source) => hostsAt(source, { moments, host })));
      const [journals] = answers;
      for (const at of moments.keys()) {
        const [here, stream, file] = answers.map((past) => statesAt(past, at));
        expect(stream).toEqual(here);
        expect(file).toEqual(here);
        told += 1;
        for (const state of here ?? []) devices += state.devices.size;
        expect(here?.map(({ fault }) => fault)).not.toContainEqual(expect.any(String));
      }
      expect(journals?.size).toBeGreaterThan(0);
    }
    expect(told).toBe(MOMENTS);
    expect(devices).toBeGreaterThan(MOMENTS);
  });
});

async function* streamed<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items;
}

/** Times and declarations of the fleet, and numbers of each host. */
function momentsOf({ disks }: RememberedRun): ReadonlyMap<HostId | undefined, readonly Moment[]> {
  const dice = new Dice(4711);
  const facts = [...disks].flatMap(([host, disk]) =>
    [...recordsOf(disk)].map(({ bytes }) => ({ host, ...decodeRecord(bytes) })),
  );
  const moments = new Map<HostId | undefined, Moment[]>();
  for (let at = 0; at < MOMENTS; at += 1) {
    const { host, envelope, fact } = dice.pick(facts);
    const generation = fact?.kind === 'declared' ? fact.generation : null;
    const isNumber = dice.chance(0.3);
    // Where a stream was made anew, hosts may have given one generation to different declarations.
    const sharers = facts.filter(
      (one) => one.fact?.kind === 'declared' && isDeepStrictEqual(one.fact.generation, generation),
    );
    const isOneHosts = isNumber || new Set(sharers.map((one) => one.host)).size > 1;
    const asked = isOneHosts ? host : undefined;
    const known = moments.get(asked) ?? [];
    moments.set(asked, known);
    if (isNumber) known.push({ kind: 'seq', seq: envelope.seq });
    else if (generation !== null) known.push({ kind: 'generation', generation });
    else known.push({ kind: 'time', ms: msOf(envelope.time) + dice.between(-1_000, 1_000) });
  }
  return moments;
}
