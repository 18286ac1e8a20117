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

/** Items in order, and how a table shows them. */
export type View<T> = {
  readonly items: readonly T[];
  readonly columns: readonly Column<T>[];
  /** Said when there are none. */
  readonly none: string;
};

export async function showView<T>({ items, columns, none }: View<T>, form: Form, out: Output): Promise<void> {
  if (form === 'json') return out.json(items);
  if (form === 'yaml') return out.raw([stringify(items, { aliasDuplicateObjects: false })]);
  if (items.length === 0) return out.line(none);
  const shown = columns.filter(({ wide }) => form === 'wide' || wide !== true);
  const rows = items.values().map((item) => shown.map(({ cell }) => cellOf(cell(item))));
  return out.rows(
    shown.map(({ name }) => name),
    rows,
  );
}

function cellOf(value: Cell | string | number | null): Cell {
  if (value === null || value === '') return { text: '-' };
  return typeof value === 'object' ? value : { text: String(value) };
}
