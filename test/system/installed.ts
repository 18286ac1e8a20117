/**
 * A disk on which the package is installed, that runs the code of this checkout: joined into few files, since under
 * emulation loading hundreds of modules is what an agent's start takes its time for. Unit, group, Node and the packages
 * with native parts are those of the Debian package.
 */
import { execFile } from 'node:child_process';
import { readdir, readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { makeDeb } from '../../tools/deb.ts';
import { GUEST_CODE, joinCode, joinedPath } from '../kernel/guest-code.ts';
import { ROOT } from '../kernel/shares.ts';
import type { Files } from './debian-guest.ts';
import { freshDisk } from './fresh-disk.ts';

const PACKAGES = join(ROOT, '.cache', 'deb');
const MAIN = join(ROOT, 'src', 'main.ts');
const UNIT = 'lib/systemd/system/mdevfleet.service';
const LIB = '/usr/lib/mdevfleet';
const DEB = '/var/cache/package.deb';

const run = promisify(execFile);

/**
 * Writes the image.
 * @param code a folder for what is joined
 * @param files more of them, as `freshDisk` takes them
 */
export async function installedDisk(
  image: string,
  code: string,
  files: Readonly<Record<string, string>>,
): Promise<void> {
  const deb = (await packageThatFits()) ?? (await makeDeb());
  await joinCode([MAIN], code, LIB);
  await freshDisk(image, { ...files, [GUEST_CODE]: code, [DEB]: deb }, async (tree) => {
    await run('chroot', [tree, 'dpkg', '--install', DEB]);
    await rm(join(tree, DEB));
  });
}

/** Under emulation, compiling takes longer than it saves. */
const FLAGS = '--no-sparkplug --no-maglev --no-opt';

/** The program. */
export const PROGRAM = `${LIB}/bin/node ${FLAGS} ${joinedPath(MAIN)}`;

/** Files by which the installed service runs the joined code. */
export const JOINED: Files = {
  '/etc/systemd/system/mdevfleet.service.d/joined.conf': [
    '[Service]',
    'ExecStart=',
    `ExecStart=${PROGRAM} agent`,
    '',
  ].join('\n'),
};

/** One that was made before serves, as long as it has the unit of this checkout. */
async function packageThatFits(): Promise<string | null> {
  const names = await readdir(PACKAGES).catch(() => []);
  const name = names.find((one) => one.endsWith('.deb'));
  if (name === undefined) return null;
  const file = join(PACKAGES, name);
  const { stdout } = await run('sh', ['-c', `dpkg-deb --fsys-tarfile "$0" | tar -xO ./${UNIT}`, file]);
  const own = await readFile(join(ROOT, 'deploy', 'systemd', basename(UNIT)), 'utf8');
  return stdout === own ? file : null;
}
