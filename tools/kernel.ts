/**
 * Gets ready what an emulated machine needs to boot Debian's kernel with our test driver: the kernel of the very
 * version that the installed headers are for, and an initramfs with the modules, the driver, and a shell.
 *
 * Everything lands in .cache/kernel, keyed by version and by a hash of the sources, and stays until that folder is
 * deleted. A folder or file appears there whole or not at all, so any number of processes may ask at once.
 */
import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { type KernelVersion, kernelImage } from './kernel/image.ts';
import { guestInitramfs } from './kernel/initramfs.ts';

export type GuestKernel = KernelVersion & { readonly vmlinux: string; readonly initramfs: string };

const TOOLS = import.meta.dirname;
const CACHE = join(dirname(TOOLS), '.cache', 'kernel');
/** The interface to mediated devices changes with nearly every kernel: the driver is written for this one. */
const SERIES = '6.1.';

const run = promisify(execFile);

/**
 * The paths of a kernel and an initramfs that fit together; at once when they are cached.
 * @throws if Debian packages are missing that only root can install, or if apt no longer has the kernel; naming which.
 */
export async function guestKernel(): Promise<GuestKernel> {
  await mkdir(CACHE, { recursive: true });
  await installPackages();
  const version = await headersVersion();
  const image = await kernelImage(CACHE, version);
  const initramfs = await guestInitramfs(image, version.release);
  return { ...version, vmlinux: join(image, 'vmlinux'), initramfs };
}

async function installPackages(): Promise<void> {
  await run('flock', [join(CACHE, '.lock'), 'sh', join(TOOLS, 'debian.sh')]);
}

/** The kernel that the installed headers are for, to the revision: only its image fits the driver built with them. */
async function headersVersion(): Promise<KernelVersion> {
  const { stdout } = await run('dpkg-query', ['--show', '--showformat=${Depends}', 'linux-headers-amd64']);
  const [, release = '', version = ''] = /linux-headers-(\S+) \(= (\S+)\)/.exec(stdout) ?? [];
  if (!release.startsWith(SERIES)) {
    throw new Error(
      `The test driver is written for Linux ${SERIES}x, as in Debian 12, but linux-headers-amd64 depends on ${stdout}`,
    );
  }
  return { release, version };
}

if (import.meta.main) {
  console.log(JSON.stringify(await guestKernel(), null, 2));
}
