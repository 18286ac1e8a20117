/**
 * What happens to disks, and to who speaks for a host: a disk is put back to an older copy, or lost, or a host id is given to
 * another machine.
 */
import { decodeIncarnation } from '../../store/registry/hold.ts';
import type { Dice } from './dice.ts';
import type { Cast, Fault } from './fault.ts';
import { mind } from './faults-registry.ts';
import type { Machine } from './machine.ts';
import { recordsOf } from './records.ts';

/** Nothing that a dead machine has sent arrives after so long. */
const SILENCE_MS = 25_000;
/** Pause before a journal is tried to be made again. */
const REBUILD_AGAIN_MS = 5_000;

export const DISK_FAULTS: readonly Fault[] = [
  { name: 'disk put back', weight: 1, strike: putBack },
  { name: 'disk lost', weight: 1, strike: lose },
  { name: 'host cloned', weight: 1, strike: clone },
];

/** A copy of the disk is put back some time after it was made. Only what the fleet has of a journal tells that. */
function putBack({ world, server }: Cast, machine: Machine, dice: Dice): void {
  if (isInDoubt(machine)) return;
  const copy = machine.disk.copy();
  world.after(dice.between(5_000, 40_000), () => {
    const known = recordsOf(machine.name, server.observed).at(-1)?.seq ?? 0;
    if (!world.trouble || isInDoubt(machine) || known <= copy.projections().tail.seq) return;
    world.note(machine.name, 'its disk is put back to an older copy');
    machine.putBack(copy);
  });
}

/**
 * An empty disk, on which an agent begins another journal; it must not speak for the host. An operator makes the journal
 * again from the observed stream once the server is whole.
 */
function lose(cast: Cast, machine: Machine, dice: Dice): void {
  const { world, server } = cast;
  if (isInDoubt(machine) || !isSpokenFor(server, machine)) return;
  if (!isWitnessed(server, machine)) return;
  server.strangers += 1;
  machine.loseDisk();
  mind(cast);
  const rebuild = (): void => {
    if (!server.up || server.observed.lagMs > 0) return void world.after(REBUILD_AGAIN_MS, rebuild);
    server.strangers -= 1;
    void machine.rebuild();
  };
  world.after(dice.between(SILENCE_MS, 2 * SILENCE_MS), rebuild);
}

/** Somebody starts an agent on another machine under the same host id, perhaps with a copy of the disk. */
function clone({ world, server }: Cast, machine: Machine, dice: Dice): void {
  if (isInDoubt(machine) || !isSpokenFor(server, machine)) return;
  const clone = machine.clone(dice.chance(0.3) ? machine.disk.copy() : undefined);
  world.note(machine.name, 'it has a clone');
  server.strangers += 1;
  clone.start();
  world.after(dice.between(5_000, 60_000), () => {
    clone.crash();
    server.strangers -= 1;
  });
}

/** Without the beginning of a journal nothing can be made of the rest. */
function isWitnessed({ observed }: Cast['server'], { name }: Machine): boolean {
  if (observed.rewinds.length > 0) return false;
  const seqs = new Set(recordsOf(name, observed).map(({ seq }) => seq));
  return seqs.size > 0 && Math.max(...seqs) === seqs.size;
}

function isInDoubt({ isPutBack, isStranger, isForgotten }: Machine): boolean {
  return isPutBack || isStranger || isForgotten;
}

/** While nobody has taken the word that an operator gave free, anybody may. */
function isSpokenFor({ registry }: Cast['server'], { name }: Machine): boolean {
  const identity = registry.identityOf(name);
  return identity !== undefined && decodeIncarnation(identity).vacant === undefined;
}
