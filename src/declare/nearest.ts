/**
 * "Did you mean": which of the words that there are somebody may have meant.
 */

/** More words than these would not help. */
const WORDS_MAX = 3;

/** The words least different from what was typed, in any case; none if all are too different. */
export function nearest(typed: string, words: readonly string[]): readonly string[] {
  const far = Math.max(1, Math.floor(typed.length / 3));
  const ranked = words
    .map((word) => ({ word, distance: distance(typed.toLowerCase(), word.toLowerCase()) }))
    .filter((one) => one.distance <= far)
    .sort((a, b) => a.distance - b.distance);
  return ranked.slice(0, WORDS_MAX).map(({ word }) => word);
}

/** What to add to an error about a word: `; did you mean this or that?`, or nothing. Words may be given more than once. */
export function didYouMean(typed: string, words: Iterable<string>): string {
  const near = nearest(typed, [...new Set(words)]);
  return near.length === 0 ? '' : `; did you mean ${near.join(' or ')}?`;
}

/** Letters to be added, left out or changed to get from one word to the other. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [at, letter] of [...from].entries()) {
    const next = [at + 1];
    for (const [index, other] of [...to].entries()) {
      const changed = (row[index] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(changed, (row[index + 1] ?? 0) + 1, (next[index] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
