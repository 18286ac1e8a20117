/**
 * The order in which names are shown.
 */

/** By code unit: the same on every machine, and as mdevctl sorts names of ASCII. For `sort`. */
export function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
