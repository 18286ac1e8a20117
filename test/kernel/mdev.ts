/**
 * The words in which a scenario speaks of the test driver's parents and of mediated devices, inside a guest. A write
 * answers with the kernel's errno (0: it took it), by number, since Node has no name for some.
 */
import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  constants,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** The numbers of errno.h that the mdev core and the driver answer with. */
export const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  EINTR: 4,
  EIO: 5,
  EAGAIN: 11,
  EACCES: 13,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  EINVAL: 22,
  ENOSPC: 28,
  EROFS: 30,
  ETIME: 62,
  EUSERS: 87,
  EPROBE_DEFER: 517,
} as const;

export type Knob = keyof typeof RESTING;

/** Parents whose types `a` and `b` share a pool; and one whose type `c` the core itself limits. */
export const P0 = 'mdevfleet-0';
export const P1 = 'mdevfleet-1';
export const P2 = 'mdevfleet-2';
export const P3 = 'mdevfleet-3';
export const LIMITED = 'mdevfleet-limited-0';

/** PCI parent number `index` (`GuestOptions.edu`): in a slot above those that the emulator gives out by itself. */
export function pciParent(index: number): string {
  return `0000:00:${(0x10 + index).toString(16)}.0`;
}

/** A delay that lasts until the test ends it by setting it to 0. */
export const FOREVER_MS = 600_000;

const PARENTS = '/sys/class/mdevfleet';
const PCI_PARENTS = '/sys/bus/pci/devices';
export const BUS = '/sys/bus/mdev/devices';
/** Knobs of a parent as they are after loading. */
const RESTING = {
  probe_delay_ms: 0,
  late_delay_ms: 0,
  remove_delay_ms: 0,
  probe_errno: 0,
  fail_every: 1,
  attribute_delay_ms: 0,
  attribute_errno: 0,
  attribute_read_delay_ms: 0,
  attribute_read_errno: 0,
} as const;
const CAPACITY = 8;
const POLL_MS = 20;
const WAIT_MS_MAX = 90_000;

/** A UUID that is the same in every run. */
export function uuid(index: number): string {
  return `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`;
}

export function parentPath(parent: string, ...rest: readonly string[]): string {
  return join(parent.includes(':') ? PCI_PARENTS : PARENTS, parent, ...rest);
}

export function typePath(parent: string, type: string, ...rest: readonly string[]): string {
  return parentPath(parent, 'mdev_supported_types', `mdevfleet-${type}`, ...rest);
}

export function devicePath(parent: string, id: string, ...rest: readonly string[]): string {
  return parentPath(parent, id, ...rest);
}

/** One write to a file that exists, as `echo -n` makes it. Opening it can fail too. */
export async function write(path: string, text: string): Promise<number> {
  try {
    const file = await open(path, constants.O_WRONLY);
    try {
      await file.write(text);
    } finally {
      await file.close();
    }
    return 0;
  } catch (error) {
    return errnoOf(error);
  }
}

/** The errno of an error of node:fs, positive. */
export function errnoOf(error: unknown): number {
  const errno = error instanceof Error && 'errno' in error ? error.errno : undefined;
  if (typeof errno !== 'number') throw error;
  return Math.abs(errno);
}

/** The errno that opening the file ends with. */
export function openErrno(path: string, flags: number): number {
  return errnoIn(() => closeSync(openSync(path, flags)));
}

/** One write in the thread of the caller, which waits for it. */
export function writeErrno(path: string, text: string): number {
  return errnoIn(() => {
    const file = openSync(path, constants.O_WRONLY);
    try {
      writeSync(file, text);
    } finally {
      closeSync(file);
    }
  });
}

/** The errno that a call of node:fs throws, or 0. */
export function errnoIn(act: () => void): number {
  try {
    act();
    return 0;
  } catch (error) {
    return errnoOf(error);
  }
}

export function create(parent: string, type: string, id: string): Promise<number> {
  return write(typePath(parent, type, 'create'), id);
}

export function remove(parent: string, id: string): Promise<number> {
  return write(devicePath(parent, id, 'remove'), '1');
}

export async function created(parent: string, type: string, id: string): Promise<void> {
  assert.equal(await create(parent, type, id), 0, `create ${type} ${id} on ${parent}`);
}

