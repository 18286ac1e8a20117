/**
 * Measuring and printing: both sides of a ratio in one run, taking turns.
 */
import { strict as assert } from 'node:assert';

/** What one side gave, over all its rounds. */
export type Sample = { readonly median: number; readonly least: number; readonly most: number };

/** A line of the report. */
export type Line = {
  readonly what: string;
  readonly unit: string;
  readonly sample: Sample;
  /** Against what, and how many times that; absent for the raw limit itself. */
  readonly ratio?: { readonly of: string; readonly times: number };
};

/** A bound that a ratio must keep. */
export type Bound = { readonly name: string; readonly times: number } & (
  | { readonly atLeast: number }
  | { readonly atMost: number }
);

export function sample(values: readonly number[]): Sample {
  assert(values.length > 0, 'nothing was measured');
  const sorted = [...values].sort((a, b) => a - b);
  const [least = 0] = sorted;
  const most = sorted.at(-1) ?? 0;
  return { median: sorted[Math.floor(sorted.length / 2)] ?? 0, least, most };
}

/** Runs the sides in turn, so that whatever else the machine does hits them alike. */
export async function inTurn<S extends string>(
  rounds: number,
  sides: Readonly<Record<S, (round: number) => Promise<number>>>,
): Promise<Record<S, Sample>> {
  const names = Object.keys(sides) as S[];
  const values = new Map<S, number[]>(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const name of names) values.get(name)?.push(await sides[name](round));
  }
  return Object.fromEntries(names.map((name) => [name, sample(values.get(name) ?? [])])) as Record<S, Sample>;
}

/** Prints the lines as a table. */
export function printTable(title: string, lines: readonly Line[]): void {
  console.log(`\n${title}`);
  const rows = lines.map(({ what, unit, sample: { median, least, most }, ratio }) => [
    what,
    `${shown(median)} ${unit}`,
    `${shown(least)} – ${shown(most)}`,
    ratio === undefined ? '' : `${ratio.times.toFixed(2)} × ${ratio.of}`,
  ]);
  const all = [['', 'median', 'spread', 'ratio'], ...rows];
  const widths = [0, 1, 2, 3].map((at) => Math.max(...all.map((row) => row[at]?.length ?? 0)));
  for (const row of all)
    console.log(
      `  ${row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd()}`,
    );
}

/** Says whether the ratio keeps its bound. */
export function judge(bound: Bound): boolean {
  const kept = 'atLeast' in bound ? bound.times >= bound.atLeast : bound.times <= bound.atMost;
  const wanted = 'atLeast' in bound ? `at least ${bound.atLeast}` : `at most ${bound.atMost}`;
  console.log(`  ${bound.name}: ${bound.times.toFixed(2)}, wanted ${wanted}: ${kept ? 'kept' : 'NOT KEPT'}`);
  return kept;
}

function shown(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);
}
