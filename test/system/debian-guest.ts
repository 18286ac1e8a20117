/**
 * Boots a Debian system with systemd in an emulated machine. Its disk is a copy of an image, kept in the work folder from
 * boot to boot; before systemd starts, files of the test are put over what is there.
 *
 * What runs inside says lines on the report port; nothing else comes out of it but the console. The machine ends by
 * itself, when its deadline is over, or with the process that started it.
 */
import { spawn } from 'node:child_process';
import { chmod, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { guestKernel } from '../../tools/kernel.ts';
import { DEFAULT_IDENTITY } from '../kernel/boot-script.ts';
import { machine } from '../kernel/machine.ts';

/** By path: a file's text, executable if it begins with #!, or where a link leads. */
export type Files = Readonly<Record<string, string | { readonly link: string }>>;

export type DebianBoot = {
  /** Holds `disk.img`, and what is read from the machine. */
  readonly work: string;
  readonly files: Files;
  /** True to load the test driver before systemd starts. */
  readonly driver: boolean;
  readonly deadlineMs: number;
  readonly onLine: (line: string) => void;
};

/** Where the driver is that the system may load later. */
export const DRIVER = '/test/driver.ko';
/** And the program that keeps a device in use; see test/kernel/driver/hold.c. */
export const HOLD = '/test/hold';
/** In the work folder; what systemd logs is in it. */
const CONSOLE = 'console.log';
const OVERLAY = 'overlay';

/** Boots it, and resolves with the console when it is off. Throws if it did not end by itself. */
export async function bootDebian({ work, files, driver, deadlineMs, onLine }: DebianBoot): Promise<string> {
  const kernel = await guestKernel();
  const overlay = join(work, OVERLAY);
  await rm(overlay, { recursive: true, force: true });
  await lay(overlay, { ...SYSTEM, ...files });
  await writeFile(join(work, 'boot.sh'), bootScript(driver));
  await rm(join(work, CONSOLE), { force: true });
  const { dmiUuid } = DEFAULT_IDENTITY;
  const argv = machine({ kernel, work, disk: true, edu: 0, shares: [], console: CONSOLE, dmiUuid });
  const ended = await emulate(argv, deadlineMs, onLine);
  const text = (await readFile(join(work, CONSOLE), 'latin1')).replaceAll('\r', '');
  if (ended !== 'off')
    throw new Error(`the machine ${ended}; the end of its console:\n${text.slice(-8_000)}`);
  return text;
}

/** A unit with these lines, which is started at each boot. */
export function startedAtBoot(name: string, lines: readonly string[]): Files {
  const unit = `/etc/systemd/system/${name}.service`;
  return {
    [unit]: [...lines, ''].join('\n'),
    [`/etc/systemd/system/multi-user.target.wants/${name}.service`]: { link: unit },
  };
}

/** What a machine needs that is emulated, and started for some seconds. */
const SYSTEM: Files = {
  '/etc/machine-id': `${DEFAULT_IDENTITY.machineId}\n`,
  '/etc/hostname': 'guest\n',
  '/etc/systemd/journald.conf.d/test.conf':
    '[Journal]\nForwardToConsole=yes\nMaxLevelConsole=info\nStorage=volatile\n',
  ...Object.fromEntries(
    [
      'apt-daily-upgrade.timer',
      'apt-daily.timer',
      'dev-hugepages.mount',
      'dev-mqueue.mount',
      'dpkg-db-backup.timer',
      'e2scrub_all.timer',
      'e2scrub_reap.service',
      'fstrim.timer',
      'getty.target',
      'modprobe@configfs.service',
      'modprobe@dm_mod.service',
      'modprobe@drm.service',
      'modprobe@efi_pstore.service',
      'modprobe@fuse.service',
      'modprobe@loop.service',
      'sys-fs-fuse-connections.mount',
      'sys-kernel-config.mount',
      'sys-kernel-debug.mount',
      'sys-kernel-tracing.mount',
      'systemd-journal-flush.service',
      'systemd-logind.service',
      'systemd-random-seed.service',
      'systemd-udev-trigger.service',
      'systemd-update-utmp-runlevel.service',
      'systemd-update-utmp.service',
      'systemd-user-sessions.service',
    ].map((name) => [`/etc/systemd/system/${name}`, { link: '/dev/null' }]),
  ),
};

async function lay(folder: string, files: Files): Promise<void> {
  for (const [path, file] of Object.entries(files)) {
    const at = join(folder, path);
    await mkdir(dirname(at), { recursive: true });
    if (typeof file !== 'string') await symlink(file.link, at);
    else {
      await writeFile(at, file);
      await chmod(at, file.startsWith('#!') ? 0o755 : 0o644);
    }
  }
}

/** Runs as the first process, which systemd then is; see test/kernel/init.sh. */
function bootScript(driver: boolean): string {
  return [
    'for module in $(cat /guest/modules/disk); do insmod "/guest/modules/$module"; done',
    'mkdir -p /guest/disk',
    'mount -t ext4 /dev/vda /guest/disk',
    'busybox cp -af "/guest/shared/overlay/." /guest/disk/',
    `busybox cp /guest/modules/mdevfleet_test.ko /guest/disk${DRIVER}`,
    `busybox cp /guest/bin/hold /guest/disk${HOLD}`,
    'umount -l /guest/shared',
    ...(driver ? ['insmod /guest/modules/mdevfleet_test.ko'] : []),
    'for folder in proc sys run; do mount -o move "/$folder" "/guest/disk/$folder"; done',
    'umount /dev/shm',
    'mount -o move /dev /guest/disk/dev',
    'exec busybox switch_root /guest/disk /sbin/init',
    '',
  ].join('\n');
}

function emulate(
  argv: readonly string[],
  deadlineMs: number,
  onLine: (line: string) => void,
): Promise<'off' | 'was not off in time'> {
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...argv], {
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: deadlineMs,
    killSignal: 'SIGKILL',
  });
  createInterface({ input: child.stdout }).on('line', onLine);
  const said: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => said.push(text));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      if (code !== 0 && code !== null) reject(new Error(`the emulator failed (${code}): ${said.join('')}`));
      else resolve(code === 0 ? 'off' : 'was not off in time');
    });
  });
}
