/**
 * The journal of a simulated machine, as a process writes it that can be killed right before or after a commit.
 */
import type { Machine as Identity } from '../../events/fact.ts';
import type { SimulatedKernel } from '../../reconciler/simulated/kernel-sim.ts';
import {
  type MemoryDisk,
  type MemoryJournal,
  openMemoryJournal,
} from '../../store/journal/journal-memory.ts';
import { type Life, mortalClock } from './mortal.ts';
import type { World } from './world.ts';

type Owner = {
  readonly world: World;
  readonly name: string;
  readonly disk: MemoryDisk;
  readonly kernel: SimulatedKernel;
  readonly clockOffMs: number;
  restart(): void;
};

export type JournalParts = {
  /** Id of the journal that is begun if the disk holds none. */
  readonly journal: string;
  readonly machine: Identity;
  /** The share of commits at which the process is killed. */
  readonly fatalCommits: number;
  readonly onCommit: (records: number) => void;
};

export function openMortalJournal(owner: Owner, life: Life, parts: JournalParts): MemoryJournal {
  const { world, disk, kernel } = owner;
  const { fatalCommits, ...given } = parts;
  return openMemoryJournal({
    ...{ disk, host: owner.name, software: 'sim' },
    ...given,
    stamp: () => ({ time: world.wallAt(owner.clockOffMs), boot: kernel.bootId }),
    schedule: (commit) => schedule(owner, life, fatalCommits, commit),
  });
}

/** Commits a moment later; the worst moments to be killed are just before that, and just after. */
function schedule(owner: Owner, life: Life, fatalCommits: number, commit: () => void): void {
  const { world } = owner;
  const fatal = (): boolean => world.trouble && world.chance(fatalCommits);
  mortalClock(world, life).after(world.random(), () => {
    if (fatal()) return owner.restart();
    commit();
    if (fatal()) world.after(0, () => life.alive && owner.restart());
  });
}
