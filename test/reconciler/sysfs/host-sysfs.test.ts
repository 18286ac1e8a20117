import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Uuid } from '../../../events/names.ts';
import { systemClock } from '../../../reconciler/clock-system.ts';
import type { Change, Host } from '../../../reconciler/host.ts';
import { createSysfsHost, type SysfsHostOptions } from '../../../reconciler/sysfs/host-sysfs.ts';
import { busyWriters } from '../../../reconciler/sysfs/writer-marks.ts';
import { SysfsTree } from './host-sysfs-tree.ts';

/** For what takes a process to start, on a machine that may be busy. */
const SOON = { timeout: 20_000 };
const OK = { kind: 'ok' };
const PARENT = '0000:00:04.0';
const PLACE = { parent: PARENT, type: 'mtty-1' };
const OTHER = { parent: '0000:00:05.0', type: 'mtty-1' };
const LOOK = { place: PLACE, use: false };

let tree: SysfsTree;
let host: Host;
let made = 0;

function fresh(): Uuid {
  made += 1;
  return `00000000-0000-4000-8000-${made.toString(16).padStart(12, '0')}`;
}

function open(options: Partial<SysfsHostOptions> = {}): Host {
  const { root, dev, marksDir } = tree;
  return createSysfsHost({
    clock: systemClock,
    root,
    dev,
    marksDir,
    udevadm: null,
    limits: { pollMs: 20 },
    ...options,
  });
}

beforeAll(() => {
  tree = new SysfsTree();
  tree.parent(PARENT, { 'mtty-1': 24, 'mtty-2': 12 });
  tree.parent(OTHER.parent, { 'mtty-1': 24 });
  host = open();
});

afterAll(async () => {
  await host.close();
  tree.remove();
});

