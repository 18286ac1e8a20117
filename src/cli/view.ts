/**
 * What `get` found, in the form that was asked for: a table, a wider one, JSON or YAML.
 */
import { stringify } from 'yaml';
import type { Form } from './form.ts';
import type { Output } from './output.ts';
import type { Cell } from './terminal.ts';

export type Column<T> = {
  readonly name: string;
  /** Shown only when more is asked for. */
  readonly wide?: true;
  readonly cell: (item: T) => Cell | string | number | null;
};

/** How a table shows items. */
type Look<T> = {
  readonly columns: readonly Column<T>[];
  /** Said when there are none. */
  readonly none: string;
};

/** Items in order. */
export type View<T> = Look<T> & { readonly items: readonly T[] };
export type Parts<T> = Look<T> & {
  readonly parts: AsyncIterable<readonly T[]> | Iterable<readonly T[]>;
};

export async function showView<T>({ items, ...view }: View<T>, form: Form, out: Output): Promise<void> {
  await showParts({ parts: [items], ...view }, form, out);
}

/** One value, for programs. */
export async function showValue(value: object, form: 'json' | 'yaml', out: Output): Promise<void> {
  if (form === 'json') out.json(value);
  else await out.raw([stringify(value, { aliasDuplicateObjects: false })]);
}

/** The same of items that come in parts, each of which is shown as soon as it is there. Answers how many there were. */
export async function showParts<T>({ parts, ...view }: Parts<T>, form: Form, out: Output): Promise<number> {
  let count = 0;
  const counted = async function* (): AsyncGenerator<readonly T[]> {
    for await (const part of parts) {
      count += part.length;
      if (part.length > 0) yield part;
    }
  };
  if (form === 'json') await out.raw(jsonTexts(counted()), { atOnce: 1 });
  else if (form === 'yaml') await out.raw(yamlTexts(counted()), { atOnce: 1 });
  else await showTable(counted(), view, form, out);
  return count;
}

async function showTable<T>(
  parts: AsyncIterable<readonly T[]>,
  { columns, none }: Look<T>,
  form: Form,
  out: Output,
): Promise<void> {
  const shown = columns.filter(({ wide }) => form === 'wide' || wide !== true);
  const header = shown.map(({ name }) => name);
  const cells = async function* (): AsyncGenerator<readonly (readonly Cell[])[]> {
    for await (const part of parts) yield part.map((item) => shown.map(({ cell }) => cellOf(cell(item))));
  };
  if (!(await out.parts(header, cells()))) out.line(none);
}

/** One list, as JSON.stringify would indent it. */
async function* jsonTexts<T>(parts: AsyncIterable<readonly T[]>): AsyncGenerator<string> {
  let before = '[\n';
  for await (const part of parts) {
    const inner = JSON.stringify(part, null, 2).slice('[\n'.length, -'\n]'.length);
    yield `${before}${inner}`;
    before = ',\n';
  }
  yield before === '[\n' ? '[]\n' : '\n]\n';
}

/** One list: those of the parts, one behind the other. */
async function* yamlTexts<T>(parts: AsyncIterable<readonly T[]>): AsyncGenerator<string> {
  let isEmpty = true;
  for await (const part of parts) {
    yield stringify(part, { aliasDuplicateObjects: false });
    isEmpty = false;
  }
  if (isEmpty) yield '[]\n';
}

/** What stands in a table for a value; a dash for none. */
export function cellOf(value: Cell | string | number | null): Cell {
  if (value === null || value === '') return { text: '-' };
  return typeof value === 'object' ? value : { text: String(value) };
}
