/**
 * From mdevctl and back: nothing is lost on the way, and what cannot go is told with its line.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { parseManifests } from '../../../src/declare/manifest.ts';
import {
  type Definition,
  deviceOf,
  ownedDefinition,
  returnedDefinition,
} from '../../../src/mdevctl/definition.ts';
import { merged, type Parsed, parseDefinition, parseDump } from '../../../src/mdevctl/parse.ts';
import { definitionText, dumpText } from '../../../src/mdevctl/print.ts';
import { definitions } from './arbitraries.ts';

const UUID = '5d3c7e0a-2f51-4b1e-9a44-0c8a6f1e2b01';
const AT = { parent: 'mtty', uuid: UUID };

function inOrder(all: readonly Definition[]): readonly Definition[] {
  return all.toSorted((a, b) => (`${a.parent} ${a.uuid}` < `${b.parent} ${b.uuid}` ? -1 : 1));
}

function bare({ definitions: found, refused, ignored }: Parsed): readonly Definition[] {
  expect({ refused, ignored }).toEqual({ refused: [], ignored: [] });
  return found.map(({ place: _, ...one }) => one);
}

/** What a manifest of these says, as `apply` reads it. */
function throughManifest(all: readonly Definition[]) {
  const devices = all.map((one) => deviceOf(one, 'host-a'));
  const manifest = {
    apiVersion: 'mdevfleet.io/v1',
    kind: 'DeviceSet',
    metadata: { name: 'mdevctl' },
    devices,
  };
  const parsed = parseManifests([{ name: 'x.yaml', text: stringify(manifest, { lineWidth: 0 }) }]);
  if (parsed.kind === 'invalid') throw new Error(JSON.stringify(parsed.problems));
  return parsed.devices.map(({ device }) => device);
}

describe('nothing is lost', () => {
  test('from definition files to a manifest, and given back', () => {
    fc.assert(
      fc.property(definitions, (all) => {
        const files = all.map((one) => parseDefinition({ file: 'f', text: definitionText(one) }, one));
        const read = bare(merged(files));
        expect(read).toEqual(all);
        expect(throughManifest(read).map(returnedDefinition)).toEqual(all);
      }),
    );
  });

  test('from a dump to a manifest, and given back', () => {
    fc.assert(
      fc.property(definitions, (all) => {
        const read = bare(merged([parseDump({ file: 'f', text: dumpText(all) })]));
        expect(inOrder(read)).toEqual(inOrder(all));
        expect(dumpText(throughManifest(read).map(returnedDefinition))).toBe(dumpText(all));
      }),
    );
  });

  test('while an agent owns them, they differ in nothing but that none is started', () => {
    fc.assert(
      fc.property(definitions, (all) => {
        const owned = throughManifest(all).map(ownedDefinition);
        expect(owned).toEqual(all.map((one) => ({ ...one, start: 'manual' })));
      }),
    );
  });
});

