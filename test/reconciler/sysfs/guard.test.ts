import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { guarded } from '../../../reconciler/sysfs/guard.ts';
import { OK } from '../../../reconciler/sysfs/order.ts';

let folder: string;
let device: string;
let nodes: string;
let proc: string;
let acts: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mdevfleet-guard-'));
  device = join(folder, 'device');
  nodes = join(folder, 'dev/vfio');
  proc = join(folder, 'proc');
  acts = 0;
  for (const one of [device, join(nodes, 'devices'), proc]) mkdirSync(one, { recursive: true });
});

afterEach(() => rmSync(folder, { recursive: true }));

/** A device in group 7 whose own node is vfio3, as far as it has them. */
function vfio(has: { readonly group: boolean; readonly own: boolean }): void {
  mkdirSync(join(device, 'vfio-dev/vfio3'), { recursive: true });
  mkdirSync(join(folder, 'iommu/7'), { recursive: true });
  if (has.group) symlinkSync(join(folder, 'iommu/7'), join(device, 'iommu_group'));
  if (has.own) writeFileSync(join(device, 'vfio-dev/vfio3/dev'), '511:3\n');
}

function node(name: string): void {
  writeFileSync(join(nodes, name), '');
}

/** A process that has this open. The link leads nowhere, so whoever follows it fails. */
function runs(pid: number, command: string, open: string): void {
  mkdirSync(join(proc, `${pid}/fd`), { recursive: true });
  writeFileSync(join(proc, `${pid}/comm`), `${command}\n`);
  symlinkSync('socket:[1]', join(proc, `${pid}/fd/0`));
  symlinkSync(open, join(proc, `${pid}/fd/5`));
}

function act() {
  acts += 1;
  return OK;
}

const answer = () => guarded({ device, nodes, proc }, act);
const VM = [{ pid: 4711, command: 'qemu-system-x86' }];

describe('a device without a node of its own', () => {
  test('is free when its group can be opened, whoever is said to have it', () => {
    vfio({ group: true, own: false });
    node('7');
    runs(4711, 'qemu-system-x86', '/dev/vfio/7');
    expect([answer(), acts]).toEqual([OK, 1]);
  });

  test('is left alone without a node of its group, and without a group', () => {
    vfio({ group: true, own: false });
    expect(answer()).toEqual({ kind: 'errno', errno: 2, call: 'open', file: join(nodes, '7') });
    rmSync(join(device, 'iommu_group'));
    expect(answer()).toEqual({ kind: 'errno', errno: 2, call: 'open', file: join(device, 'iommu_group') });
    expect(acts).toBe(0);
  });
});

describe('a device with a node of its own', () => {
  test('and without a group is in use by whoever has that node open', () => {
    vfio({ group: false, own: true });
    node('devices/vfio3');
    runs(4711, 'qemu-system-x86', '/dev/vfio/devices/vfio3');
    runs(4712, 'other', '/dev/vfio/devices/vfio33');
    expect([answer(), acts]).toEqual([{ kind: 'in-use', by: VM }, 0]);
    rmSync(join(proc, '4711'), { recursive: true });
    expect([answer(), acts]).toEqual([OK, 1]);
  });

  test('and without a node of its group is in use by whoever has that under its name', () => {
    vfio({ group: true, own: true });
    node('devices/vfio3');
    runs(4711, 'qemu-system-x86', '/dev/vfio/7');
    expect([answer(), acts]).toEqual([{ kind: 'in-use', by: VM }, 0]);
  });

  test('is in use also when its group can be opened', () => {
    vfio({ group: true, own: true });
    node('7');
    node('devices/vfio3');
    runs(4711, 'qemu-system-x86', '/dev/vfio/devices/vfio3');
    expect([answer(), acts]).toEqual([{ kind: 'in-use', by: VM }, 0]);
    rmSync(join(proc, '4711'), { recursive: true });
    expect([answer(), acts]).toEqual([OK, 1]);
  });

  test('that is not below this /dev is left alone: whoever has it would not be found', () => {
    vfio({ group: false, own: true });
    expect(answer()).toMatchObject({ kind: 'errno', errno: 2 });
    expect(acts).toBe(0);
  });

  test('is left alone without a group while a process does not show what it has open', () => {
    vfio({ group: false, own: true });
    node('devices/vfio3');
    mkdirSync(join(proc, '4713'));
    writeFileSync(join(proc, '4713/fd'), 'no folder');
    expect(answer()).toMatchObject({ kind: 'errno', errno: 13 });
    expect(acts).toBe(0);
  });
});

describe('those who use a device', () => {
  beforeEach(() => {
    vfio({ group: false, own: true });
    node('devices/vfio3');
  });

  test('are named without what would spoil a terminal or a log', () => {
    runs(4711, 'e\x1b[31mvil\n\x07', '/vfio/devices/vfio3');
    expect(answer()).toEqual({ kind: 'in-use', by: [{ pid: 4711, command: 'e?[31mvil??' }] });
  });

  test('are four at most, and never this process', () => {
    runs(process.pid, 'node', '/dev/vfio/devices/vfio3');
    expect(answer()).toEqual(OK);
    for (let pid = 500; pid < 506; pid += 1) runs(pid, 'fork', '/dev/vfio/devices/vfio3');
    expect(answer()).toMatchObject({ by: { length: 4 } });
  });
});
