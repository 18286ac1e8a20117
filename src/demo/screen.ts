/**
 * How the demo's story is printed: numbered chapters, prose, and what programs and kernels said.
 *
 * 100 columns at most, as far as words allow. Colours only on a terminal.
 */
import type { Sink } from '../cli/output.ts';
import { type Cell, type Colour, paint, printable, table } from '../cli/terminal.ts';

const COLUMNS = 100;
const INDENT = '   ';
/** Least width of what says who speaks. */
const SPEAKER_CHARS_MIN = 8;

export class Screen {
  readonly #sink: Sink;
  readonly #terminal: boolean;

  constructor(sink: Sink) {
    this.#sink = sink;
    this.#terminal = sink.isTTY === true;
  }

  title(text: string): void {
    this.#sink.write('\n');
    this.#write('', [text], 'bold');
  }

  chapter(number: number, title: string): void {
    this.title(`${number}  ${title}`);
  }

  say(text: string): void {
    this.#write(INDENT, wrap(text, COLUMNS - INDENT.length));
  }

  /** A command as the reader could give it. */
  command(text: string): void {
    this.#write(INDENT, [`$ ${text}`], 'cyan');
  }

  /** What somebody said or did, beside their name. */
  voice(speaker: string, text: string, colour?: Colour): void {
    const width = Math.max(SPEAKER_CHARS_MIN, speaker.length + 2);
    const lines = wrap(printable(text), COLUMNS - INDENT.length - width);
    for (const [index, line] of lines.entries()) {
      const name = paint((index === 0 ? speaker : '').padEnd(width), 'dim', this.#terminal);
      this.#sink.write(`${INDENT}${name}${paint(line, colour, this.#terminal)}\n`);
    }
  }

  table(header: readonly string[], rows: readonly (readonly Cell[])[]): void {
    this.#write(INDENT, table(header, rows, this.#terminal));
  }

  #write(indent: string, lines: readonly string[], colour?: Colour): void {
    for (const line of lines)
      this.#sink.write(`${indent}${paint(line, colour, this.#terminal)}`.trimEnd().concat('\n'));
  }
}

/** Lines of whole words; a word that is wider than a line has one of its own. */
function wrap(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > columns) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
