import { posix } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  ATTRIBUTE_SEGMENTS_MAX,
  ATTRIBUTE_VALUE_BYTES_MAX,
  attribute,
  declaredAttribute,
  HOST_ID_CHARS_MAX,
  hostId,
  NAME_CHARS_MAX,
  parentName,
  sameAttributes,
  typeName,
  uuid,
} from '../../events/names.ts';
import { anyAttribute } from './arbitraries.ts';

/** Strings that are likely to be trouble, beside any others. */
const trouble = fc
  .array(
    fc.oneof(
      fc.constantFrom('.', '..', '/', '\\', '\0', '\n', '%2e', '~', 'remove', 'mdev_type', 'é', ' '),
      fc.string(),
    ),
  )
  .map((parts) => parts.join(''));

describe('a parent, a type and an attribute', () => {
  test('never leave the folder that they are joined to', () => {
    fc.assert(
      fc.property(trouble, (name) => {
        for (const schema of [parentName, typeName]) {
          if (!schema.safeParse(name).success) continue;
          expect(posix.dirname(posix.join('/folder', name))).toBe('/folder');
        }
        const path = posix.join('/folder', name);
        if (attribute.safeParse({ name, value: '1' }).success) {
          expect(path.startsWith('/folder/')).toBe(true);
          expect(path).toBe(`/folder/${name}`);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test.each([
    '',
    '.',
    '..',
    'a/b',
    '/a',
    'a/',
    'a\0',
    'a\n',
    'a b',
    'remove',
    'uevent',
    'power',
    'driver',
    'subsystem',
    'iommu_group',
    'mdev_type',
    'x'.repeat(NAME_CHARS_MAX + 1),
  ])('are not called %j', (name) => {
    expect(parentName.safeParse(name).success).toBe(false);
    expect(typeName.safeParse(name).success).toBe(false);
  });

  test.each([
    '',
    '..',
    'a/../b',
    'a//b',
    '/a',
    'a/',
    'remove',
    'a/remove',
    'power/control',
    Array(ATTRIBUTE_SEGMENTS_MAX + 1)
      .fill('a')
      .join('/'),
  ])('an attribute is not called %j', (name) => {
    expect(attribute.safeParse({ name, value: '1' }).success).toBe(false);
  });

  test.each(['0000:3b:00.0', 'nvidia-222', 'i915-GVTg_V5_4', 'mdpy-xga', 'css0.0.0314'])(
    'may be called %s',
    (name) => {
      expect(parentName.parse(name)).toBe(name);
      expect(typeName.parse(name)).toBe(name);
    },
  );

  test('an attribute may be in folders', () => {
    const deepest = Array(ATTRIBUTE_SEGMENTS_MAX).fill('a').join('/');
    for (const name of ['nvidia/vgpu_params', deepest]) {
      expect(attribute.safeParse({ name, value: 'x' }).success).toBe(true);
    }
  });

  test('a value fits into the page that a driver is handed', () => {
    const fits = (value: string) => attribute.safeParse({ name: 'a', value }).success;
    expect(fits('x'.repeat(ATTRIBUTE_VALUE_BYTES_MAX))).toBe(true);
    expect(fits('x'.repeat(ATTRIBUTE_VALUE_BYTES_MAX + 1))).toBe(false);
    expect(fits('é'.repeat(ATTRIBUTE_VALUE_BYTES_MAX / 2 + 1))).toBe(false);
    expect(fits('a\0b')).toBe(false);
    expect(fits('x')).toBe(true);
  });

  test('a value is not declared empty, and why is told; one that was is read', () => {
    const { error } = declaredAttribute.safeParse({ name: 'a', value: '' });
    expect(error?.issues[0]?.message).toContain('empty');
    expect(attribute.safeParse({ name: 'a', value: '' }).success).toBe(true);
  });
});

test('a UUID is what the kernel prints, of any version', () => {
  expect(uuid.safeParse('00000000-0000-0000-0000-000000000000').success).toBe(true);
  expect(uuid.safeParse('83b8f4f2-509f-382f-3c1e-e6bfe0fa1001').success).toBe(true);
  for (const wrong of [
    '83B8F4F2-509F-382F-3C1E-E6BFE0FA1001',
    '83b8f4f2509f382f3c1ee6bfe0fa1001',
    '83b8f4f2-509f-382f-3c1e-e6bfe0fa1001\n',
  ]) {
    expect(uuid.safeParse(wrong).success).toBe(false);
  }
});

test('a host id fits into one token of a subject once its dots are replaced', () => {
  fc.assert(
    fc.property(fc.oneof(trouble, fc.string({ unit: fc.constantFrom(...'ab0.-_*>A ') })), (name) => {
      if (hostId.safeParse(name).success) expect(name.replaceAll('.', '_')).toMatch(/^[a-z0-9_-]+$/);
    }),
    { numRuns: 1000 },
  );
  for (const wrong of [
    '',
    'A',
    'a_b',
    '.a',
    'a.',
    '-a',
    'a-',
    'a*',
    'a b',
    'a'.repeat(HOST_ID_CHARS_MAX + 1),
  ]) {
    expect(hostId.safeParse(wrong).success).toBe(false);
  }
});

test('the order of attributes counts, and so do repeats', () => {
  fc.assert(
    fc.property(fc.array(anyAttribute, { minLength: 1, maxLength: 4 }), (list) => {
      expect(sameAttributes(list, structuredClone(list))).toBe(true);
      expect(sameAttributes(list, [...list, ...list.slice(0, 1)])).toBe(false);
      const turned = list.toReversed();
      expect(sameAttributes(list, turned)).toBe(JSON.stringify(list) === JSON.stringify(turned));
    }),
  );
});
