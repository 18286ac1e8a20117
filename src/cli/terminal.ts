/**
 * Text for people: columns, colours, and nothing that a stranger's event could do to a terminal.
 */
import { stripVTControlCharacters, styleText } from 'node:util';

/** Control characters, and those that turn the direction of text. */
const UNPRINTABLE = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

export type Colour = 'red' | 'green' | 'yellow' | 'cyan' | 'dim' | 'bold';

/** A cell of a table, in colour if it has one. */
export type Cell = { readonly text: string; readonly colour?: Colour };

/** The text in one line, without escape sequences or control characters. */
export function printable(text: string): string {
  return stripVTControlCharacters(text).replace(/\s+/g, ' ').replace(UNPRINTABLE, '\ufffd');
}

/** Colours the text, on a terminal only. */
export function paint(text: string, colour: Colour | undefined, terminal: boolean): string {
  return terminal && colour !== undefined ? styleText(colour, text, { validateStream: false }) : text;
}

/** Lines of a table with aligned columns under a header; the text of every cell is made printable. */
export function table(
  header: readonly string[],
  rows: readonly (readonly Cell[])[],
  terminal: boolean,
): string[] {
  const head = header.map((text): Cell => ({ text, colour: 'bold' }));
  const cells = [head, ...rows].map((row) => row.map((cell) => ({ ...cell, text: printable(cell.text) })));
  const widths = header.map((_, column) =>
    cells.reduce((widest, row) => Math.max(widest, row[column]?.text.length ?? 0), 0),
  );
  return cells.map((row) =>
    row
      .map(({ text, colour }, column) => {
        const padded = column === row.length - 1 ? text : text.padEnd(widths[column] ?? 0);
        return paint(padded, colour, terminal);
      })
      .join('  ')
      .trimEnd(),
  );
}
