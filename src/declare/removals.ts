/**
 * How many devices one `apply` may take away: a number, or a share of what stands declared by its sets.
 */

/** Unless told otherwise. */
export const MAX_REMOVALS = '10';

const NUMBER = /^(0|[1-9][0-9]{0,8})$/;
const SHARE = /^(0|[1-9][0-9]?|100)%$/;

/** How many that are, of so many; null for what is neither a number nor a share. */
export function removalsAllowed(text: string, of: number): number | null {
  if (NUMBER.test(text)) return Number(text);
  const [, percent] = SHARE.exec(text) ?? [];
  return percent === undefined ? null : Math.floor((of * Number(percent)) / 100);
}
