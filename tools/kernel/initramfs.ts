/**
 * The first and only root file system of a guest: busybox, the kernel's modules, our driver and the program that holds
 * a device open, both built here, and the script that mounts the rest from the host.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, copyFile, cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { cached, withScratch } from './cache.ts';

const ROOT = dirname(dirname(import.meta.dirname));
const GUEST = join(ROOT, 'test', 'kernel');
const DRIVER = join(GUEST, 'driver');
const INIT = join(GUEST, 'init.sh');
/** Where a guest's /usr is to be mounted, and what Debian keeps as links into it. */
const FOLDERS = ['dev', 'etc', 'guest', 'proc', 'root', 'run', 'sys', 'tmp', 'usr', 'var'];
const USR_LINKS = ['bin', 'lib', 'lib32', 'lib64', 'sbin'];
/** What the scripts of a guest call before and beside the host's /usr. */
const APPLETS = [
  'cat',
  'hostname',
  'insmod',
  'ip',
  'ln',
  'mkdir',
  'mount',
  'poweroff',
  'rmmod',
  'sh',
  'sleep',
  'sync',
  'timeout',
  'umount',
];
const ETC: Readonly<Record<string, string>> = {
  passwd: 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n',
  group: 'root:x:0:\nnogroup:x:65534:\n',
  hosts: '127.0.0.1 localhost\n',
  'nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files\n',
};

const run = promisify(execFile);

/** The path of the initramfs for the kernel in the folder `image`, built if its sources have changed. */
export async function guestInitramfs(image: string, release: string): Promise<string> {
  const path = join(image, `initramfs-${await sourcesHash()}.cpio`);
  return cached(path, (made) =>
    withScratch(tmpdir(), async (scratch) => {
      const build = join(scratch, 'build');
      const root = join(scratch, 'root');
      await buildDriver(build, release);
      await layOut(root, image, build);
      await pack(root, made);
    }),
  );
}

async function sourcesHash(): Promise<string> {
  const drivers = (await readdir(DRIVER)).sort().map((name) => join(DRIVER, name));
  const hash = createHash('sha256');
  for (const path of [INIT, import.meta.filename, ...drivers]) {
    hash
      .update(path)
      .update('\0')
      .update(await readFile(path))
      .update('\0');
  }
  return hash.digest('hex').slice(0, 16);
}

/** In a copy of the sources, since the kernel's makefiles write beside them, and at a path without blanks. */
async function buildDriver(build: string, release: string): Promise<void> {
  await cp(DRIVER, build, { recursive: true });
  await run('make', ['--silent', '-C', `/lib/modules/${release}/build`, `M=${build}`, 'modules']);
  await run('strip', ['--strip-debug', join(build, 'mdevfleet_test.ko')]);
  const flags = ['-static', '-Os', '-Wall', '-Wextra', '-Werror'];
  await run('gcc', [...flags, '-o', join(build, 'hold'), join(build, 'hold.c')]);
}

async function layOut(root: string, image: string, build: string): Promise<void> {
  const guest = join(root, 'guest');
  for (const folder of FOLDERS) await mkdir(join(root, folder), { recursive: true });
  for (const name of USR_LINKS) await symlink(`usr/${name}`, join(root, name));
  for (const [name, text] of Object.entries(ETC)) await writeFile(join(root, 'etc', name), text);
  await cp(join(image, 'modules'), join(guest, 'modules'), { recursive: true });
  await copyFile(join(build, 'mdevfleet_test.ko'), join(guest, 'modules', 'mdevfleet_test.ko'));
  await mkdir(join(guest, 'bin'));
  await copyFile('/bin/busybox', join(guest, 'bin', 'busybox'));
  await copyFile(join(build, 'hold'), join(guest, 'bin', 'hold'));
  for (const applet of APPLETS) await symlink('busybox', join(guest, 'bin', applet));
  await copyFile(INIT, join(root, 'init'));
  await chmod(join(root, 'init'), 0o755);
}

async function pack(root: string, to: string): Promise<void> {
  const script =
    'find . | LC_ALL=C sort | cpio --quiet --create --format=newc --owner=0:0 --reproducible >"$0"';
  await run('sh', ['-e', '-c', script, to], { cwd: root });
}
