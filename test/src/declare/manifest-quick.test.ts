/**
 * What is read quickly is what the parser reads that knows lines.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stringify, type ToStringOptions } from 'yaml';
import { documentsOf, plain } from '../../../src/declare/manifest-lines.ts';
import { quickDocuments } from '../../../src/declare/manifest-quick.ts';

function closely(text: string): readonly unknown[] {
  return documentsOf(text).documents.map((document) => {
    expect(document.errors).toEqual([]);
    return plain(document);
  });
}

const words = fc.constantFrom(
  ...['yes', 'off', '~', 'null', 'True', '0x1F', '0o17', '017', '1_000', '1e3', '.5', '-.inf', '.NaN'],
  ...['2026-01-01', '12:30:45', '0000:41:00.0', '<<', '=', '!x', '&a', '- a', 'a: b', 'a #b', '#a', '"', "'"],
  ...[
    '5d3c7e0a-2f51-4b1e-9a44-0c8a6f1e2b01',
    ' a',
    'a ',
    'a\nb\n',
    '\ta',
    '%a',
    '@a',
    '',
    '\u2028',
    '\ud83d\ude00',
  ],
);
const leaf = fc.oneof(words, fc.string(), fc.integer(), fc.boolean(), fc.constant(null));
const key = fc.oneof(fc.stringMatching(/^[a-z.]{1,8}$/), words);
const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.array(tie('tree'), { maxLength: 4 }),
    fc
      .uniqueArray(fc.tuple(key, tie('tree')), { maxLength: 4, selector: ([one]) => one })
      .map(Object.fromEntries),
  ),
}));
const styles = fc.record<ToStringOptions>(
  {
    collectionStyle: fc.constantFrom('any', 'flow', 'block'),
    defaultStringType: fc.constantFrom('PLAIN', 'QUOTE_SINGLE', 'QUOTE_DOUBLE', 'BLOCK_LITERAL'),
    indentSeq: fc.boolean(),
    lineWidth: fc.constantFrom(0, 40),
  },
  { requiredKeys: [] },
);

test('whatever is written, in any style, or as JSON', () => {
  fc.assert(
    fc.property(fc.array(tree, { minLength: 1, maxLength: 3 }), styles, (trees, style) => {
      const text = trees.map((one) => stringify(one, style)).join('---\n');
      const quick = quickDocuments(text);
      if (quick !== null) expect(quick).toEqual(closely(text));
      const json = JSON.stringify({ trees }, null, 2);
      expect(quickDocuments(json) ?? closely(json)).toEqual(closely(json));
    }),
    { numRuns: 300 },
  );
});

test.each([
  [
    'y',
    'No',
    '~',
    'TRUE',
    '0x1F',
    '0o17',
    '017',
    '08',
    '1_000',
    '+1',
    '1e3',
    '1.',
    '.5',
    '-.inf',
    '.NaN',
    '0b1',
  ],
  [
    '2026-01-01',
    '12:30:45',
    '190:20:30',
    '<<',
    '=',
    'a:b',
    'a#b',
    '"\\u0041"',
    "'it''s'",
    '[a, b]',
    '{a: b}',
  ],
  [
    '"\\x41"',
    '? a',
    '- a',
    '|\n  a\n  b',
    '>-\n  a\n  b',
    'a\n  b',
    '!!str 1',
    '*a',
    '&a b',
    '@a',
    '"a\n  b"',
  ],
])('%j and other scalars', (...scalars) => {
  for (const one of scalars) {
    const text = `key: ${one}\nother: x # comment\n`;
    const quick = quickDocuments(text);
    if (quick !== null) expect(quick).toEqual(closely(text));
  }
});

test.each([
  ['a manifest as it is written by hand', 'a: 1\nb:\n- {c: "d"} # e\n---\nf: g\n', 2],
  ['JSON', '{"a": [{"b": "c:d"}]}', 1],
])('%s is read quickly', (_, text, documents) => {
  expect(quickDocuments(text)).toHaveLength(documents);
});

test.each([
  ['JSON that gives a key twice', '{"a": {"b": 1, "b": 2}}'],
  ['YAML that gives a key twice', 'a: 1\na: 2\n'],
  ['YAML of another version', '%YAML 1.1\n---\na: yes\n'],
  ['what is neither', 'a: [1\n'],
])('%s needs a closer look', (_, text) => {
  expect(quickDocuments(text)).toBeNull();
});
