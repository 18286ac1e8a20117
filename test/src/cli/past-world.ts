/**
 * A small fleet with a past: the journals of two hosts on the disk, their facts in an embedded stream, and exports.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeDeclaration } from '../../../events/codec.ts';
import { openEmbedded } from '../../../events/embedded/embedded.ts';
import { openEmbeddedStreams } from '../../../events/embedded/streams-embedded.ts';
import type { StoredRecord } from '../../../events/record.ts';
import type { Stream } from '../../../events/stream.ts';
import { formatSubject } from '../../../events/subject.ts';
import { systemClock } from '../../../reconciler/clock-system.ts';
import { writeExport } from '../../../store/journal/export.ts';
import { restoreJournal } from '../../../store/journal/restore.ts';
import { formatWitness } from '../../../store/witness.ts';

const PREFIX = 'mdev';

export type PastWorld = {
  /** `--data`: has the journals and the embedded fleet. */
  readonly data: string;
  /** The exported file of a host's journal. */
  readonly exportOf: (host: string) => string;
  /** Removes everything. */
  remove(): void;
};

export type HostJournal = {
  readonly host: string;
  readonly journal: string;
  readonly records: readonly StoredRecord[];
};

type Declared = Parameters<typeof encodeDeclaration>[1];

/** Makes the fleet; `unread` was declared after everything else. */
export async function makePast(
  journals: readonly HostJournal[],
  unread: readonly Declared[] = [],
): Promise<PastWorld> {
  const data = mkdtempSync(join(tmpdir(), 'mdevfleet-past-'));
  const exportOf = (host: string): string => join(data, `${host}.ndjson.gz`);
  const embedded = await openEmbedded(data, { after: systemClock.after, now: systemClock.wall });
  const { observed, desired } = await openEmbeddedStreams(embedded, PREFIX);
  for (const one of journals) {
    await restoreJournal(join(data, 'hosts', one.host), stream(one.records));
    await writeExport(exportOf(one.host), one.records);
    await forward(observed, one);
  }
  for (const declaration of unread) await desired.append(encodeDeclaration(PREFIX, declaration));
  await embedded.close();
  return { data, exportOf, remove: () => rmSync(data, { recursive: true }) };
}

async function* stream<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

/** As an agent forwards: in order, but some of it twice and some of it late. */
async function forward(observed: Stream, { host, journal, records }: HostJournal): Promise<void> {
  const order = [...records];
  const late = order.splice(2, 1);
  order.splice(4, 0, ...late, ...order.slice(1, 3));
  for (const { seq, hash, bytes } of order) {
    const { uuid = null } = JSON.parse(new TextDecoder().decode(bytes));
    const subject = formatSubject(PREFIX, { kind: 'observed', host, uuid });
    await observed.append({ subject, id: formatWitness({ journal, seq, hash }), data: bytes });
  }
}
