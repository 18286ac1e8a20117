import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { perform } from '../../../reconciler/sysfs/perform.ts';

const OK = { kind: 'ok' };

let folder: string;
let device: string;
let groups: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mdevfleet-writer-'));
  device = join(folder, 'device');
  groups = join(folder, 'dev/vfio');
  for (const one of [groups, join(device, 'vendor'), join(folder, 'types/small'), join(folder, 'iommu/7')]) {
    mkdirSync(one, { recursive: true });
  }
  symlinkSync(join(folder, 'types/small'), join(device, 'mdev_type'));
  writeFileSync(join(device, 'remove'), '');
});

afterEach(() => rmSync(folder, { recursive: true }));

function grouped(): void {
  mkdirSync(join(device, 'vfio-dev'));
  symlinkSync(join(folder, 'iommu/7'), join(device, 'iommu_group'));
}

function removal(type = 'small') {
  return perform({ op: 'remove', type, device, nodes: groups, proc: join(folder, 'proc') });
}

function attribute(name: string, data: string, type = 'small') {
  return perform({ op: 'attribute', device, type, name, data });
}

const removed = () => readFileSync(join(device, 'remove'), 'utf8');

describe('create', () => {
  test('writes the bytes to a file that is there, and makes none', () => {
    const file = join(folder, 'create');
    expect(perform({ op: 'create', file, data: 'x' })).toEqual({
      kind: 'errno',
      errno: 2,
      call: 'open',
      file,
    });
    writeFileSync(file, '');
    expect(perform({ op: 'create', file, data: 'x' })).toEqual(OK);
    expect(readFileSync(file, 'utf8')).toBe('x');
  });

  test("tells the write's own errno, as a positive number", () => {
    const answer = perform({ op: 'create', file: '/dev/full', data: 'x' });
    expect(answer).toEqual({ kind: 'errno', errno: 28, call: 'write', file: '/dev/full' });
  });
});

describe('remove', () => {
  test('writes a 1 with the group open', () => {
    grouped();
    writeFileSync(join(groups, '7'), '');
    expect(removal()).toEqual(OK);
    expect(removed()).toBe('1');
  });

  test('is refused on a device of another type, or without one', () => {
    const file = join(device, 'mdev_type');
    expect(removal('big')).toEqual({ kind: 'errno', errno: 116, call: 'open', file });
    rmSync(file);
    expect(removal()).toEqual({ kind: 'errno', errno: 2, call: 'open', file });
    expect(removed()).toBe('');
  });

  test('is refused when the node of the group is missing: it cannot be told who uses the device', () => {
    grouped();
    expect(removal()).toEqual({ kind: 'errno', errno: 2, call: 'open', file: join(groups, '7') });
    expect(removed()).toBe('');
  });

  test('is refused when the device has a vfio device but shows no group', () => {
    grouped();
    rmSync(join(device, 'iommu_group'));
    expect(removal()).toEqual({ kind: 'errno', errno: 2, call: 'open', file: join(device, 'iommu_group') });
    expect(removed()).toBe('');
  });

  test('needs no guard without a vfio device, since nobody can have one open', () => {
    expect(removal()).toEqual(OK);
    expect(removed()).toBe('1');
  });

  test('of a device whose remove file is gone makes none', () => {
    rmSync(join(device, 'remove'));
    expect(removal()).toEqual({ kind: 'errno', errno: 2, call: 'open', file: join(device, 'remove') });
  });
});

describe('attributes', () => {
  test('are written below the device, in a folder too, as they are', () => {
    writeFileSync(join(device, 'vendor/label'), '');
    expect(attribute('vendor/label', 'grün')).toEqual(OK);
    expect(readFileSync(join(device, 'vendor/label'), 'utf8')).toBe('grün');
  });

  test('are not written to a device of another type', () => {
    writeFileSync(join(device, 'label'), '');
    expect(attribute('label', 'x', 'big')).toMatchObject({ kind: 'errno', errno: 116 });
    expect(readFileSync(join(device, 'label'), 'utf8')).toBe('');
  });

  test('are not written over a link, neither of the file nor of a folder', () => {
    const outside = join(folder, 'outside');
    mkdirSync(outside);
    writeFileSync(join(outside, 'label'), '');
    symlinkSync(outside, join(device, 'out'));
    symlinkSync(join(outside, 'label'), join(device, 'label'));
    expect(attribute('out/label', 'x')).toMatchObject({ kind: 'errno', errno: 40 });
    expect(attribute('label', 'x')).toMatchObject({ kind: 'errno', errno: 40 });
    expect(readFileSync(join(outside, 'label'), 'utf8')).toBe('');
  });

  test('without a value are refused, since the kernel would ignore them in silence', () => {
    writeFileSync(join(device, 'label'), '');
    expect(attribute('label', '')).toMatchObject({ kind: 'errno', errno: 22, call: 'write' });
  });
});

describe('reading', () => {
  test('a file gives its text, or the errno', () => {
    writeFileSync(join(folder, 'available'), '3\n');
    expect(perform({ op: 'read', file: join(folder, 'available') })).toEqual({ kind: 'text', text: '3\n' });
    expect(perform({ op: 'read', file: folder })).toMatchObject({ kind: 'errno', errno: 21 });
  });

  test('whether a group is free, or the errno', () => {
    grouped();
    const probe = { op: 'probe', device, nodes: groups, proc: join(folder, 'proc') } as const;
    expect(perform(probe)).toMatchObject({ kind: 'errno', errno: 2, file: join(groups, '7') });
    writeFileSync(join(groups, '7'), '');
    expect(perform(probe)).toEqual(OK);
  });
});
