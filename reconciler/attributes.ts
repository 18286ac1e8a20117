/**
 * What has to be written to a device to bring its attributes from one list to another.
 *
 * Compared is what was last applied, not what can be read back: many attributes are
 * write-only or are assigned several times (vfio-ap), so order and repeats matter. Only an
 * attribute that is declared once, and read back what was written right after that, is
 * watched from then on: when it reads otherwise, somebody has changed it.
 */
import type { Attribute } from '../events/names.ts';

/**
 * The writes in order; empty when nothing differs; undefined when only a new device gets there.
 * @param changed names of applied attributes that somebody else has changed since: they are written again
 */
export function writesBetween(
  applied: readonly Attribute[],
  declared: readonly Attribute[],
  changed: readonly string[] = [],
): readonly Attribute[] | undefined {
  if (isPrefix(applied, declared)) {
    return [...rewrites(applied, changed), ...declared.slice(applied.length)];
  }
  return repeats(applied) || repeats(declared) ? undefined : changedValues(applied, declared, changed);
}

/** The list as it is once some of the writes that lead to `declared` were done. */
export function appliedWith(
  applied: readonly Attribute[],
  written: readonly Attribute[],
  declared: readonly Attribute[],
  changed: readonly string[] = [],
): readonly Attribute[] {
  if (repeats(declared)) return [...applied, ...written.slice(rewrites(applied, changed).length)];
  const values = new Map([...applied, ...written].map((one) => [one.name, one.value]));
  return [...values].map(([name, value]) => ({ name, value }));
}

/** Where each name stands once, a new value may be written over the old one; a name cannot be taken back. */
function changedValues(
  applied: readonly Attribute[],
  declared: readonly Attribute[],
  changed: readonly string[],
): readonly Attribute[] | undefined {
  const before = new Map(applied.map((one) => [one.name, one.value]));
  const kept = declared.filter((one) => before.has(one.name)).length;
  if (kept < applied.length) return undefined;
  return declared.filter(({ name, value }) => before.get(name) !== value || changed.includes(name));
}

function rewrites(applied: readonly Attribute[], changed: readonly string[]): readonly Attribute[] {
  return applied.filter(({ name }) => changed.includes(name));
}

/** The names that are declared once: what such an attribute reads can be compared with its one value. */
export function singles(list: readonly Attribute[]): readonly string[] {
  const names = list.map(({ name }) => name);
  return names.filter((name) => names.indexOf(name) === names.lastIndexOf(name));
}

/** Of these names, those that read as listed and those that read otherwise; what was not read is neither. */
export function readings(
  names: readonly string[],
  listed: readonly Attribute[],
  read: readonly Attribute[],
): { readonly same: readonly string[]; readonly other: readonly string[] } {
  const [same, other]: [string[], string[]] = [[], []];
  for (const name of names) {
    const [is, should] = [valueIn(read, name), valueIn(listed, name)];
    if (is !== undefined && should !== undefined) (isSame(should, is) ? same : other).push(name);
  }
  return { same, other };
}

function valueIn(list: readonly Attribute[], name: string): string | undefined {
  return list.find((one) => one.name === name)?.value;
}

const NUMBER = /^(?:0x[0-9a-f]+|[0-9]+)$/i;

/** The same text but for blanks around it, or the same number, one of them in hexadecimal perhaps. */
function isSame(written: string, read: string): boolean {
  const [a, b] = [written.trim(), read.trim()];
  return a === b || (NUMBER.test(a) && NUMBER.test(b) && BigInt(a) === BigInt(b));
}

function isPrefix(start: readonly Attribute[], whole: readonly Attribute[]): boolean {
  return start.every((one, at) => one.name === whole[at]?.name && one.value === whole[at]?.value);
}

function repeats(list: readonly Attribute[]): boolean {
  return new Set(list.map((one) => one.name)).size < list.length;
}