describe('observing', () => {
  test('a device is present with its place, its group and its remove file', async () => {
    const uuid = fresh();
    tree.device(uuid, PLACE, 'complete', 11);
    const about = { iommuGroup: 11, removable: true, attributes: [], identity: expect.any(String) };
    const seen = { kind: 'present', place: PLACE, ...about };
    expect(await host.observe(uuid, LOOK)).toEqual({ ...seen, use: { kind: 'unknown' } });
    expect(await host.observe(uuid, { place: null, use: true })).toEqual({ ...seen, use: { kind: 'free' } });
  });

  test('use is unknown without a node of the group; without a vfio device there is none', async () => {
    const [nodeless, groupless] = [fresh(), fresh()];
    tree.device(nodeless, PLACE, 'complete', 12);
    unlinkSync(tree.node(12));
    tree.device(groupless, PLACE, 'complete', null);
    const look = { place: PLACE, use: true };
    expect(await host.observe(nodeless, look)).toMatchObject({ use: { kind: 'unknown' }, iommuGroup: 12 });
    expect(await host.observe(groupless, look)).toMatchObject({ use: { kind: 'free' }, iommuGroup: null });
  });

  test('a complete device whose remove file is gone cannot be removed', async () => {
    const uuid = fresh();
    unlinkSync(join(tree.device(uuid, PLACE), 'remove'));
    expect(await host.observe(uuid, LOOK)).toMatchObject({ kind: 'present', removable: false });
  });

  test('a device whose type is not there yet is incomplete', async () => {
    const uuid = fresh();
    tree.device(uuid, PLACE, 'incomplete');
    expect(await host.observe(uuid, LOOK)).toEqual({ kind: 'incomplete', parent: PARENT });
  });

  test('a device gone from the bus is removing while it stands below the parent that is looked into', async () => {
    const uuid = fresh();
    tree.device(uuid, PLACE, 'removing');
    expect(await host.observe(uuid, LOOK)).toEqual({ kind: 'removing', parent: PARENT });
    expect(await host.observe(uuid, { place: null, use: false })).toEqual({ kind: 'absent', room: null });
    expect((await host.observe(uuid, { place: OTHER, use: false })).kind).toBe('absent');
  });

  test('also below a parent that is going away and no longer listed', async () => {
    const leaving = { parent: '0000:00:06.0', type: 'mtty-1' };
    const uuid = fresh();
    tree.parent(leaving.parent, { 'mtty-1': 24 });
    tree.device(uuid, leaving, 'removing');
    tree.unlist(leaving.parent);
    const look = { place: leaving, use: false };
    expect(await host.observe(uuid, look)).toEqual({ kind: 'removing', parent: leaving.parent });
    expect(await host.observe(fresh(), look)).toEqual({ kind: 'absent', room: { kind: 'parent-absent' } });
  });

  test('an entry on the bus that is no link cannot be read, and is not absent', async () => {
    const uuid = fresh();
    mkdirSync(tree.bus(uuid));
    expect(await host.observe(uuid, LOOK)).toMatchObject({ kind: 'unreadable', errno: 22 });
    rmSync(tree.bus(uuid), { recursive: true });
  });

  test('a name that leads elsewhere is a bug of the caller', async () => {
    await expect(host.observe('../../etc', LOOK)).rejects.toThrow('not a UUID');
    const place = { parent: '..', type: 'mtty-1' };
    await expect(host.observe(fresh(), { place, use: false })).rejects.toThrow('not a name of a parent');
    const odd = { parent: PARENT, type: '../x' };
    await expect(host.create(fresh(), odd)).rejects.toThrow('not a name of a parent or type');
    await expect(host.remove('x', PLACE)).rejects.toThrow('not a UUID');
    await expect(host.remove(fresh(), odd)).rejects.toThrow('not a name of a parent or type');
    const attribute = { name: 'vendor/../../x', value: '1' };
    await expect(host.setAttribute(fresh(), PLACE, attribute)).rejects.toThrow("not an attribute's name");
  });

  test('while a device comes and goes, each look sees one of the stages', async () => {
    const uuid = fresh();
    const other = { parent: '0000:00:07.0', type: 'mtty-1' };
    tree.parent(other.parent, { 'mtty-1': 24 });
    const folder = tree.device(uuid, other, 'complete', 13);
    const churn = `
      const fs = require('node:fs');
      const [folder, link, type, group, node] = process.argv.slice(1);
      for (let round = 0; round < 500; round += 1) {
        fs.unlinkSync(folder + '/remove'); fs.unlinkSync(folder + '/mdev_type'); fs.unlinkSync(link);
        fs.unlinkSync(folder + '/iommu_group'); fs.renameSync(folder, folder + '.gone');
        fs.renameSync(folder + '.gone', folder); fs.writeFileSync(folder + '/remove', '');
        fs.symlinkSync(folder, link); fs.symlinkSync(group, folder + '/iommu_group'); fs.symlinkSync(type, folder + '/mdev_type');
      }`;
    const type = join(folder, '../mdev_supported_types/mtty-1');
    const group = join(tree.root, 'kernel/iommu_groups/13');
    const child = spawn(process.execPath, ['-e', churn, folder, tree.bus(uuid), type, group], {
      stdio: 'inherit',
    });
    const ended = once(child, 'exit');
    const seen = new Map<string, number>();
    while (child.exitCode === null) {
      await setImmediate();
      const one = await host.observe(uuid, { place: other, use: false });
      if (one.kind === 'present') expect(one).toMatchObject({ place: other });
      if (one.kind === 'incomplete' || one.kind === 'removing') expect(one.parent).toBe(other.parent);
      if (one.kind === 'unreadable') expect(one.message).toContain('kept changing');
      seen.set(one.kind, (seen.get(one.kind) ?? 0) + 1);
    }
    expect(await ended).toEqual([0, null]);
    expect([...seen.keys()]).toEqual(expect.arrayContaining(['present', 'removing']));
  });
});

describe('what is mounted', () => {
  test('a kernel without the mdev module has no device and no parent', async () => {
    const root = mkdtempSync(join(tmpdir(), 'mdevfleet-bare-'));
    for (const one of ['bus/pci/devices', 'class/net']) mkdirSync(join(root, one), { recursive: true });
    const bare = open({ root, marksDir: join(root, 'not/yet') });
    expect(await bare.observe(fresh(), LOOK)).toEqual({ kind: 'absent', room: { kind: 'parent-absent' } });
    expect(await bare.survey()).toEqual({ kind: 'devices', devices: [] });
    await bare.close();
    rmSync(root, { recursive: true });
  });

  test('an empty folder, or none, in the place of sysfs is not a host without devices', async () => {
    const root = mkdtempSync(join(tmpdir(), 'mdevfleet-empty-'));
    const message = `${root} is not a sysfs: mount one there, or name the folder where it is mounted`;
    const empty = open({ root });
    expect(await empty.observe(fresh(), LOOK)).toEqual({ kind: 'unreadable', errno: null, message });
    expect(await empty.survey()).toEqual({ kind: 'unreadable', errno: null, message });
    rmSync(root, { recursive: true });
    expect(await empty.observe(fresh(), LOOK)).toEqual({ kind: 'unreadable', errno: null, message });
    await empty.close();
  });
});

