/**
 * A port that is watched does what every adapter of that port must do. What is told of it is tested with the metrics.
 */
import { expect, test } from 'vitest';
import { createMemoryStreams } from '../../../events/stream-memory.ts';
import { systemClock, systemRandom } from '../../../reconciler/clock-system.ts';
import { createSimulatedHost } from '../../../reconciler/simulated/host-sim.ts';
import { SimulatedKernel } from '../../../reconciler/simulated/kernel-sim.ts';
import { kernelConfig } from '../../../reconciler/simulated/kernel-sim-config.ts';
import { type Watcher, watchedHost, watchedJournal, watchedStreams } from '../../../src/telemetry/watcher.ts';
import { MemoryDisk, openMemoryJournal } from '../../../store/journal/journal-memory.ts';
import { verifyJournal } from '../../../store/journal/verify.ts';
import { streamContract } from '../../events/stream.contract.ts';
import { hostContract } from '../../reconciler/host.contract.ts';
import {
  CONTRACT_CONFIG,
  CONTRACT_DEADLINE_MS,
  simulatedWorld,
} from '../../reconciler/simulated/host-sim-world.ts';
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

hostContract(
  (name, body) => test(`a watched host: ${name}`, () => expect(body()).resolves.toBeUndefined()),
  () => {
    const config = kernelConfig.parse(CONTRACT_CONFIG);
    const kernel = new SimulatedKernel({ config, clock: systemClock, random: systemRandom });
    const given = { kernel, clock: systemClock, writeDeadlineMs: CONTRACT_DEADLINE_MS };
    const open = async () => watchedHost(createSimulatedHost(given), systemClock, watcher);
    return simulatedWorld({ kernel, open, close: async () => kernel.halt() });
  },
);
