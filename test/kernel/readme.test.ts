/**
 * The list of kernel facts in README.md names the tests that there are, and all of them: it is what a reader goes by to
 * see what the agent takes for granted.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { scenario as create } from './create.scenario.ts';
import { scenario as layout } from './layout.scenario.ts';
import { scenario as node } from './node.scenario.ts';
import { scenario as pci } from './pci.scenario.ts';
import { scenario as races } from './races.scenario.ts';
import { scenario as remove } from './remove.scenario.ts';

const FACTS = { layout, create, remove, races, node, pci };
const ROW = /^\| .+ \| (.+) \| \[(\w+)\]\(\2\.scenario\.ts\) \|$/gm;

test('every test of a kernel fact is listed once, with the file it is in', async () => {
  const text = await readFile(join(import.meta.dirname, 'README.md'), 'utf8');
  const section = text.split(/^## /m).find((one) => one.startsWith('Kernel facts and their tests')) ?? '';
  const listed = [...section.matchAll(ROW)].map(([, name, file]) => `${file}: ${name}`);
  const there = Object.entries(FACTS).flatMap(([file, { cases }]) =>
    Object.keys(cases).map((name) => `${file}: ${name}`),
  );
  expect(listed.sort()).toEqual(there.sort());
});
