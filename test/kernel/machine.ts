/**
 * The emulated machine, as arguments of QEMU. It is emulated in software even where the host offers KVM: on a nested
 * host a guest may hang there, and a run should cost the same everywhere.
 */
import { execFile } from 'node:child_process';
import { access, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { GuestKernel } from '../../tools/kernel.ts';
import { pciParent } from './mdev.ts';
import type { Share } from './shares.ts';

type Machine = {
  readonly kernel: GuestKernel;
  readonly work: string;
  readonly disk: boolean;
  /** How many of the emulator's `edu` devices there are, which the test driver makes parents of. */
  readonly edu: number;
  readonly shares: readonly Share[];
  /** Where in the work folder the console goes. */
  readonly console: string;
  readonly dmiUuid: string;
};

const DISK = 'disk.img';
/** The domain and the bus of all PCI devices of this machine. */
const BUS = '0000:00:';
const DISK_BYTES = 256 * 1024 * 1024;
/** A complaint of the kernel is an end; warnings are shown; and nothing in here needs protection from anything. */
const KERNEL_ARGUMENTS = 'console=ttyS0 quiet loglevel=5 panic=-1 oops=panic mitigations=off';

const run = promisify(execFile);

export function machine({ kernel, work, disk, edu, shares, console, dmiUuid }: Machine): readonly string[] {
  const drive = `file=${escaped(join(work, DISK))},format=raw,if=none,id=disk,cache=unsafe`;
  return [
    ...['qemu-system-x86_64', '-machine', 'q35', '-accel', 'tcg,thread=multi', '-cpu', 'max', '-smp', '2'],
    ...['-m', '2048', '-nodefaults', '-no-user-config', '-display', 'none', '-nic', 'none', '-no-reboot'],
    ...[
      '-uuid',
      dmiUuid,
      '-kernel',
      kernel.vmlinux,
      '-initrd',
      kernel.initramfs,
      '-append',
      KERNEL_ARGUMENTS,
    ],
    ...['-serial', `file:${join(work, console)}`],
    ...['-chardev', 'stdio,id=report,signal=off', '-device', 'virtio-serial-pci'],
    ...['-device', 'virtserialport,chardev=report'],
    ...share('shared', work, false),
    ...shares.flatMap(({ tag, source }) => share(tag, source, true)),
    ...(disk ? ['-drive', drive, '-device', 'virtio-blk-pci,drive=disk'] : []),
    ...Array.from({ length: edu }, (_, index) => [
      '-device',
      `edu,addr=${pciParent(index).slice(BUS.length)}`,
    ]).flat(),
  ];
}

function share(tag: string, path: string, readOnly: boolean): readonly string[] {
  const fsdev = `local,id=${tag},path=${escaped(path)},security_model=none,multidevs=remap`;
  return [
    ...['-fsdev', `${fsdev},readonly=${readOnly ? 'on' : 'off'}`],
    ...['-device', `virtio-9p-pci,fsdev=${tag},mount_tag=${tag}`],
  ];
}

/** A comma ends a value in the emulator's arguments, unless it is doubled. */
function escaped(path: string): string {
  return path.replaceAll(',', ',,');
}

/** An empty ext4 file system in the work folder, if there is none yet. */
export async function ensureDisk(work: string): Promise<void> {
  const path = join(work, DISK);
  const there = await access(path).then(
    () => true,
    () => false,
  );
  if (there) return;
  const made = `${path}.new`;
  await rm(made, { force: true });
  const file = await open(made, 'wx');
  await file.truncate(DISK_BYTES);
  await file.close();
  await run('/sbin/mke2fs', ['-q', '-F', '-t', 'ext4', made]);
  await rename(made, path);
}
