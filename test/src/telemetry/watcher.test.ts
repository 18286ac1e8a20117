/**
 * A port that is watched does what every adapter of that port must do. The host's, whose contract takes as long as its
 * deadlines, only hands on; what it tells is tested with the metrics.
 */
import { createMemoryStreams } from '../../../events/stream-memory.ts';
import { systemClock } from '../../../reconciler/clock-system.ts';
import { type Watcher, watchedJournal, watchedStreams } from '../../../src/telemetry/watcher.ts';
import { MemoryDisk, openMemoryJournal } from '../../../store/journal/journal-memory.ts';
import { verifyJournal } from '../../../store/journal/verify.ts';
import { streamContract } from '../../events/stream.contract.ts';
import { journalContract } from '../../store/journal/journal.contract.ts';
import { makeStamp, OWN } from '../../store/journal/journal-fixture.ts';

const RUNS = 10;
const nothing = (): void => undefined;
const watcher: Watcher = {
  passEnded: nothing,
  passFailed: nothing,
  foundByResync: nothing,
  appended: nothing,
  wrote: nothing,
  took: nothing,
  rang: nothing,
  connection: nothing,
};

journalContract(
  'watched',
  () => {
    const disk = new MemoryDisk();
    const given = { ...OWN, disk, journal: 'journal-1', stamp: makeStamp(), schedule: setImmediate };
    return {
      open: async (onCommit) => watchedJournal(openMemoryJournal({ ...given, onCommit }), watcher),
      verify: async () => verifyJournal(disk),
      setFull: (full) => {
        disk.full = full;
      },
    };
  },
  RUNS,
);

streamContract(
  'watched',
  async () => {
    const streams = watchedStreams(createMemoryStreams({ now: systemClock.wall }), watcher);
    return { prefix: 'mdev', client: async () => streams, close: () => streams.close() };
  },
  RUNS,
);
