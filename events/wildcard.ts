/**
 * Subject filters: `*` stands for one token, `>` at the end for one or more.
 */

/** True when the filter takes the subject. */
export function matches(filter: string, subject: string): boolean {
  const wanted = filter.split('.');
  const tokens = subject.split('.');
  const open = wanted.at(-1) === '>';
  if (open ? tokens.length < wanted.length : tokens.length !== wanted.length) return false;
  return wanted.every((one, at) => one === '*' || (open && at === wanted.length - 1) || one === tokens[at]);
}
