/**
 * A journal as a host writes it in years: devices declared, made, drifting, moved and given back, over and over.
 */
import type { Fact } from '../../events/fact.ts';
import type { Uuid } from '../../events/names.ts';
import type { Journal } from '../../store/journal/journal.ts';
import { openJournal } from '../../store/journal/journal-lmdb.ts';
import { BENCH_HOST, uuidOf } from './names.ts';

/** Devices of the host. */
const UUIDS = 500;
/** Facts in one commit. */
const BATCH_FACTS = 1_000;

const about = { v: 1 as const };

/** One life of a device. */
function* life(uuid: Uuid, sequence: number): Generator<Fact> {
  const generation = { epoch: 1, sequence };
  const claim = { host: BENCH_HOST, parent: `0000:${uuid.slice(-2)}:00.0`, type: 'nvidia-63' };
  const attributes = [{ name: 'assign_adapter', value: `${sequence % 255}` }];
  const event = {
    id: `01890a5d-ac96-774b-bcce-${`${sequence}`.padStart(12, '0')}`,
    source: 'mdevfleet/root@console',
    time: '2026-01-01T00:00:00.000Z',
  };
  const declared = {
    kind: 'declared' as const,
    ...about,
    uuid,
    generation,
    event,
    set: 'gpus',
    replaces: null,
  };
  const labels = { team: 'render', rack: 'r12' };
  yield { ...declared, desired: 'present', claim, attributes, labels, outcome: 'claimed' };
  yield { kind: 'claiming', ...about, uuid, generation, claim };
  yield { kind: 'reserved', ...about, uuid, generation, revision: sequence };
  yield {
    kind: 'waiting',
    ...about,
    uuid,
    generation,
    reason: 'NoCapacity',
    message: 'there is no instance left of nvidia-63',
    errno: 28,
  };
  yield { kind: 'settled', ...about, uuid, generation };
  yield { kind: 'configured', ...about, uuid, generation, attributes, echoing: ['assign_adapter'] };
  yield { kind: 'active', ...about, uuid, generation, how: 'created' };
  yield { kind: 'drift', ...about, uuid, generation, cause: 'Rebooted' };
  yield { kind: 'active', ...about, uuid, generation, how: 'created' };
  const absent = { epoch: 1, sequence: sequence + 1 };
  const withdrawn = { ...declared, generation: absent, event: { ...event, id: `${event.id}-2` }, set: null };
  yield { ...withdrawn, desired: 'absent', claim: null, attributes: [], labels: {}, outcome: 'withdrawn' };
  yield { kind: 'releasing', ...about, uuid, generation: absent, cause: 'Withdrawn' };
  yield { kind: 'gone', ...about, uuid, generation: absent };
}

function* lives(): Generator<Fact> {
  for (let sequence = 1; ; ) {
    const round = Array.from({ length: UUIDS }, (_, at) => life(uuidOf(at), sequence + 2 * at));
    yield* interleaved(round);
    sequence += 2 * UUIDS;
  }
}

/** The first fact of each, then the second of each, until all are told. */
function* interleaved<T>(told: readonly Generator<T>[]): Generator<T> {
  for (let open = [...told]; open.length > 0; ) {
    const still: Generator<T>[] = [];
    for (const one of open) {
      const next = one.next();
      if (next.done === true) continue;
      still.push(one);
      yield next.value;
    }
    open = still;
  }
}

/** Writes a journal of so many facts into `dir`. */
export async function writeHistory(dir: string, facts: number): Promise<void> {
  let tick = 0;
  const stamp = () => {
    tick += 1;
    return {
      time: new Date(1_767_225_600_000 + tick * 1000).toISOString(),
      boot: '5d3c7e0a-2f51-4b1e-9a44-0c8a6f1e2b01',
    };
  };
  const machine = { machineId: '0123456789abcdef0123456789abcdef', product: null };
  const journal = await openJournal({
    dir,
    host: BENCH_HOST,
    machine,
    software: 'bench',
    stamp,
    create: 'bench-journal',
  });
  await append(journal, facts);
  await journal.close();
}

async function append(journal: Journal, facts: number): Promise<void> {
  let batch: Fact[] = [];
  let left = facts - 1;
  for (const fact of lives()) {
    batch.push(fact);
    left -= 1;
    if (batch.length < BATCH_FACTS && left > 0) continue;
    const result = await journal.append({ facts: batch });
    if (result.kind !== 'durable') throw new Error(`the history could not be written: ${result.kind}`);
    if (left <= 0) return;
    batch = [];
  }
}
