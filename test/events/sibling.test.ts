import { expect, test } from 'vitest';
import { siblingOf } from '../../events/sibling.ts';

test('a program is looked for in the language of the module that starts it', () => {
  expect(siblingOf('/a/store/probe.ts', 'check')).toBe('/a/store/check.ts');
  expect(siblingOf('/a/dist/src/demo/processes.js', '../main')).toBe('/a/dist/src/main.js');
});
