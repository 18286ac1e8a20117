/**
 * A folder that looks like /sys, /dev and /proc to those who only read names, links and files.
 *
 * Files stand in for what the kernel does on a write, so what can be checked is which
 * path was written with which bytes.
 */
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import type { Uuid } from '../../../events/names.ts';
import type { Place } from '../../../reconciler/host.ts';

/** What a removal or a creation has got to. */
export type Stage = 'incomplete' | 'complete' | 'removing';

export class SysfsTree {
  readonly folder = mkdtempSync(join(tmpdir(), 'mdevfleet-sysfs-'));
  readonly root = join(this.folder, 'sys');
  readonly dev = join(this.folder, 'dev');
  readonly marksDir = join(this.folder, 'writers');

  constructor() {
    for (const one of ['bus/mdev/devices', 'bus/pci/devices', 'class/mdev_bus', 'kernel/iommu_groups']) {
      mkdirSync(join(this.root, one), { recursive: true });
    }
    mkdirSync(join(this.dev, 'vfio'), { recursive: true });
    mkdirSync(this.marksDir);
  }

  /** Registers a parent with its types, each with so many instances available. */
  parent(name: string, types: Readonly<Record<string, number | string>>): void {
    for (const [type, available] of Object.entries(types)) {
      const folder = join(this.#parent(name), 'mdev_supported_types', type);
      mkdirSync(join(folder, 'devices'), { recursive: true });
      writeFileSync(join(folder, 'create'), '');
      writeFileSync(join(folder, 'available_instances'), `${available}\n`);
    }
    this.#link(join(this.root, 'bus/pci/devices', name), this.#parent(name));
    this.list(name);
  }

  /** The parent is listed (again). */
  list(name: string): void {
    this.#link(join(this.root, 'class/mdev_bus', name), this.#parent(name));
  }

  /** The parent is no longer listed, but still stands. */
  unlist(parent: string): void {
    unlinkSync(join(this.root, 'class/mdev_bus', parent));
  }

  /** Nothing is mounted here any more. */
  hide(): void {
    renameSync(this.root, `${this.root}-hidden`);
  }

  show(): void {
    renameSync(`${this.root}-hidden`, this.root);
  }

  /** A device that has got to this stage; `group` is its iommu group, if it has one. */
  device(uuid: Uuid, { parent, type }: Place, stage: Stage = 'complete', group: number | null = 7): string {
    const folder = join(this.#parent(parent), uuid);
    mkdirSync(folder, { recursive: true });
    if (stage !== 'removing') {
      writeFileSync(join(folder, 'remove'), '');
      this.#link(this.bus(uuid), folder);
    }
    if (stage !== 'complete') return folder;
    this.#link(join(folder, 'mdev_type'), join(this.#parent(parent), 'mdev_supported_types', type));
    if (group !== null) this.group(uuid, parent, group);
    return folder;
  }

  /** Puts the device into a group, with its node. */
  group(uuid: Uuid, parent: string, group: number): void {
    const link = join(this.#parent(parent), uuid, 'iommu_group');
    rmSync(link, { force: true });
    const folder = join(this.root, 'kernel/iommu_groups', String(group));
    mkdirSync(folder, { recursive: true });
    mkdirSync(join(this.#parent(parent), uuid, 'vfio-dev/vfio0'), { recursive: true });
    this.#link(link, folder);
    writeFileSync(this.node(group), '');
  }

  bus(uuid: Uuid): string {
    return join(this.root, 'bus/mdev/devices', uuid);
  }

  node(group: number): string {
    return join(this.dev, 'vfio', String(group));
  }

  /** What was written to a file below the parent's folder. */
  written(parent: string, path: string): string {
    return readFileSync(join(this.#parent(parent), path), 'utf8');
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }

  #parent(name: string): string {
    return join(this.root, 'devices/pci0000:00', name);
  }

  /** Relative, as the kernel makes them. */
  #link(at: string, to: string): void {
    symlinkSync(relative(join(at, '..'), to), at);
  }
}
