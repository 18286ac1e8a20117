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
  return new Columns(header.length, terminal).lines([heading(header), ...rows]);
}

/** The header as the first row of a table. */
export function heading(header: readonly string[]): readonly Cell[] {
  return header.map((text) => ({ text, colour: 'bold' }));
}

/** The columns of a table that is told in parts: each is as wide as its widest cell so far. */
export class Columns {
  readonly #widths: number[];
  readonly #terminal: boolean;

  constructor(count: number, terminal: boolean) {
    this.#widths = Array.from({ length: count }, () => 0);
    this.#terminal = terminal;
  }

  /** The next rows as lines, aligned with each other and with those before as far as that can be. */
  lines(rows: readonly (readonly Cell[])[]): string[] {
    const cells = rows.map((row) => row.map((cell) => ({ ...cell, text: printable(cell.text) })));
    for (const row of cells) {
      for (const [column, { text }] of row.entries()) {
        this.#widths[column] = Math.max(this.#widths[column] ?? 0, text.length);
      }
    }
    return cells.map((row) => this.#line(row));
  }

  #line(row: readonly Cell[]): string {
    const padded = row.map(({ text, colour }, column) => {
      const last = column === row.length - 1;
      return paint(last ? text : text.padEnd(this.#widths[column] ?? 0), colour, this.#terminal);
    });
    return padded.join('  ').trimEnd();
  }
}