describe('surveying', () => {
  test('tells each device on the bus, those being made without a type', async () => {
    const [complete, incomplete, removing] = [fresh(), fresh(), fresh()];
    tree.device(complete, OTHER);
    tree.device(incomplete, OTHER, 'incomplete');
    tree.device(removing, OTHER, 'removing');
    symlinkSync('../nowhere', join(tree.root, 'bus/mdev/devices/not-a-uuid'));
    const survey = await host.survey();
    const devices =
      survey.kind === 'devices' ? survey.devices.filter(({ parent }) => parent === OTHER.parent) : [];
    expect(devices).toHaveLength(2);
    expect(devices).toContainEqual({ uuid: complete, ...OTHER });
    expect(devices).toContainEqual({ uuid: incomplete, parent: OTHER.parent, type: null });
  });
});

describe('writing', () => {
  test('create gets the UUID, whole and as it is', async () => {
    const uuid = fresh();
    expect(await host.create(uuid, PLACE)).toEqual(OK);
    expect(tree.written(PARENT, 'mdev_supported_types/mtty-1/create')).toBe(uuid);
    const none = { parent: PARENT, type: 'mtty-9' };
    const file = `${tree.root}/class/mdev_bus/${PARENT}/mdev_supported_types/mtty-9/create`;
    expect(await host.create(uuid, none)).toEqual({ kind: 'errno', errno: 2, call: 'open', file });
  });

  test('remove gets a 1, at the expected place only', async () => {
    const uuid = fresh();
    tree.device(uuid, PLACE, 'complete', 14);
    expect(await host.remove(uuid, { parent: PARENT, type: 'mtty-2' })).toMatchObject({
      errno: 116,
      call: 'open',
    });
    expect(await host.remove(uuid, OTHER)).toMatchObject({ errno: 2, call: 'open' });
    expect(tree.written(PARENT, `${uuid}/remove`)).toBe('');
    expect(await host.remove(uuid, PLACE)).toEqual(OK);
    expect(tree.written(PARENT, `${uuid}/remove`)).toBe('1');
  });

  test('what takes the place of a device whose remove file is open is not removed', async () => {
    const uuid = fresh();
    const device = tree.device(uuid, PLACE);
    const file = join(device, 'remove');
    rmSync(file);
    // Opening a pipe for writing takes until somebody reads it.
    execFileSync('mkfifo', [file]);
    const removed = host.remove(uuid, PLACE);
    await expect.poll(() => busyWriters(tree.marksDir, '/proc').has(uuid), SOON).toBe(true);
    unlinkSync(join(device, 'mdev_type'));
    expect(execFileSync('cat', [file], SOON).toString()).toBe('');
    expect(await removed).toMatchObject({ kind: 'errno', errno: 2 });
  });

  test('an attribute gets its value', async () => {
    const uuid = fresh();
    const folder = tree.device(uuid, PLACE);
    writeFileSync(join(folder, 'label'), '');
    expect(await host.setAttribute(uuid, PLACE, { name: 'label', value: 'grün\n' })).toEqual(OK);
    expect(tree.written(PARENT, `${uuid}/label`)).toBe('grün\n');
  });

  test('a helper of an earlier agent that still writes makes its UUID busy, and no other', async () => {
    const uuid = fresh();
    const file = join(tree.root, 'class/mdev_bus', OTHER.parent, 'mdev_supported_types/mtty-1/create');
    rmSync(file);
    execFileSync('mkfifo', [file]);
    const before = open();
    const written = before.create(uuid, OTHER);
    await expect.poll(() => busyWriters(tree.marksDir, '/proc').has(uuid), SOON).toBe(true);
    expect((await before.observe(uuid, LOOK)).kind).toBe('busy');
    const reopened = open();
    expect(await reopened.observe(uuid, LOOK)).toMatchObject({ kind: 'busy', pid: expect.any(Number) });
    expect((await reopened.observe(fresh(), LOOK)).kind).toBe('absent');
    execFileSync('cat', [file], SOON);
    expect(await written).toEqual(OK);
    expect((await reopened.observe(uuid, LOOK)).kind).toBe('absent');
    await Promise.all([before.close(), reopened.close()]);
  });
});

describe('watching', () => {
  test('tells devices and parents that come and go, and stops when it is told to', async () => {
    const told: Change[] = [];
    const end = host.onChange((change) => told.push(change));
    const uuid = fresh();
    tree.device(uuid, PLACE);
    await expect.poll(() => told, SOON).toContainEqual({ kind: 'device', uuid });
    const parent = '0000:00:08.0';
    tree.parent(parent, { 'mtty-1': 24 });
    await expect.poll(() => told, SOON).toContainEqual({ kind: 'parent', parent });
    told.length = 0;
    unlinkSync(tree.bus(uuid));
    tree.unlist(parent);
    await expect
      .poll(() => told)
      .toEqual([
        { kind: 'device', uuid },
        { kind: 'parent', parent },
      ]);
    end();
  });
});
