/**
 * A journal that is lost with its disk, made again from what the observed stream has of it: what `mdevfleet rebuild` does.
 */
import type { Stream } from '../../events/stream.ts';
import { MemoryDisk } from '../../store/journal/journal-memory.ts';
import type { EventMark } from '../../store/journal/journal-storage.ts';
import { Replay } from '../../store/journal/replay.ts';
import { recordsWitnessed } from '../../store/witness.ts';
import { PREFIX } from './inventory.ts';

/** A disk with the records of the journal as far as they were forwarded, and what they fold to. */
export async function diskMadeAgain(host: string, journal: string, observed: Stream): Promise<MemoryDisk> {
  const records = await Array.fromAsync(
    recordsWitnessed({ stream: observed, host, prefix: PREFIX }, journal),
  );
  const replay = new Replay();
  const events: EventMark[] = [];
  for (const record of records) {
    const mark = replay.apply(record);
    if (mark !== undefined) events.push(mark);
  }
  const disk = new MemoryDisk();
  const after = disk.projections().tail;
  const { tail } = replay;
  const positions = { ...replay.positions, madeAgain: true };
  if (records.length > 0)
    disk.commit({ after, tail, records, devices: [...replay.devices.values()], events, positions });
  return disk;
}
