/**
 * Where a verb writes: results to stdout, warnings to stderr, colours only on a terminal.
 */
import { type Cell, paint, printable, table } from './terminal.ts';

/** As much of a stream as is written to. */
export type Sink = { write(text: string): unknown; readonly isTTY?: boolean };

export class Output {
  readonly #stdout: Sink;
  readonly #stderr: Sink;
  readonly #warned = new Set<string>();

  constructor(stdout: Sink, stderr: Sink) {
    this.#stdout = stdout;
    this.#stderr = stderr;
  }

  json(value: unknown): void {
    this.#stdout.write(`${JSON.stringify(value, null, 2)}\n`);
  }

  table(header: readonly string[], rows: readonly (readonly Cell[])[]): void {
    const lines = table(header, rows, this.#stdout.isTTY === true);
    this.#stdout.write(lines.map((line) => `${line}\n`).join(''));
  }

  line(text: string): void {
    this.#stdout.write(`${printable(text)}\n`);
  }

  /** The same warning is given once. */
  warn(text: string): void {
    if (this.#warned.has(text)) return;
    this.#warned.add(text);
    const label = paint('warning:', 'yellow', this.#stderr.isTTY === true);
    this.#stderr.write(`${label} ${printable(text)}\n`);
  }
}
