import { describe, expect, test } from 'vitest';
import { type Manifests, PROBLEMS_MAX, parseManifests } from '../../../src/declare/manifest.ts';

const UUID = '5d3c7e0a-2f51-4b1e-9a44-0c8a6f1e2b01';
const HEAD = 'apiVersion: mdevfleet.io/v1\nkind: DeviceSet\nmetadata: {name: web}\n';

function uuidOf(index: number): string {
  return `5d3c7e0a-2f51-4b1e-9a44-${String(index).padStart(12, '0')}`;
}

function device(more: object = {}): string {
  return JSON.stringify({ uuid: UUID, host: 'host-a', parent: 'mtty', type: 'mtty-2', ...more });
}

function set(...devices: string[]): string {
  return `${HEAD}devices:\n${devices.map((one) => `- ${one}\n`).join('')}`;
}

function parse(...texts: string[]): Manifests {
  return parseManifests(texts.map((text, index) => ({ name: `${index}.yaml`, text })));
}

function problemsOf(...texts: string[]) {
  const manifests = parse(...texts);
  if (manifests.kind === 'valid') throw new Error('nothing was wrong');
  return manifests.problems;
}

describe('what is read', () => {
  test('several documents in several files, in order', () => {
    const manifests = parse(
      `---\n${set(device())}---\n${set(device({ host: 'b' }))}`,
      set(device({ host: 'c' })),
    );
    if (manifests.kind === 'invalid') throw new Error('refused');
    expect(manifests.devices.map(({ device: { host }, place }) => ({ host, ...place }))).toEqual([
      { host: 'host-a', file: '0.yaml', document: 1, line: 6 },
      { host: 'b', file: '0.yaml', document: 2, line: 12 },
      { host: 'c', file: '1.yaml', document: 1, line: 5 },
    ]);
  });

  test('JSON is as good as YAML', () => {
    const json = JSON.stringify({
      apiVersion: 'mdevfleet.io/v1',
      kind: 'DeviceSet',
      metadata: { name: 'web' },
      devices: [JSON.parse(device({ labels: { owner: 'me' } }))],
    });
    const manifests = parse(json);
    expect(manifests).toMatchObject({
      kind: 'valid',
      devices: [{ set: 'web', device: { uuid: UUID, labels: { owner: 'me' } } }],
    });
  });

  test('documents that hold nothing are passed over, a file of such is not', () => {
    expect(parse(`${set(device())}---\n# nothing\n---\n`)).toMatchObject({ kind: 'valid' });
    expect(problemsOf('# nothing\n')).toMatchObject([{ reason: expect.stringContaining('DeviceSet') }]);
  });
});

describe('what is refused', () => {
  test.each<[string, object, string, RegExp]>([
    ['a UUID in upper case', { uuid: UUID.toUpperCase() }, 'devices[0].uuid', /lower case/],
    ['a UUID that is none', { uuid: 'x' }, 'devices[0].uuid', /8-4-4-4-12/],
    ['a missing type', { type: undefined }, 'devices[0].type', /missing/],
    ['an unknown field', { typ: 'x' }, 'devices[0]', /"typ"/],
    ['a field of the event, not of the manifest', { replaces: {} }, 'devices[0]', /"replaces"/],
    ['a parent that leaves its folder', { parent: '../mtty' }, 'devices[0].parent', /not a parent/],
    ['a type that leaves its folder', { type: '..' }, 'devices[0].type', /not a type/],
    ['a host that is none', { host: 'a/b' }, 'devices[0].host', /host id/],
    [
      "an attribute that is the kernel's",
      { attributes: [{ name: 'remove', value: '1' }] },
      'devices[0].attributes[0].name',
      /not an attribute/,
    ],
    [
      'an attribute that leaves its folder',
      { attributes: [{ name: 'a/../../remove', value: '1' }] },
      'devices[0].attributes[0].name',
      /not an attribute/,
    ],
    [
      'a number where text is due',
      { attributes: [{ name: 'a', value: 5 }] },
      'devices[0].attributes[0].value',
      /in quotes/,
    ],
    [
      'more than an event can carry',
      { attributes: Array.from({ length: 100 }, () => ({ name: 'a', value: 'x'.repeat(4000) })) },
      'devices[0]',
      /larger than/,
    ],
  ])('%s', (_, change, path, reason) => {
    expect(problemsOf(set(device(change)))).toMatchObject([
      { file: '0.yaml', document: 1, line: 5, path, reason: expect.stringMatching(reason) },
    ]);
  });

  test('every bad device is told, with its line', () => {
    const text = set(device({ host: 'A' }), device(), device({ host: 'c', parent: '/' }));
    expect(problemsOf(text).map(({ line, path }) => [line, path])).toEqual([
      [5, 'devices[0].host'],
      [7, 'devices[2].parent'],
    ]);
  });

  test('of very many only the first are told, and how many more', () => {
    const devices = Array.from({ length: PROBLEMS_MAX + 7 }, (_, index) =>
      device({ uuid: uuidOf(index), host: 'A' }),
    );
    const manifests = parse(set(...devices));
    expect(manifests).toMatchObject({ kind: 'invalid', omitted: 7 });
  });

  test('a document of another kind or version does not hide the next', () => {
    const other = 'apiVersion: v1\nkind: Pod\nmetadata: {name: x}\ndevices: []\n';
    expect(problemsOf(`${other}---\n${set(device({ host: 'A' }))}`).map(({ path }) => path)).toEqual([
      'apiVersion',
      'kind',
      'devices[0].host',
    ]);
  });

  test('one host and UUID listed twice, even in two files', () => {
    expect(problemsOf(set(device()), set(device({ type: 'mtty-1' })))).toMatchObject([
      { file: '1.yaml', line: 5, reason: 'listed twice, first in 0.yaml, document 1, line 5' },
    ]);
  });

  test('one UUID on two hosts is for the fleet to judge', () => {
    expect(parse(set(device(), device({ host: 'b' })))).toMatchObject({ kind: 'valid' });
  });

  test.each([
    ['text that is not YAML', 'a: [1\n', 1],
    ['a key given twice', `${HEAD}kind: DeviceSet\ndevices: []\n`, 4],
  ])('%s', (_, text, line) => {
    expect(problemsOf(text)[0]).toMatchObject({ line: expect.any(Number), path: '' });
    expect(problemsOf(text)[0]?.line).toBeGreaterThanOrEqual(line);
  });

  test('aliases that grow beyond measure', () => {
    const levels = ['a: &a [x,x,x,x,x,x,x,x,x,x]'];
    for (const [above, below] of ['ab', 'bc', 'cd', 'de', 'ef'].map((pair) => [...pair])) {
      levels.push(`${below}: &${below} [${Array(10).fill(`*${above}`).join(',')}]`);
    }
    expect(problemsOf(levels.join('\n'))[0]?.reason).toMatch(/alias/);
  });
});
