/**
 * From the stream to the durable journal, against a bare loop that reads, parses, hashes and
 * commits the same messages.
 *
 * Both read batches of the same size through the same call, so what is compared is what the
 * intake adds: folding, rows, the chain, projections.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from 'lmdb';
import { encodeDeclaration, eventKey } from '../../events/codec.ts';
import { presentEvent } from '../../events/declaration.ts';
import { sha256 } from '../../events/digest.ts';
import type { Stream, Streams } from '../../events/stream.ts';
import { subjectFilter } from '../../events/subject.ts';
import { INTAKE_LIMITS, Intake } from '../../store/intake.ts';
import type { Journal } from '../../store/journal/journal.ts';
import { openJournal } from '../../store/journal/journal-lmdb.ts';
import { type Bound, inTurn, judge, printTable } from './measure.ts';
import { BENCH_HOST, PREFIX, uuidOf } from './names.ts';

const DECLARATIONS = 20_000;
const UUIDS = 2_000;
const ROUNDS = 5;
const BATCH = INTAKE_LIMITS.batchMessagesMax;

export async function benchIntake(streams: Streams): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'mdevfleet-bench-'));
  const journals = await Promise.all(
    Array.from({ length: ROUNDS }, (_, at) => journalAt(join(folder, `j${at}`))),
  );
  const intakes = journals.map((journal) => intakeInto(journal, streams.desired));
  for (const intake of intakes) await intake.sync();
  await publish(streams.desired);
  const rates = await inTurn(ROUNDS, {
    bare: (round) => rateOf(() => bareLoop(streams.desired, join(folder, `b${round}`))),
    intake: (round) => rateOf(async () => await intakes[round]?.sync()),
  });
  for (const journal of journals) await journal.close();
  rmSync(folder, { recursive: true });
  const times = rates.intake.median / rates.bare.median;
  printTable(`${DECLARATIONS} declarations of one host, from the stream to the durable journal`, [
    { what: 'bare loop: read, parse, hash, commit', unit: '/s', sample: rates.bare },
    { what: 'intake', unit: '/s', sample: rates.intake, ratio: { of: 'bare loop', times } },
  ]);
  const bound: Bound = { name: 'intake against the bare loop', times, atLeast: 0.6 };
  return judge(bound);
}

async function rateOf(work: () => Promise<void>): Promise<number> {
  const begin = performance.now();
  await work();
  return (DECLARATIONS * 1000) / (performance.now() - begin);
}

function journalAt(dir: string): Promise<Journal> {
  return openJournal({
    dir,
    host: BENCH_HOST,
    machine: { machineId: 'bench', product: null },
    software: 'bench',
    create: uuidOf(0),
    stamp: () => ({ time: new Date().toISOString(), boot: 'bench' }),
  });
}

function intakeInto(journal: Journal, stream: Stream): Intake {
  return new Intake({
    name: 'desired',
    ...{ stream, journal, host: BENCH_HOST, prefix: PREFIX, limits: INTAKE_LIMITS },
    rejections: { admit: () => 0 },
    pause: () => Promise.resolve(),
    onRecorded: () => {},
  });
}

async function publish(stream: Stream): Promise<void> {
  const messages = Array.from({ length: DECLARATIONS }, (_, at) => {
    const event = { id: `event-${at}`, source: 'bench', time: new Date().toISOString() };
    const data = { uuid: uuidOf(at % UUIDS), host: BENCH_HOST, parent: '0000:41:00.0', type: 'nvidia-474' };
    const attributes = [{ name: 'round', value: String(Math.floor(at / UUIDS)) }];
    return encodeDeclaration(PREFIX, {
      desired: 'present',
      event,
      data: { ...data, attributes, set: 'bench' },
    });
  });
  for (let at = 0; at < messages.length; at += 1_000) {
    const answers = await stream.appendAll(messages.slice(at, at + 1_000));
    if (answers.some((one) => one.kind !== 'stored')) throw new Error('not every declaration was stored');
  }
}

async function bareLoop(stream: Stream, path: string): Promise<void> {
  const root = open({ path, overlappingSync: false, maxDbs: 4 });
  const log = root.openDB<Uint8Array, number>({ name: 'log', encoding: 'binary', keyEncoding: 'uint32' });
  const devices = root.openDB<unknown, string>({ name: 'devices' });
  const events = root.openDB<number, string>({ name: 'events' });
  const cursor = root.openDB<unknown, string>({ name: 'cursor' });
  const filter = subjectFilter(PREFIX, 'desired', { host: BENCH_HOST });
  for (let after = 0, seq = 1; after < DECLARATIONS; ) {
    const messages = await stream.next(filter, after, BATCH);
    root.transactionSync(() => {
      for (const { data, sequence } of messages) {
        const event = presentEvent.parse(JSON.parse(new TextDecoder().decode(data)));
        const digest = sha256(data);
        log.putSync(seq, data);
        devices.putSync(event.data.uuid, event.data);
        events.putSync(eventKey(event), seq);
        cursor.putSync('cursor', { sequence, digest });
        after = sequence;
        seq += 1;
      }
    });
  }
  await root.close();
}
