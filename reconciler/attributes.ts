/**
 * What has to be written to a device to bring its attributes from one list to another.
 *
 * Compared is what was last applied, not what can be read back: many attributes are
 * write-only or are assigned several times (vfio-ap), so order and repeats matter.
 */
import type { Attribute } from '../events/names.ts';

/** The writes in order; empty when nothing differs; undefined when only a new device gets there. */
export function writesBetween(
  applied: readonly Attribute[],
  declared: readonly Attribute[],
): readonly Attribute[] | undefined {
  if (isPrefix(applied, declared)) return declared.slice(applied.length);
  return repeats(applied) || repeats(declared) ? undefined : changedValues(applied, declared);
}

/** The list as it is once some of the writes that lead to `declared` were done. */
export function appliedWith(
  applied: readonly Attribute[],
  written: readonly Attribute[],
  declared: readonly Attribute[],
): readonly Attribute[] {
  if (repeats(declared)) return [...applied, ...written];
  const values = new Map([...applied, ...written].map((one) => [one.name, one.value]));
  return [...values].map(([name, value]) => ({ name, value }));
}

/** Where each name stands once, a new value may be written over the old one; a name cannot be taken back. */
function changedValues(
  applied: readonly Attribute[],
  declared: readonly Attribute[],
): readonly Attribute[] | undefined {
  const before = new Map(applied.map((one) => [one.name, one.value]));
  const kept = declared.filter((one) => before.has(one.name)).length;
  if (kept < applied.length) return undefined;
  return declared.filter((one) => before.get(one.name) !== one.value);
}

function isPrefix(start: readonly Attribute[], whole: readonly Attribute[]): boolean {
  return start.every((one, at) => one.name === whole[at]?.name && one.value === whole[at]?.value);
}

function repeats(list: readonly Attribute[]): boolean {
  return new Set(list.map((one) => one.name)).size < list.length;
}
