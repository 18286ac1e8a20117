/**
 * What the machines of the simulated fleet are made of, and the names in it.
 */
import type { Attribute } from '../../events/names.ts';
import { kernelConfig } from '../../reconciler/simulated/kernel-sim-config.ts';
import type { Dice } from './dice.ts';

export const PREFIX = 'mdev';
export const PARENTS = ['gpu-0', 'gpu-1'] as const;

/** One is plain, one takes attributes of which each stands once, one takes a list in order. */
const TYPES = ['sim-a', 'sim-b', 'sim-c'] as const;

/** Few enough instances that some declarations find none. */
const UNITS = 5;

/** Two parents, whose types draw on one pool each. */
export const MACHINE_CONFIG = kernelConfig.parse({
  reserveMs: [0, 3],
  probeMs: [0, 30],
  removeMs: [0, 30],
  attributeMs: [0, 5],
  parents: PARENTS.map((name) => ({
    name,
    units: UNITS,
    types: [
      { name: 'sim-a', units: 1, attributes: [{ name: 'rate', accepts: '^[0-9]+$' }, { name: 'mode' }] },
      { name: 'sim-b', units: 2 },
      { name: 'sim-c', units: 1, attributes: [{ name: 'assign', accepts: '^[0-9]+$' }] },
    ],
  })),
});

export type SimPlace = { readonly parent: string; readonly type: string };

export function somePlace(dice: Dice): SimPlace {
  return { parent: dice.pick(PARENTS), type: dice.pick(TYPES) };
}

/** Attributes as the type takes them; now and then one that it refuses. */
export function someAttributes(dice: Dice, type: string): readonly Attribute[] {
  if (type === 'sim-b' || dice.chance(0.4)) return [];
  const value = (): string => (dice.chance(0.95) ? String(dice.between(1, 9)) : 'none');
  if (type === 'sim-c') return [0, 1, 2].map(() => ({ name: 'assign', value: value() }));
  const rate = { name: 'rate', value: value() };
  return dice.chance(0.5) ? [rate] : [rate, { name: 'mode', value: dice.pick(['fast', 'slow']) }];
}

/** UUIDs that operators declare. */
export function uuidOf(at: number): string {
  return `00000000-0000-4000-8000-${at.toString(16).padStart(12, '0')}`;
}

/** A UUID that no operator ever declares. */
export function strangeUuid(dice: Dice): string {
  return `ffffffff-0000-4000-8000-${String(dice.between(0, 3)).padStart(12, '0')}`;
}
