/**
 * Where a verb writes: results to stdout, warnings to stderr, colours only on a terminal; and where it asks.
 */
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { type Cell, Columns, heading, paint, printable, table } from './terminal.ts';

/** As much of a stream as is written to. One that has enough answers false, and calls back when it has not any more. */
export type Sink = {
  write(text: string): unknown;
  once?(event: 'drain', listener: () => void): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
};

/** Where answers come from; opened only when somebody may be asked. */
export type Stdin = () => Readable & { readonly isTTY?: boolean };

/** Rows of a long table that are aligned and written together. */
const ROWS_AT_ONCE = 256;
/** Characters that are gathered before they are written. */
const CHUNK_CHARS = 64 * 1024;
/** Columns of a terminal that does not tell. */
const PROGRESS_CHARS = 80;

type Several<T> = AsyncIterable<T> | Iterable<T>;

export class Output {
  readonly #stdout: Sink;
  readonly #stderr: Sink;
  readonly #stdin: Stdin | undefined;
  readonly #warned = new Set<string>();

  constructor(stdout: Sink, stderr: Sink, stdin?: Stdin) {
    this.#stdout = stdout;
    this.#stderr = stderr;
    this.#stdin = stdin;
  }

  /** True when people look at the results as they come. */
  get isTerminal(): boolean {
    return this.#stdout.isTTY === true;
  }

  /** True when somebody is there who sees the question and can answer. */
  get canAsk(): boolean {
    return this.isTerminal && this.#stdin?.().isTTY === true;
  }

  /** The answer in one line; empty when there is none. */
  async ask(question: string): Promise<string> {
    if (this.#stdin === undefined) return '';
    this.#stderr.write(question);
    const lines = createInterface({ input: this.#stdin() });
    const answer = once(lines, 'line').then(([line]) => String(line));
    const end = once(lines, 'close').then(() => '');
    return Promise.race([answer, end]).finally(() => lines.close());
  }

  json(value: unknown): void {
    this.#stdout.write(`${JSON.stringify(value, null, 2)}\n`);
  }

  table(header: readonly string[], rows: readonly (readonly Cell[])[]): void {
    const lines = table(header, rows, this.#stdout.isTTY === true);
    this.#stdout.write(lines.map((line) => `${line}\n`).join(''));
  }

  /** A table of any length: so many rows at a time, or one by one where they come as they happen. */
  async rows(
    header: readonly string[],
    rows: Several<readonly Cell[]>,
    { atOnce = ROWS_AT_ONCE } = {},
  ): Promise<void> {
    const columns = new Columns(header.length, this.#stdout.isTTY === true);
    let gathered = [heading(header)];
    const flush = async (): Promise<void> => {
      const lines = columns.lines(gathered);
      gathered = [];
      await this.#write(lines.map((line) => `${line}\n`).join(''));
    };
    for await (const row of rows) {
      gathered.push(row);
      if (gathered.length >= atOnce) await flush();
    }
    await flush();
  }

  /** A table whose parts are written as they come; without any row there is no header either. Answers if there was one. */
  async parts(header: readonly string[], parts: Several<readonly (readonly Cell[])[]>): Promise<boolean> {
    const columns = new Columns(header.length, this.#stdout.isTTY === true);
    let isBegun = false;
    for await (const rows of parts) {
      if (rows.length === 0) continue;
      const lines = columns.lines(isBegun ? rows : [heading(header), ...rows]);
      isBegun = true;
      await this.#write(lines.map((line) => `${line}\n`).join(''));
    }
    return isBegun;
  }

  /** Text for programs, as it is and as fast as it is read; it brings its own newlines. */
  async raw(texts: Several<string>, { atOnce = CHUNK_CHARS } = {}): Promise<void> {
    let gathered = '';
    for await (const text of texts) {
      gathered += text;
      if (gathered.length < atOnce) continue;
      await this.#write(gathered);
      gathered = '';
    }
    if (gathered !== '') await this.#write(gathered);
  }

  /** Whoever reads slowly is waited for, so that nothing gathers here. */
  async #write(text: string): Promise<void> {
    const { once } = this.#stdout;
    if (this.#stdout.write(text) !== false || once === undefined) return;
    await new Promise<void>((resolve) => once.call(this.#stdout, 'drain', resolve));
  }

  line(text: string): void {
    this.#stdout.write(`${printable(text)}\n`);
  }

  /** One line on a terminal that the next one takes the place of; null for none any more. */
  progress(text: string | null): void {
    if (this.#stderr.isTTY !== true) return;
    const { columns = PROGRESS_CHARS } = this.#stderr;
    this.#stderr.write(`\r\u001b[2K${printable(text ?? '').slice(0, columns - 1)}`);
  }

  /** The same warning is given once. */
  warn(text: string): void {
    if (this.#warned.has(text)) return;
    this.#warned.add(text);
    const label = paint('warning:', 'yellow', this.#stderr.isTTY === true);
    this.#stderr.write(`${label} ${printable(text)}\n`);
  }
}
