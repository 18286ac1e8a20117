/**
 * Commands typed by root on a fresh Debian system that has the package at hand, a server as a service, and a driver that
 * offers parents. `reboot` boots the machine anew, and what comes next is typed there.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { makeDeb } from '../../tools/deb.ts';
import { natsServer } from '../../tools/nats-server.ts';
import { bootDebian, type Files, startedAtBoot } from './debian-guest.ts';
import { freshDisk } from './fresh-disk.ts';

const ROOT = join(import.meta.dirname, '../..');
/** Where commands are typed, and the files that are there beside the package. */
const FOLDER = '/srv';
const FILES = ['fleet.yaml', 'duplicate.yaml', 'third.yaml'];

/** What each command answered, with both outputs as they came. */
export async function answersOf(
  commands: readonly string[],
  deadlineMs: number,
): Promise<readonly (readonly string[])[]> {
  const work = await mkdtemp(join(tmpdir(), 'mdevfleet-typed-'));
  try {
    const deb = await makeDeb();
    const { path: nats } = await natsServer('newest');
    await freshDisk(join(work, 'disk.img'), {
      [`${FOLDER}/${basename(deb)}`]: deb,
      '/usr/sbin/nats-server': nats,
      '/etc/nats-server.conf': join(ROOT, 'deploy/nats.conf'),
    });
    const answers: string[][] = [];
    let files = await atFirst(commands);
    while (answers.length < commands.length) {
      const before = answers.length;
      await bootDebian({ work, files, driver: true, deadlineMs, onLine: (line) => take(line, answers) });
      if (answers.length === before) throw new Error('nothing was typed in this boot');
      files = {};
    }
    return answers;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** A line of the script: `#` begins a command's answer, of which `|` begins each line. */
function take(line: string, answers: string[][]): void {
  if (line === '#') answers.push([]);
  if (line.startsWith('|')) answers.at(-1)?.push(line.slice(1));
}

async function atFirst(commands: readonly string[]): Promise<Files> {
  const own = FILES.map(async (name) => [
    `${FOLDER}/${name}`,
    await readFile(join(import.meta.dirname, 'home', name), 'utf8'),
  ]);
  return {
    ...Object.fromEntries(await Promise.all(own)),
    ...Object.fromEntries(commands.map((command, at) => [`/test/commands/${100 + at}`, `${command}\n`])),
    '/test/type': TYPE,
    ...startedAtBoot('nats-server', [
      '[Service]',
      'StateDirectory=nats',
      'ExecStartPre=ln -sfT /var/lib/nats /data',
      SERVER,
    ]),
    ...startedAtBoot('typing', [
      '[Service]',
      'Environment=HOME=/root NODE_COMPILE_CACHE=/var/cache/typed',
      `WorkingDirectory=${FOLDER}`,
      'ExecStart=/test/type',
    ]),
  };
}

const SERVER = 'ExecStart=/usr/sbin/nats-server --config /etc/nats-server.conf';

/** Types what is left to be typed; each command is done with before it is run, so that a reboot does not repeat it. */
const TYPE = `#!/bin/bash
exec 3>"$(echo /dev/vport*p1)" </dev/null
until systemctl is-system-running | grep -Eq 'running|degraded|starting'; do sleep 0.1; done
for file in /test/commands/*; do
  command=$(cat "$file")
  rm "$file"
  sync
  echo '#' >&3
  eval "$command" >/run/answer 2>&1
  sed 's/^/|/' /run/answer >&3
  if [ "$command" = reboot ]; then exit; fi
done
systemctl poweroff
`;
