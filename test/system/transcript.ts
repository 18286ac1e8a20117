/**
 * A session at a shell, as a page of the documentation shows it: in blocks that begin with ```console, a line that begins
 * with `# ` is what root types, and the lines up to the next such line are the answer.
 *
 * What differs from one machine or moment to the next is not compared: times, hashes, versions, how many records.
 */

export type Step = { readonly command: string; readonly answer: readonly string[] };

const BEGIN = '```console';
const END = '```';
const PROMPT = '# ';

/** By what each is replaced before it is compared; blanks last, since columns are as wide as what is in them. */
const VOLATILE: readonly (readonly [RegExp, string])[] = [
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, '<time>'],
  [/\bjournal [0-9a-f-]{36}\b/g, 'journal <uuid>'],
  [/\b[0-9a-f]{64}\b/g, '<hash>'],
  [/\bv?\d+\.\d+\.\d+[\w.+~-]*/g, '<version>'],
  [/\b(observed|GID) \d+\b/g, '$1 <n>'],
  [/\b\d+ (files|messages|records)\b/g, '<n> $1'],
  [/\balpha +\d+ /g, 'alpha <n> '],
  [/ {2,}/g, ' '],
];

/** The steps of a page, in order. */
export function stepsOf(page: string): readonly Step[] {
  const steps: { command: string; answer: string[] }[] = [];
  for (const { kind, text } of linesOf(page)) {
    if (kind === 'command') steps.push({ command: text, answer: [] });
    if (kind === 'answer') steps.at(-1)?.answer.push(text);
  }
  return steps;
}

/** The page with these answers; one that says the same as before stays as it is, to the letter. */
export function answered(page: string, answers: readonly (readonly string[])[]): string {
  const before = stepsOf(page);
  let step = -1;
  const lines = linesOf(page).flatMap(({ kind, text, line }) => {
    if (kind === 'answer') return [];
    if (kind !== 'command') return [line];
    step += 1;
    const [old = [], now = []] = [before[step]?.answer, answers[step]];
    return [`${PROMPT}${text}`, ...(isSame(old, now) ? old : now)];
  });
  return lines.join('\n');
}

export function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((line, at) => compared(line) === compared(other[at] ?? ''));
}

/** A line without what differs each time. */
function compared(line: string): string {
  return VOLATILE.reduce((text, [pattern, by]) => text.replace(pattern, by), line);
}

type Line = { readonly kind: 'prose' | 'command' | 'answer'; readonly text: string; readonly line: string };

function linesOf(page: string): readonly Line[] {
  let inside = false;
  return page.split('\n').map((line) => {
    if (line === BEGIN || line === END) {
      inside = line === BEGIN;
      return { kind: 'prose', text: line, line };
    }
    if (!inside) return { kind: 'prose', text: line, line };
    if (line.startsWith(PROMPT)) return { kind: 'command', text: line.slice(PROMPT.length), line };
    return { kind: 'answer', text: line, line };
  });
}
