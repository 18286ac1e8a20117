/**
 * JSON, and the line on which each of its values stands.
 *
 * Pure. JSON.parse decides what is JSON and what it means; only then the text is gone through once
 * more for the lines, and for keys that an object has twice, of which JSON.parse keeps the last.
 */
import { messageOf } from '../../events/message-of.ts';

type Path = readonly (string | number)[];

export type PlacedJson =
  | {
      readonly kind: 'valid';
      readonly value: unknown;
      /** The line of the value, from 1, or of the innermost around it whose line is known. */
      readonly lineOf: (path: Path) => number;
      /** Keys that stand for a second time in their object. */
      readonly repeated: readonly { readonly key: string; readonly line: number }[];
    }
  | { readonly kind: 'invalid'; readonly line: number; readonly reason: string };

/** Lines are kept of values that are no deeper than this. */
const DEPTH_MAX = 8;
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\]:,]|[^\s{}[\]:,"]+/g;
/** Where JSON.parse stopped, as far as it says so. */
const POSITION = /at position (\d+)/;

/** Reads JSON. */
export function parseJsonWithLines(text: string): PlacedJson {
  try {
    const value: unknown = JSON.parse(text);
    const { lines, repeated } = new Scan().over(text);
    return { kind: 'valid', value, lineOf: (path) => lineIn(lines, path), repeated };
  } catch (error) {
    const reason = messageOf(error);
    const position = Number(POSITION.exec(reason)?.[1] ?? text.length);
    return { kind: 'invalid', line: text.slice(0, position).split('\n').length, reason };
  }
}

function lineIn(lines: ReadonlyMap<string, number>, path: Path): number {
  for (let depth = path.length; depth > 0; depth -= 1) {
    const line = lines.get(JSON.stringify(path.slice(0, depth)));
    if (line !== undefined) return line;
  }
  return 1;
}

/** An object or array that is open; `step` leads to its member: a key, or an index. */
type Open = { readonly path: Path; step: string | number | null; readonly keys: Set<string> | null };

class Scan {
  readonly lines = new Map<string, number>();
  readonly repeated: { readonly key: string; readonly line: number }[] = [];
  readonly #open: Open[] = [];
  #line = 1;

  over(text: string): this {
    let end = 0;
    for (const { 0: token, index } of text.matchAll(TOKEN)) {
      this.#line += text.slice(end, index).split('\n').length - 1;
      end = index + token.length;
      this.#token(token);
    }
    return this;
  }

  #token(token: string): void {
    const inside = this.#open.at(-1);
    if (token === '{' || token === '[') this.#begin(token, inside);
    else if (token === '}' || token === ']') this.#open.pop();
    else if (token === ',') next(inside);
    else if (token !== ':') this.#scalarOrKey(token, inside);
  }

  #begin(token: '{' | '[', inside: Open | undefined): void {
    const path = inside?.step == null ? [] : this.#note(inside, inside.step);
    this.#open.push(token === '{' ? { path, step: null, keys: new Set() } : { path, step: 0, keys: null });
  }

  #scalarOrKey(token: string, inside: Open | undefined): void {
    if (inside === undefined) return;
    if (inside.keys !== null && inside.step === null) {
      const key = String(JSON.parse(token));
      if (inside.keys.has(key)) this.repeated.push({ key, line: this.#line });
      inside.keys.add(key);
      inside.step = key;
    }
    if (inside.step !== null) this.#note(inside, inside.step);
  }

  /** Answers the path of the member; of what is too deep, that of what is around it. */
  #note(inside: Open, step: string | number): Path {
    if (this.#open.length > DEPTH_MAX) return inside.path;
    const path = [...inside.path, step];
    this.lines.set(JSON.stringify(path), this.#line);
    return path;
  }
}

function next(inside: Open | undefined): void {
  if (inside === undefined) return;
  inside.step = typeof inside.step === 'number' ? inside.step + 1 : null;
}
