/**
 * What each simulated host knew after each of its commits, as the simulation itself saw it.
 */
import type { HostId, Uuid } from '../../events/names.ts';
import type { Device } from '../../store/device.ts';
import type { MemoryDisk } from '../../store/journal/journal-memory.ts';
import type { Cast } from './fault.ts';
import { simulate } from './simulate.ts';

/** A host's devices when its journal ended at this record. */
export type Remembered = {
  readonly host: HostId;
  readonly seq: number;
  readonly devices: ReadonlyMap<Uuid, Device>;
};

export type RememberedRun = {
  readonly cast: Cast;
  readonly disks: ReadonlyMap<HostId, MemoryDisk>;
  readonly states: readonly Remembered[];
};

/** Runs the seed and remembers every state whose record is still the journal's at the end. */
export async function remember(seed: number): Promise<RememberedRun> {
  const seen = new Map<string, Remembered & { readonly hash: string }>();
  let met: Cast | undefined;
  await simulate(seed, {
    watch: (cast) => {
      met = cast;
      for (const { name, disk, isPutBack } of cast.machines) {
        const { tail, devices } = disk.projections();
        const key = `${name} ${tail.seq}`;
        if (isPutBack || tail.seq === 0 || seen.get(key)?.hash === tail.hash) continue;
        seen.set(key, { host: name, seq: tail.seq, hash: tail.hash, devices: new Map(devices) });
      }
    },
  });
  if (met === undefined) throw new Error('nothing ever happened');
  const disks = new Map(met.machines.map(({ name, disk }) => [name, disk]));
  const states = [...seen.values()].filter(
    ({ host, seq, hash }) => disks.get(host)?.read(seq - 1, 1)[0]?.hash === hash,
  );
  return { cast: met, disks, states };
}
