/**
 * What comes in parts is shown as if it had been there at once.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import type { Form } from '../../../src/cli/form.ts';
import { Output } from '../../../src/cli/output.ts';
import { showParts } from '../../../src/cli/view.ts';

type Item = { readonly name: string; readonly list: readonly number[] };

const parts = fc.array(fc.array(fc.record({ name: fc.string(), list: fc.array(fc.nat()) })));

/** What is printed, as the pieces in which it is written. */
async function shown(of: readonly (readonly Item[])[], form: Form): Promise<readonly string[]> {
  const written: string[] = [];
  const sink = { write: (text: string) => void written.push(text) };
  const columns = [{ name: 'NAME', cell: (item: Item) => item.name }];
  const count = await showParts({ parts: of, columns, none: 'none' }, form, new Output(sink, sink));
  expect(count).toBe(of.flat().length);
  return written;
}

test('parts of JSON and YAML are one document', async () => {
  await fc.assert(
    fc.asyncProperty(parts, async (of) => {
      const json = (await shown(of, 'json')).join('');
      expect(json).toBe(`${JSON.stringify(of.flat(), null, 2)}\n`);
      expect(parse((await shown(of, 'yaml')).join(''))).toEqual(of.flat());
    }),
  );
});

test('each part of a table is written by itself, aligned with those before; none is said', async () => {
  const item = (name: string): Item => ({ name, list: [] });
  expect(await shown([[], [item('a')], [item('longer'), item('b')]], 'table')).toEqual([
    'NAME\na\n',
    'longer\nb\n',
  ]);
  expect(await shown([[], []], 'table')).toEqual(['none\n']);
});