/** The device is on the bus: a create of it may not have ended yet. */
export function onBus(id: string): boolean {
  return existsSync(join(BUS, id));
}

/** The directory of the device stands below its parent: a removal of it may not have ended yet. */
export function underParent(parent: string, id: string): boolean {
  return existsSync(devicePath(parent, id));
}

/** The type of a device whose create has come to its end, or null. */
export function typeOf(parent: string, id: string): string | null {
  const link = devicePath(parent, id, 'mdev_type');
  return existsSync(link) ? basename(readlinkSync(link)) : null;
}

/** What no two devices share that ever stood there, also not two of one UUID; null when there is none. */
export function identityOf(parent: string, id: string): bigint | null {
  return statSync(devicePath(parent, id), { bigint: true, throwIfNoEntry: false })?.ino ?? null;
}

export function read(path: string): string {
  return readFileSync(path, 'utf8').trimEnd();
}

export function available(parent: string, type: string): number {
  return Number(read(typePath(parent, type, 'available_instances')));
}

/** How often the core has asked the parent's driver to make or to remove a device. */
export function calls(parent: string): { readonly probes: number; readonly removes: number } {
  return {
    probes: Number(read(parentPath(parent, 'probes'))),
    removes: Number(read(parentPath(parent, 'removes'))),
  };
}

/** How often attributes of a parent's devices were written to or read. */
export function attributeCalls(parent: string): { readonly writes: number; readonly reads: number } {
  return {
    writes: Number(read(parentPath(parent, 'attribute_writes'))),
    reads: Number(read(parentPath(parent, 'attribute_reads'))),
  };
}

export function setKnob(parent: string, knob: Knob, value: number): void {
  writeFileSync(parentPath(parent, 'fault', knob), String(value));
}

export function setCapacity(parent: string, units: number): void {
  writeFileSync(parentPath(parent, 'capacity'), String(units));
}

/** Blocks while a device of the parent is in use. Unregistering destroys all its devices. */
export function setRegistered(parent: string, registered: boolean): Promise<number> {
  return write(parentPath(parent, 'registered'), registered ? '1' : '0');
}

export function parents(): readonly string[] {
  return readdirSync(PARENTS);
}

/** Every parent as after loading: no devices, knobs at rest, registered. */
export async function resetParents(): Promise<void> {
  for (const parent of parents()) {
    for (const [knob, value] of Object.entries(RESTING)) setKnob(parent, knob as Knob, value);
    setCapacity(parent, CAPACITY);
    assert.equal(await setRegistered(parent, false), 0);
    assert.equal(await setRegistered(parent, true), 0);
  }
}

/** The vfio group of a device, as a path below /dev. */
export function groupPath(parent: string, id: string): string {
  return join('/dev/vfio', basename(readlinkSync(devicePath(parent, id, 'iommu_group'))));
}

/** A device that is in use, as by a virtual machine. */
export type Hold = { readonly pid: number; readonly release: () => Promise<void> };

/** @throws if the device cannot be opened. */
export async function hold(parent: string, id: string): Promise<Hold> {
  const child = spawn('/guest/bin/hold', [groupPath(parent, id), id]);
  await Promise.race([once(child.stdout, 'data'), refused(child)]);
  return {
    pid: child.pid ?? 0,
    release: async () => {
      const exit = once(child, 'exit');
      child.stdin.end();
      await exit;
    },
  };
}

async function refused(child: ChildProcessWithoutNullStreams): Promise<never> {
  const said: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => said.push(text));
  await once(child, 'close');
  throw new Error(`the device cannot be held: ${said.join('')}`);
}

/** Waits for something that another part of the machine brings about. */
export async function until(what: string, happened: () => boolean): Promise<void> {
  for (let waited = 0; !happened(); waited += POLL_MS) {
    if (waited > WAIT_MS_MAX) throw new Error(`waited for ${what} in vain`);
    await sleep(POLL_MS);
  }
}

/** Runs a program to its end; answers its status, or null for one that was killed. */
export function ended(command: string, ...args: readonly string[]): Promise<number | null> {
  return new Promise((resolve) => spawn(command, args, { stdio: 'inherit' }).on('exit', resolve));
}