test('parents and UUIDs stand in order, also where a name is a number', () => {
  const one = { uuid: UUID, type: 't', start: 'manual', attributes: [] } as const;
  const text = dumpText(['b', '2', '10'].map((parent) => ({ ...one, parent })));
  expect([...text.matchAll(/^ {4}"(.*)": \[/gm)].map(([, parent]) => parent)).toEqual(['10', '2', 'b']);
});

test('a definition is printed as mdevctl prints it', () => {
  const attributes = [{ name: 'assign_adapter', value: '5' }];
  expect(definitionText({ parent: 'matrix', uuid: UUID, type: 't', start: 'auto', attributes })).toBe(
    '{\n  "mdev_type": "t",\n  "start": "auto",\n  "attrs": [\n    {\n      "assign_adapter": "5"\n    }\n  ]\n}',
  );
  expect(dumpText([])).toBe('[]');
});

describe('what is refused is told with its line', () => {
  const type = '"mdev_type": "t"';
  test.each([
    ['{', 1, /^not JSON/],
    ['[]', 1, /expected an object/],
    [`{\n ${type}}`, 1, /start is missing/],
    [`{${type},\n"start": null}`, 2, /start is missing/],
    ['{\n"start": "auto"}', 1, /mdev_type is missing/],
    ['{"start": "auto",\n\n"mdev_type": 5}', 3, /mdev_type/],
    ['{"start": "auto",\n"mdev_type": "../x"}', 2, /mdev_type \.\.\/x: not a type/],
    [`{${type}, "start": "auto",\n"attrs": {}}`, 2, /not an array/],
    [`{${type}, "start": "auto",\n"attrs": [\n{}]}`, 3, /exactly one key/],
    [`{${type}, "start": "auto",\n"attrs": [{"a": "1"},\n\t{"a": "1", "b": "2"}]}`, 3, /exactly one key/],
    [`{${type}, "start": "auto", "attrs": [{\n"a": 5}]}`, 2, /attribute a/],
    [`{${type}, "start": "auto", "attrs": [{\n"a": ""}]}`, 2, /not empty/],
    [`{${type}, "start": "auto", "attrs": [{\n"a/../b": "1"}]}`, 2, /not an attribute's name/],
    [`{${type}, "start": "auto",\n"start": "manual"}`, 2, /start stands twice/],
  ])('%j', (text, line, what) => {
    const { refused } = merged([parseDefinition({ file: 'f', text }, AT)]);
    expect(refused).toEqual([{ file: 'f', line, what: expect.stringMatching(what) }]);
  });

  test.each([
    ['{}', 1, /--dumpjson/],
    [`{${type}, "start": "auto"}`, 1, /does not say its parent/],
    ['[5]', 1, /object of parents/],
    ['[{\n"mtty": {}}]', 2, /mtty: expected an array/],
    ['[{"mtty": [\n5]}]', 2, /object of one device/],
    [`[{"mtty": [{\n"${UUID.toUpperCase()}": {${type}, "start": "auto"}}]}]`, 2, /lower case/],
    [`[{"..": [{\n"${UUID}": {${type}, "start": "auto"}}]}]`, 2, /the parent \.\./],
  ])('in a dump: %j', (text, line, what) => {
    const { definitions: found, refused } = merged([parseDump({ file: 'f', text })]);
    expect(found).toEqual([]);
    expect(refused).toEqual([{ file: 'f', line, what: expect.stringMatching(what) }]);
  });

  test('the others of a dump are read all the same', () => {
    const text = `[{"mtty": [{"${UUID}": {${type}, "start": "auto"}}, {"x": {${type}, "start": "auto"}}]}]`;
    const { definitions: found, refused } = merged([parseDump({ file: 'f', text })]);
    expect([found.map(({ uuid }) => uuid), refused.length]).toEqual([[UUID], 1]);
  });

  test('a UUID on two parents is refused on both', () => {
    const text = definitionText({ ...AT, type: 't', start: 'auto', attributes: [] });
    const parts = ['a', 'b'].map((parent) => parseDefinition({ file: parent, text }, { parent, uuid: UUID }));
    const { definitions: found, refused } = merged(parts);
    expect([found, refused.map(({ file }) => file)]).toEqual([[], ['a', 'b']]);
  });
});

test('what mdevctl takes in its stride is taken so, and told', () => {
  const text = `{"mdev_type": "t",\n"start": "Auto",\n"note": {},\n"attrs": null}`;
  const { definitions: found, refused, ignored } = parseDefinition({ file: 'f', text }, AT);
  expect([found[0]?.start, refused]).toEqual(['manual', []]);
  expect(ignored.map(({ line, what }) => `${line} ${what}`)).toEqual([
    '2 start is "Auto", which means manual',
    '3 note is left out',
  ]);
});

test('whatever a file holds, a definition comes of it or it is refused', () => {
  const parsed = (text: string) => parseDefinition({ file: 'f', text }, AT);
  fc.assert(
    fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
      parseDump({ file: 'f', text });
      const { definitions: found, refused } = parsed(text);
      expect(found.length > 0).toBe(refused.length === 0);
    }),
  );
  const deep = 100_000;
  expect(parsed('['.repeat(deep) + ']'.repeat(deep)).refused).toHaveLength(1);
});
