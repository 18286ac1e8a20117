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

/** What every subject that the filter takes begins with: all before its first wildcard. */
export function literalHead(filter: string): string {
  const tokens = filter.split('.');
  const first = tokens.findIndex(isWildcard);
  return first === -1
    ? filter
    : tokens
        .slice(0, first)
        .map((token) => `${token}.`)
        .join('');
}

/** The tokens before the last one, and the last one: the host's part of a subject, and the device's. */
export function splitLast(subject: string): readonly [head: string, last: string] {
  const dot = subject.lastIndexOf('.');
  return [subject.slice(0, Math.max(dot, 0)), subject.slice(dot + 1)];
}

function isWildcard(token: string): boolean {
  return token === '*' || token === '>';
}
