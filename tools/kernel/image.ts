/**
 * A kernel out of Debian's package, without installing it: vmlinux, and the modules that a guest loads with the order
 * to load them in. Root is not needed, nor /sbin on the PATH.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { unpackPackage } from '../debian-package.ts';
import { cached, withScratch } from './cache.ts';

/** `release` as uname says it (6.1.0-56-amd64), `version` that of the Debian package (6.1.192-2). */
export type KernelVersion = { readonly release: string; readonly version: string };

/** What a guest loads at boot, and what it loads only when it has a disk. Dependencies are added. */
const MODULES = {
  boot: ['virtio_pci', '9pnet_virtio', '9p', 'virtio_console', 'vfio_iommu_type1', 'mdev'],
  disk: ['virtio_blk', 'ext4'],
} as const;
/** What gets headers for which apt has the image, too. */
const HEADERS_AGAIN = 'apt-get update && apt-get install --no-install-recommends linux-headers-amd64';
const XZ_MAGIC = Buffer.from('fd377a585a00', 'hex');
/** Of the boot protocol's header in a bzImage. */
const SETUP_SECTORS_AT = 0x1f1;
const PAYLOAD_OFFSET_AT = 0x248;
const PAYLOAD_LENGTH_AT = 0x24c;
const SECTOR_BYTES = 512;

const run = promisify(execFile);

/**
 * A folder with `vmlinux` and `modules/`: files, and the lists `boot` and `disk` of their names in loading order.
 * @throws if apt does not have that version, naming what to install.
 */
export async function kernelImage(cache: string, kernel: KernelVersion): Promise<string> {
  const modules = createHash('sha256').update(JSON.stringify(MODULES)).digest('hex').slice(0, 8);
  const folder = join(cache, `${kernel.release}_${kernel.version}_${modules}`);
  return cached(folder, (made) =>
    withScratch(cache, async (scratch) => {
      const wanted = `linux-image-${kernel.release}=${kernel.version}`;
      await unpackPackage(wanted, scratch, HEADERS_AGAIN);
      await mkdir(join(made, 'modules'), { recursive: true });
      await extractVmlinux(join(scratch, 'boot', `vmlinuz-${kernel.release}`), join(made, 'vmlinux'));
      await pickModules(scratch, kernel.release, join(made, 'modules'));
    }),
  );
}

/**
 * Takes the kernel out of its self-extracting form: decompressing is the slowest part of a boot under emulation.
 * A kernel that is not compressed with xz is left as it is, which boots too.
 */
async function extractVmlinux(vmlinuz: string, to: string): Promise<void> {
  const image = await readFile(vmlinuz);
  const setup = (image.readUInt8(SETUP_SECTORS_AT) + 1) * SECTOR_BYTES;
  const start = setup + image.readUInt32LE(PAYLOAD_OFFSET_AT);
  const payload = image.subarray(start, start + image.readUInt32LE(PAYLOAD_LENGTH_AT));
  if (!payload.subarray(0, XZ_MAGIC.length).equals(XZ_MAGIC)) return copyFile(vmlinuz, to);
  await writeFile(`${vmlinuz}.xz`, payload);
  const decompress = 'exec xz --decompress --stdout --single-stream "$0" >"$1"';
  await run('sh', ['-c', decompress, `${vmlinuz}.xz`, to]);
}

async function pickModules(root: string, release: string, to: string): Promise<void> {
  await run('/sbin/depmod', ['--basedir', root, release]);
  const boot = await loadingOrder(root, release, MODULES.boot);
  const disk = (await loadingOrder(root, release, MODULES.disk)).filter((path) => !boot.includes(path));
  for (const path of [...boot, ...disk]) {
    await run('strip', ['--strip-debug', '-o', join(to, basename(path)), path]);
  }
  await writeFile(join(to, 'boot'), names(boot));
  await writeFile(join(to, 'disk'), names(disk));
}

/** Each module after all that it depends on, as paths of files. */
async function loadingOrder(
  root: string,
  release: string,
  modules: readonly string[],
): Promise<readonly string[]> {
  const options = ['--config', '/dev/null', '--dirname', root, '--set-version', release];
  const order: string[] = [];
  for (const name of modules) {
    const { stdout } = await run('/sbin/modprobe', [...options, '--show-depends', name]);
    order.push(...[...stdout.matchAll(/^insmod (.+\.ko)/gm)].map(([, path = '']) => path));
  }
  return [...new Set(order)];
}

function names(paths: readonly string[]): string {
  return paths.map((path) => `${basename(path)}\n`).join('');
}
